/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/after_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pit_auto_idset struct pit_idset mems = {0};
	char *text = fuzz_text(data, size);
	uint64_t local, remote, pages[16];

	if (pit_idset_parse("0,2-3", &mems, NULL))
		abort();
	if (!pit_after_numa_maps(text, &mems, &local, &remote) && local + remote < local)
		abort();
	if (pit_after_spread(text, 4096, pages, 16) > 16)
		abort();
	free(text);
	return 0;
}
