/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/parse.h"
#include "feed/manifest_lines.h"

#define BOM "\xef\xbb\xbf" /* a byte order mark in UTF-8 */

/* The bytes up to the next tab or the end of the line; moves *at behind that. NULL when there are none left. */
static const char *field(const char **at, const char *end, size_t *ret_len)
{
	const char *begin = *at, *tab;

	if (!begin)
		return NULL;
	tab = memchr(begin, '\t', (size_t)(end - begin));
	*ret_len = (size_t)((tab ? tab : end) - begin);
	*at = tab ? tab + 1 : NULL;
	return begin;
}

static bool number(const char **at, const char *end, bool hex, uint64_t *ret)
{
	size_t len = 0;
	const char *begin = field(at, end, &len);
	char text[24];

	if (!begin || !len || len >= sizeof(text))
		return false;
	memcpy(text, begin, len);
	text[len] = '\0';
	if (strspn(text, "0123456789abcdefABCDEF") < len) /* no blanks, no 0x */
		return false;
	return !(hex ? pit_parse_hex(text, ret) : pit_parse_u64(text, ret));
}

static const char *parse(const char *line, const char *end, struct pit_manifest_line *ret)
{
	const char *at = line;

	if (memchr(line, '\0', (size_t)(end - line)))
		return "a NUL byte";
	*ret = (struct pit_manifest_line){.path = line};
	field(&at, end, &ret->path_len);
	if (!ret->path_len)
		return "no path";
	if (!at)
		return NULL;
	ret->has_range = true;
	if (!number(&at, end, false, &ret->offset) || !number(&at, end, false, &ret->len))
		return "behind the path: no offset and length";
	if (!at)
		return NULL;
	ret->has_sum = true;
	if (!number(&at, end, true, &ret->sum))
		return "behind the length: no checksum in hexadecimal";
	return at ? "something behind the checksum" : NULL;
}

bool pit_manifest_lines_next(struct pit_manifest_lines *lines, struct pit_manifest_line *ret, const char **why)
{
	*why = NULL;
	while (lines->at < lines->end) {
		const char *line = lines->at, *end = memchr(line, '\n', (size_t)(lines->end - line));

		if (!end)
			end = lines->end;
		lines->at = end < lines->end ? end + 1 : end;
		lines->number++;
		if (lines->number == 1 && end - line >= (ptrdiff_t)sizeof(BOM) - 1 &&
		    !memcmp(line, BOM, sizeof(BOM) - 1))
			line += sizeof(BOM) - 1;
		if (end > line && end[-1] == '\r')
			end--;
		if (end == line)
			continue;
		*why = parse(line, end, ret);
		return !*why;
	}
	return false;
}

int pit_manifest_lines_add(struct pit_buf *out, const struct pit_manifest_line *line)
{
	if (!line->has_range && line->path_len && line->path[line->path_len - 1] == '\r')
		return -EINVAL;
	if (line->path_len >= sizeof(BOM) - 1 && !memcmp(line->path, BOM, sizeof(BOM) - 1))
		return -EINVAL;
	for (size_t i = 0; i < line->path_len; i++)
		if (line->path[i] == '\t' || line->path[i] == '\n' || !line->path[i])
			return -EINVAL;
	pit_buf_add(out, line->path, line->path_len);
	if (line->has_range)
		pit_buf_printf(out, "\t%" PRIu64 "\t%" PRIu64, line->offset, line->len);
	if (line->has_range && line->has_sum)
		pit_buf_printf(out, "\t%016" PRIx64, line->sum);
	pit_buf_putc(out, '\n');
	return 0;
}
