/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/conf.h"
#include "check/kube_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_conf a = {0}, b = {0}, c = {0}, d = {0};
	uint64_t bytes;

	(void)pit_conf_yaml_or_json(text, &a, NULL);
	(void)pit_conf_toml(text, &b, NULL);
	(void)pit_conf_json(text, &c, NULL);
	(void)pit_kube_parse_flags(text, size, &d);
	(void)pit_conf_get(&a, "cpuManagerPolicy");
	(void)pit_conf_has(&b, "plugins");
	(void)pit_kube_quantity(text, &bytes);
	pit_conf_free(&a);
	pit_conf_free(&b);
	pit_conf_free(&c);
	pit_conf_free(&d);
	free(text);
	return 0;
}
