/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "host/kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_kmsg k = {0};

	(void)pit_kmsg_parse(text, &k);
	pit_kmsg_free(&k);
	free(text);
	return 0;
}
