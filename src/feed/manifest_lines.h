/* SPDX-License-Identifier: MIT
 *
 * Lines of a list of samples (PIT_SOURCE_MANIFEST): PATH, or PATH TAB OFFSET TAB LENGTH, or that and TAB XXH3. A path
 * is bytes without tab, newline and NUL, nor a carriage return at its end: lines may end as on Windows, and a byte
 * order mark may come first. Empty lines count for nothing.
 */
#ifndef PIT_FEED_MANIFEST_LINES_H
#define PIT_FEED_MANIFEST_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct pit_manifest_line {
	const char *path; /* in the text; not ended by a NUL */
	size_t path_len;
	bool has_range, has_sum;
	uint64_t offset, len, sum;
};

struct pit_manifest_lines {
	const char *at, *end; /* of the text that is left */
	uint64_t number;      /* of the line read last, from 1 */
};

/* The next line: true; false at the end, and, with `why` set, at a line that is none. */
bool pit_manifest_lines_next(struct pit_manifest_lines *lines, struct pit_manifest_line *ret, const char **why);

/* Appends a line; -EINVAL when the path cannot be written so. */
int pit_manifest_lines_add(struct pit_buf *out, const struct pit_manifest_line *line);

#endif
