/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_waivers w = {0};

	(void)pit_waivers_parse(text, "2026-12-01", &w, NULL);
	pit_waivers_free(&w);
	free(text);
	return 0;
}
