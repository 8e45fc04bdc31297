/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "host/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_mounts m = {0};

	if (!pit_mounts_parse(text, &m, NULL)) {
		(void)pit_mounts_find(&m, "/data/x");
		for (size_t i = 0; i < m.count; i++)
			(void)pit_mount_option(&m.item[i], "rw", NULL);
	}
	pit_mounts_free(&m);
	free(text);
	return 0;
}
