/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "base/parse.h"
#include "host/cgroup.h"
#include "host/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_psi psi;
	pit_auto_strv struct pit_strv words = {0};
	uint64_t value;
	int64_t number;
	double real;
	char word[16];
	bool b;

	(void)pit_kv_u64(text, "MemTotal", &value);
	(void)pit_kv_str(text, "MemTotal", word, sizeof(word));
	(void)pit_psi_parse(text, &psi, NULL);
	(void)pit_bracketed(text, word, sizeof(word));
	if (!pit_cmdline_parse(text, &words))
		(void)pit_cmdline_get(&words, "isolcpus");
	(void)pit_parse_size(text, &value);
	(void)pit_parse_i64(text, &number);
	(void)pit_parse_double(text, &real);
	(void)pit_parse_bool(text, &b);
	(void)pit_cgroup_parse_cpu_max(text, &real);
	free(text);
	return 0;
}
