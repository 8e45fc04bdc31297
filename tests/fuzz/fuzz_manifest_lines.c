/* SPDX-License-Identifier: MIT */
#include "feed/manifest_lines.h"
#include "fuzz.h"

static bool same(const struct pit_manifest_line *a, const struct pit_manifest_line *b)
{
	return a->path_len == b->path_len && !memcmp(a->path, b->path, a->path_len) && a->has_range == b->has_range &&
	       a->has_sum == b->has_sum && a->offset == b->offset && a->len == b->len && a->sum == b->sum;
}

/* It would not be read again: as the first line, or before the end of a line. */
static bool cannot_be_written(const struct pit_manifest_line *l)
{
	return (l->path_len >= 3 && !memcmp(l->path, "\xef\xbb\xbf", 3)) ||
	       (!l->has_range && l->path[l->path_len - 1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size + !size); /* no NUL behind it: what reads beyond the end is seen */
	struct pit_manifest_lines lines = {.at = exact, .end = exact + size};
	struct pit_manifest_line line;
	const char *why;

	if (!exact)
		abort();
	memcpy(exact, data, size);
	while (pit_manifest_lines_next(&lines, &line, &why)) {
		struct pit_buf out = PIT_BUF_INIT;
		struct pit_manifest_lines again;
		struct pit_manifest_line read;

		if (pit_manifest_lines_add(&out, &line)) {
			if (!cannot_be_written(&line))
				abort();
			continue;
		}
		again = (struct pit_manifest_lines){.at = out.data, .end = out.data + out.len};
		if (!pit_manifest_lines_next(&again, &read, &why) || !same(&read, &line))
			abort();
		pit_buf_free(&out);
	}
	free(exact);
	return 0;
}
