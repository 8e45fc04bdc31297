/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "tune/persist.h"

/* Bytes that neither systemd nor udev takes as they are. */
static bool is_odd(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* A blank or a quote is "any one byte", for quoting there differs between versions. The last byte is a pattern that
 * means itself: a path that others have in a "w" line, too, would be left out as said already, and the first file by
 * name would win. */
void pit_escape_tmpfiles_path(const char *text, struct pit_buf *out)
{
	for (; *text; text++) {
		if (*text == '%')
			pit_buf_puts(out, "%%");
		else if (is_odd(*text) || strchr(" \\\"'", *text))
			pit_buf_putc(out, '?');
		else if (strchr("*?[", *text) || (!text[1] && isalnum((unsigned char)*text)))
			pit_buf_printf(out, "[%c]", *text);
		else
			pit_buf_putc(out, *text);
	}
}

/* Blanks inside stay: the field goes on to the end of the line. */
void pit_escape_tmpfiles_argument(const char *text, struct pit_buf *out)
{
	for (const char *c = text; *c; c++) {
		bool edge = *c == ' ' && (c == text || !c[1]);

		if (*c == '%')
			pit_buf_puts(out, "%%");
		else if (is_odd(*c) || edge || *c == '\\')
			pit_buf_printf(out, "\\x%02x", (unsigned char)*c);
		else
			pit_buf_putc(out, *c);
	}
}

/* "%" and "$" begin substitutions there; a quote ends the value, and no kernel setting has one. */
void pit_escape_udev(const char *text, struct pit_buf *out)
{
	for (; *text; text++) {
		if (strchr("%$", *text))
			pit_buf_putc(out, *text);
		if (*text == '"')
			pit_buf_putc(out, '\\');
		if (!is_odd(*text))
			pit_buf_putc(out, *text);
	}
}

/* systemd substitutes no variables in the path of a program. */
void pit_escape_exec(const char *text, struct pit_buf *out)
{
	for (; *text; text++) {
		if (*text == '%')
			pit_buf_puts(out, "%%");
		else if (is_odd(*text) || strchr(" \\\"';", *text))
			pit_buf_printf(out, "\\x%02x", (unsigned char)*text);
		else
			pit_buf_putc(out, *text);
	}
}
