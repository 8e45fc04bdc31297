/* SPDX-License-Identifier: MIT
 *
 * Bytes of one stream in, whole lines out. Pure; any bytes may come, in any pieces.
 *
 * A carriage return begins the line anew, as on a terminal: a progress bar is one line whose last state counts. Its
 * states on the way come out as lines too, but only a few per second. CR LF is the end of a line.
 */
#ifndef PIT_LAUNCH_OUTPUT_LINES_H
#define PIT_LAUNCH_OUTPUT_LINES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define PIT_LINES_LONGEST 8192          /* bytes; a longer line comes in parts */
#define PIT_LINES_UPDATE (500 * PIT_MS) /* at least this long between two states of a line that is written anew */

struct pit_lines {
	struct pit_buf line;         /* since the last LF or CR */
	struct pit_buf last;         /* what stood there before the CR */
	bool anew;                   /* there was a CR */
	bool line_shown, last_shown; /* came out already */
	int64_t next;                /* when a state may come out again */
};
#define PIT_LINES_INIT                                                                                                 \
	{                                                                                                              \
		.line = PIT_BUF_INIT, .last = PIT_BUF_INIT, .next = INT64_MIN                                          \
	}

typedef void (*pit_lines_fn)(void *arg, const char *text, size_t len); /* a line without its end */

void pit_lines_add(struct pit_lines *l, const char *bytes, size_t len, int64_t now, pit_lines_fn fn, void *arg);

/* A state waits to come out: call pit_lines_rest() when nothing has come for PIT_LINES_UPDATE. */
bool pit_lines_waits(const struct pit_lines *l);
void pit_lines_rest(struct pit_lines *l, int64_t now, pit_lines_fn fn, void *arg);

/* The stream is over: what has no end comes out too. Frees. */
void pit_lines_end(struct pit_lines *l, pit_lines_fn fn, void *arg);

/* Appends the last `most` lines that are not blank, each as it looked in the end, NUL bytes as '?'. With `cut` the text
 * may begin in the middle of a line, which is left out unless it is the only one. */
void pit_lines_last(const char *text, size_t len, bool cut, int most, struct pit_buf *out);

#endif
