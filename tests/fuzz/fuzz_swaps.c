/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "tune/swaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_swaps s = {0};

	if (!pit_swaps_parse(text, &s, NULL)) {
		(void)pit_swaps_find(&s, "/dev/sda2");
		for (size_t i = 0; i < s.count; i++)
			if (!*s.item[i].name || s.item[i].used > s.item[i].size)
				abort();
	}
	pit_swaps_free(&s);
	free(text);
	return 0;
}
