/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "host/pid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_proc p;

	(void)pit_proc_parse_stat(text, &p, NULL);
	free(text);
	return 0;
}
