/* SPDX-License-Identifier: MIT
 *
 * Walks through JSON text from left to right (RFC 8259, nothing added): the caller says what must come next. The text
 * is valid UTF-8 and need not end with NUL.
 */
#ifndef PIT_FEED_SAFETENSORS_SCAN_H
#define PIT_FEED_SAFETENSORS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIT_SCAN_DEPTH 127 /* arrays and objects in each other; as the reference's parser */

struct pit_scan {
	const char *at, *end;
	char *text;      /* where the next string goes; as many bytes from the first one on as the JSON has */
	const char *why; /* why the last function failed; `at` is where */
};

/* All return -EBADMSG with `why` when something else comes. White space in front is skipped. */
int pit_scan_char(struct pit_scan *s, char c);

/* Whether one more element comes (1) or the array or object is closed by `close` (0), which is then passed. `first`
 * begins as true. */
int pit_scan_next(struct pit_scan *s, char close, bool *first);

/* A string, decoded, with a NUL behind it; it lies in `text`, which moves on. Set `text` back to forget it. */
int pit_scan_string(struct pit_scan *s, const char **ret, size_t *ret_len);
int pit_scan_key(struct pit_scan *s, const char **ret, size_t *ret_len); /* with the colon */

int pit_scan_u64(struct pit_scan *s, uint64_t *ret);      /* whole, without sign, dot or exponent */
int pit_scan_skip(struct pit_scan *s, unsigned depth);    /* any value that lies `depth` deep */
bool pit_scan_word(struct pit_scan *s, const char *word); /* passes "null", "true", "false" when it comes */
int pit_scan_fail(struct pit_scan *s, const char *why);   /* sets `why`; -EBADMSG */
int pit_scan_finish(struct pit_scan *s);                  /* nothing but white space is left */

#endif
