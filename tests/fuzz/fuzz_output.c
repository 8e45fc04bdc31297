/* SPDX-License-Identifier: MIT
 *
 * What a rank writes: its lines, and the last of them.
 */
#include "fuzz.h"
#include "launch/output_lines.h"

static void take(void *arg, const char *text, size_t len)
{
	if (len > PIT_LINES_LONGEST || memchr(text, '\n', len) || memchr(text, '\r', len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct pit_lines l = PIT_LINES_INIT;
	pit_auto_buf struct pit_buf last = PIT_BUF_INIT;
	size_t half = size / 2;

	pit_lines_add(&l, bytes, half, 0, take, NULL);
	if (size % 2)
		pit_lines_rest(&l, 0, take, NULL);
	pit_lines_add(&l, bytes + half, size - half, size % 3 ? PIT_LINES_UPDATE : 0, take, NULL);
	pit_lines_end(&l, take, NULL);
	pit_lines_last(bytes, size, size % 5, 20, &last);
	if (last.failed || strlen(last.data) != last.len)
		abort();
	return 0;
}
