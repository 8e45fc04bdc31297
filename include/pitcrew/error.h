/* SPDX-License-Identifier: MIT
 *
 * The one error object of pitcrew. It lives on the caller's stack, never allocates, and every function that takes one
 * accepts NULL. Functions return 0 or a negative errno; the object carries the sentence that goes with it.
 */
#ifndef PITCREW_ERROR_H
#define PITCREW_ERROR_H

struct pit_error {
	int code;       /* positive errno, 0 when unset */
	char text[512]; /* one line without a full stop or newline; cut with "..." when longer */
};

#define PIT_ERROR_INIT                                                                                                 \
	{                                                                                                              \
		0                                                                                                      \
	}

/* These two are for pitcrew itself: libpitcrew does not export them.
 *
 * Sets `err` (when not NULL) to errno `code` and the formatted text; returns -code. errno is preserved. */
int pit_fail(struct pit_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "formatted text: " in front of what `err` says and returns `rc` unchanged; does nothing when rc is 0 or more.
 * If `err` holds no text yet, the text of errno -rc follows. */
int pit_wrap(struct pit_error *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
