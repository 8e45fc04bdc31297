/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/killed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_kmsg k = {0};
	struct pit_killed killed;

	if (!pit_kmsg_parse(text, &k)) {
		(void)pit_killed_pid(&k, 0, 123, &killed);
		(void)pit_killed_in(&k, 0, "/rank-0", &killed);
	}
	pit_kmsg_free(&k);
	free(text);
	return 0;
}
