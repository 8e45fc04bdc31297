/* SPDX-License-Identifier: MIT
 *
 * Text for a terminal: word wrap, indents, colours.
 */
#ifndef PIT_REPORT_TEXT_H
#define PIT_REPORT_TEXT_H

#include "base/buf.h"

enum pit_colour { PIT_PLAIN, PIT_BOLD, PIT_DIM, PIT_RED, PIT_YELLOW, PIT_GREEN, PIT_CYAN };

struct pit_page {
	struct pit_buf *out;
	int width; /* columns */
	bool colours;
};

/* What an output stream can show: colours on a terminal unless NO_COLOR is set or TERM is dumb; its width, COLUMNS or
 * the terminal's, between 60 and 120, and 80 when neither tells. `when` is "auto", "always" or "never". */
struct pit_page pit_page_for(int fd, const char *when, struct pit_buf *out);

void pit_page_colour(const struct pit_page *p, enum pit_colour colour, const char *text);

/* Wraps `text` between column `indent` and the page's width; `head` (may be NULL) stands before the first line, inside
 * the indent. Words longer than a line are not cut. What commands a terminal and what is not UTF-8 comes out as '?':
 * the text may be foreign. */
void pit_page_wrap(const struct pit_page *p, int indent, const char *head, const char *text);

/* A part of a finding or of a change: `label` (at most 7 columns) and `text` beside it; nothing when that is NULL or
 * empty. */
void pit_page_part(const struct pit_page *p, const char *label, const char *text);

/* `text` without control characters, cut to `columns`, at the end of `out`. */
void pit_page_clip(struct pit_buf *out, const char *text, size_t columns);

#endif
