/* SPDX-License-Identifier: MIT */
#include "launch/output_lines.h"

#include <string.h>

/* Ready for more, also after memory had run out. */
static void empty_buf(struct pit_buf *b)
{
	pit_buf_clear(b);
	b->failed = false;
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

static size_t until_end(const char *bytes, size_t len)
{
	const char *lf = memchr(bytes, '\n', len), *cr = memchr(bytes, '\r', lf ? (size_t)(lf - bytes) : len);

	return cr ? (size_t)(cr - bytes) : lf ? (size_t)(lf - bytes) : len;
}

/* Where to part a line that is too long: not inside a character of UTF-8. */
static size_t part_at(const char *text)
{
	size_t len = PIT_LINES_LONGEST;

	for (int i = 0; i < 3 && ((unsigned char)text[len] & 0xc0) == 0x80; i++)
		len--;
	return ((unsigned char)text[len] & 0xc0) == 0x80 ? PIT_LINES_LONGEST : len;
}

static void append(struct pit_lines *l, const char *bytes, size_t len, pit_lines_fn fn, void *arg)
{
	if (len)
		l->line_shown = false;
	while (len) {
		size_t room = PIT_LINES_LONGEST + 1 - l->line.len, n = len < room ? len : room, part;

		pit_buf_add(&l->line, bytes, n);
		bytes += n;
		len -= n;
		if (l->line.len <= PIT_LINES_LONGEST)
			continue;
		part = part_at(l->line.data);
		fn(arg, l->line.data, part);
		memmove(l->line.data, l->line.data + part, l->line.len - part);
		l->line.len -= part;
	}
}

static void show_last(struct pit_lines *l, pit_lines_fn fn, void *arg)
{
	if (l->last.len && !l->last_shown)
		fn(arg, l->last.data, l->last.len);
	l->last_shown = true;
}

static void end_line(struct pit_lines *l, pit_lines_fn fn, void *arg)
{
	if (l->line.len && !l->line_shown)
		fn(arg, l->line.data, l->line.len);
	else if (!l->line.len && l->last.len)
		show_last(l, fn, arg);
	else if (!l->line.len)
		fn(arg, "", 0);
	empty_buf(&l->line);
	empty_buf(&l->last);
	l->anew = l->line_shown = l->last_shown = false;
}

static void begin_anew(struct pit_lines *l, int64_t now, pit_lines_fn fn, void *arg)
{
	struct pit_buf empty = l->last;

	if (!is_blank(l->line.data, l->line.len)) {
		empty_buf(&empty);
		l->last = l->line;
		l->line = empty;
		l->last_shown = l->line_shown;
	}
	l->anew = true;
	empty_buf(&l->line);
	l->line_shown = false;
	if (!l->last.len || l->last_shown || now < l->next)
		return;
	show_last(l, fn, arg);
	l->next = now + PIT_LINES_UPDATE;
}

void pit_lines_add(struct pit_lines *l, const char *bytes, size_t len, int64_t now, pit_lines_fn fn, void *arg)
{
	while (len) {
		size_t n = until_end(bytes, len);

		append(l, bytes, n, fn, arg);
		if (n < len && bytes[n] == '\n')
			end_line(l, fn, arg);
		else if (n < len)
			begin_anew(l, now, fn, arg);
		n += n < len;
		bytes += n;
		len -= n;
	}
}

static bool line_waits(const struct pit_lines *l)
{
	return l->anew && !l->line_shown && !is_blank(l->line.data, l->line.len);
}

bool pit_lines_waits(const struct pit_lines *l)
{
	return line_waits(l) || (l->last.len && !l->last_shown);
}

void pit_lines_rest(struct pit_lines *l, int64_t now, pit_lines_fn fn, void *arg)
{
	if (!pit_lines_waits(l))
		return;
	if (line_waits(l)) {
		fn(arg, l->line.data, l->line.len);
		l->line_shown = l->last_shown = true;
	} else {
		show_last(l, fn, arg);
	}
	l->next = now + PIT_LINES_UPDATE;
}

void pit_lines_end(struct pit_lines *l, pit_lines_fn fn, void *arg)
{
	if (l->anew && is_blank(l->line.data, l->line.len))
		empty_buf(&l->line);
	if (l->line.len || l->last.len)
		end_line(l, fn, arg);
	pit_buf_free(&l->line);
	pit_buf_free(&l->last);
}

/* The part of a line that is to be seen: what follows the last CR, if that is anything. */
static const char *seen(const char *line, size_t *len)
{
	while (*len && line[*len - 1] == '\r')
		--*len;
	for (size_t end = *len, at = end;; at--) {
		if (at && line[at - 1] != '\r')
			continue;
		if (!is_blank(line + at, end - at) || !at) {
			*len = end - at;
			return line + at;
		}
		end = at - 1;
	}
}

static void put_without_nul(struct pit_buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		pit_buf_putc(out, text[i] ? text[i] : '?');
	pit_buf_putc(out, '\n');
}

/* Where the line before `end` begins. */
static size_t line_start(const char *text, size_t end)
{
	while (end && text[end - 1] != '\n')
		end--;
	return end;
}

void pit_lines_last(const char *text, size_t len, bool cut, int most, struct pit_buf *out)
{
	const char *lf = cut ? memchr(text, '\n', len) : NULL;
	size_t first = lf ? (size_t)(lf - text) + 1 : 0, from = len;

	for (size_t end = len; end > first && most > 0; end = from ? from - 1 : 0) {
		from = line_start(text, end);
		most -= !is_blank(text + from, end - from);
		if (!from)
			break;
	}
	from = from < first ? first : from;
	while (from < len) {
		const char *end = memchr(text + from, '\n', len - from);
		size_t whole = end ? (size_t)(end - text) - from : len - from, n = whole;
		const char *line = seen(text + from, &n);

		if (!is_blank(line, n))
			put_without_nul(out, line, n);
		from += whole + 1;
	}
}
