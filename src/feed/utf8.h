/* SPDX-License-Identifier: MIT
 *
 * UTF-8 as the Unicode standard has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef PIT_FEED_UTF8_H
#define PIT_FEED_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many of the first bytes are valid: `len` when all are. */
size_t pit_utf8_valid(const char *text, size_t len);

/* Writes a code point (not above 0x10ffff) as 1 to 4 bytes; returns how many. */
size_t pit_utf8_put(char *out, uint32_t code);

/* A foreign name for a person: control characters become '?', and it is cut at a whole character with "..." when it
 * does not fit. Returns `out`. */
char *pit_utf8_show(const char *name, char *out, size_t size);

#endif
