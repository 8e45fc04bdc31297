/* SPDX-License-Identifier: MIT */
#include "report/text.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/parse.h"

/* $COLUMNS, else the terminal's columns; 0 unknown. */
static uint64_t columns_wanted(int fd)
{
	const char *said = getenv("COLUMNS");
	struct winsize w;
	uint64_t columns;

	if (said && !pit_parse_u64(said, &columns) && columns)
		return columns;
	return ioctl(fd, TIOCGWINSZ, &w) ? 0 : w.ws_col;
}

static int page_width(int fd)
{
	uint64_t columns = columns_wanted(fd);

	if (!columns)
		return 80;
	return columns < 60 ? 60 : columns > 120 ? 120 : (int)columns;
}

struct pit_page pit_page_for(int fd, const char *when, struct pit_buf *out)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool colours = !strcmp(when, "always");

	if (!strcmp(when, "auto"))
		colours = isatty(fd) && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
	return (struct pit_page){.out = out, .width = page_width(fd), .colours = colours};
}

void pit_page_colour(const struct pit_page *p, enum pit_colour colour, const char *text)
{
	static const char *const codes[] = {
		[PIT_PLAIN] = "0",   [PIT_BOLD] = "1",   [PIT_DIM] = "2",   [PIT_RED] = "1;31",
		[PIT_YELLOW] = "33", [PIT_GREEN] = "32", [PIT_CYAN] = "36",
	};

	if (p->colours && colour != PIT_PLAIN)
		pit_buf_printf(p->out, "\033[%sm%s\033[0m", codes[colour], text);
	else
		pit_buf_puts(p->out, text);
}

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Characters that command a terminal or turn the direction of its text: C0, C1, U+202A to 202E, U+2066 to 2069. */
static bool is_command(const char *at, size_t len)
{
	unsigned char c = (unsigned char)at[0], d = len > 1 ? (unsigned char)at[1] : 0,
		      e = len > 2 ? (unsigned char)at[2] : 0;

	return c < 0x20 || c == 0x7f || (c == 0xc2 && d < 0xa0) ||
	       (c == 0xe2 && ((d == 0x80 && e >= 0xaa && e <= 0xae) || (d == 0x81 && e >= 0xa6 && e <= 0xa9)));
}

/* Length of the UTF-8 character at `at`; 0 when it is none, or not for a terminal. */
static size_t character_length(const char *at, size_t len)
{
	unsigned char c = (unsigned char)*at;
	size_t n = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;

	if (!n || n > len || is_command(at, n))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!continues_character(at[i]))
			return 0;
	return n;
}

/* Appends one character, or '?' for what must not reach a terminal; returns the bytes used. */
static size_t put_character(struct pit_buf *out, const char *at, size_t len)
{
	size_t n = character_length(at, len);

	if (n) {
		pit_buf_add(out, at, n);
		return n;
	}
	pit_buf_putc(out, '?');
	for (n = 1; n < len && continues_character(at[n]); n++)
		;
	return n;
}

/* Appends one word; returns its columns (a UTF-8 character counts as one). */
static int put_word(struct pit_buf *out, const char *word, size_t len)
{
	int columns = 0;

	for (size_t i = 0; i < len; columns++)
		i += put_character(out, word + i, len - i);
	return columns;
}

static int columns_of(const char *word, size_t len)
{
	int columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += !continues_character(word[i]);
	return columns;
}

void pit_page_wrap(const struct pit_page *p, int indent, const char *head, const char *text)
{
	int at = indent;
	bool first = true;

	pit_buf_printf(p->out, "%-*s", indent, head ? head : "");
	if (head && (int)strlen(head) > indent)
		at = (int)strlen(head);
	while (*(text += strspn(text, " \n\t"))) {
		size_t len = strcspn(text, " \n\t");

		if (!first && at + 1 + columns_of(text, len) > p->width) {
			pit_buf_printf(p->out, "\n%*s", indent, "");
			at = indent;
		} else if (!first) {
			pit_buf_putc(p->out, ' ');
			at++;
		}
		at += put_word(p->out, text, len);
		text += len;
		first = false;
	}
	pit_buf_putc(p->out, '\n');
}

void pit_page_clip(struct pit_buf *out, const char *text, size_t columns)
{
	for (size_t len = strlen(text), used; len && columns; columns--, len -= used, text += used)
		used = put_character(out, text, len);
}

void pit_page_part(const struct pit_page *p, const char *label, const char *text)
{
	char head[24];

	if (!text || !*text)
		return;
	snprintf(head, sizeof(head), "      %s", label);
	pit_page_wrap(p, 14, head, text);
}
