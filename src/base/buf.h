/* SPDX-License-Identifier: MIT
 *
 * A growing text buffer. `data` is always a NUL-terminated string (never NULL). When memory runs out the buffer keeps
 * what it has, `failed` becomes true and further writes are dropped: check it once, at the end.
 */
#ifndef PIT_BASE_BUF_H
#define PIT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pit_buf {
	char *data;
	size_t len;  /* bytes before the terminating NUL */
	size_t size; /* bytes allocated; 0 = `data` is not ours */
	bool failed;
};

extern char pit_buf_empty[1];
#define PIT_BUF_INIT                                                                                                   \
	{                                                                                                              \
		.data = pit_buf_empty                                                                                  \
	}

void pit_buf_free(struct pit_buf *b); /* back to PIT_BUF_INIT; keeps errno */
#define pit_auto_buf PIT_CLEANUP(pit_buf_free)

void pit_buf_add(struct pit_buf *b, const void *bytes, size_t len);
void pit_buf_puts(struct pit_buf *b, const char *text);
void pit_buf_putc(struct pit_buf *b, char c);
void pit_buf_printf(struct pit_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pit_buf_clear(struct pit_buf *b); /* length 0, memory kept */

/* Makes room for `more` bytes behind `len`; 0 or -ENOMEM. The caller then writes there and adds to `len`. */
int pit_buf_reserve(struct pit_buf *b, size_t more);

/* The text as a malloc'ed string which the caller frees; NULL when memory ran out. The buffer is empty afterwards. */
char *pit_buf_take(struct pit_buf *b);

#endif
