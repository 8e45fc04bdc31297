/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/allocator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	pit_auto_strv struct pit_strv dirs = {0}, includes = {0};

	(void)pit_allocator_conf(text, &dirs, &includes);
	for (size_t i = 0; i < dirs.count; i++)
		if (*dirs.item[i] != '/')
			abort();
	(void)pit_allocator_fits(data, size);
	free(text);
	return 0;
}
