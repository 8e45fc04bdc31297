/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "host/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_redact(size && text[0] == 112 ? "/etc/passwd" : "/x", text, size, 7, &out);
	free(text);
	return 0;
}
