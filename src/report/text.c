/* SPDX-License-Identifier: MIT */
#include "report/text.h"

#include <string.h>
#include <sys/ioctl.h>

static int terminal_width(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) || !w.ws_col)
		return 80;
	if (w.ws_col < 60)
		return 60;
	return w.ws_col > 120 ? 120 : w.ws_col;
}

struct pit_page pit_page_for(int fd, const char *when, struct pit_buf *out)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool colours = !strcmp(when, "always");

	if (!strcmp(when, "auto"))
		colours = isatty(fd) && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
	return (struct pit_page){.out = out, .width = terminal_width(fd), .colours = colours};
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

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Appends one word; returns its columns (a UTF-8 character counts as one). */
static int put_word(struct pit_buf *out, const char *word, size_t len)
{
	int columns = 0;

	for (size_t i = 0; i < len; i++) {
		pit_buf_putc(out, is_control(word[i]) ? '?' : word[i]);
		columns += !continues_character(word[i]);
	}
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
