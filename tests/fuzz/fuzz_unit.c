/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "host/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char value[64];
	int line;

	(void)pit_ini_get(text, "Service", "LimitMEMLOCK", value, sizeof(value), &line);
	(void)pit_ini_get(text, NULL, "key", value, sizeof(value), NULL);
	free(text);
	return 0;
}
