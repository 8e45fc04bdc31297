/* SPDX-License-Identifier: MIT
 *
 * Values of settings as texts. The kernel prints the same value in several ways (tabs for blanks, "[never]" among its
 * choices, "0-3" or "0,1,2,3"), so values are compared and kept in one canonical form.
 */
#ifndef PIT_TUNE_VALUE_H
#define PIT_TUNE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "pitcrew/error.h"

enum pit_value_kind {
	PIT_VALUE_INT,    /* one decimal number: "10", "-1" */
	PIT_VALUE_WORDS,  /* numbers or words between white space: "4096 131072 6291456" */
	PIT_VALUE_CHOICE, /* a word; the kernel may show all with the chosen one in brackets: "always [madvise] never"
			   */
	PIT_VALUE_CPUS,   /* a list of ids: "0-3,8" */
	PIT_VALUE_MASK,   /* the same as hexadecimal words: "ff,00000000" */
	PIT_VALUE_BOOL,   /* Y/N, yes/no, on/off, 1/0: canonical "1" or "0" */
	PIT_VALUE_TEXT,   /* every byte counts */
};

/* Appends the canonical form of `text` to `out`. -EBADMSG: it is no such value. */
int pit_value_canon(enum pit_value_kind kind, const char *text, struct pit_buf *out, struct pit_error *err);

/* True when both say the same. NULL is "there is nothing" and equals NULL only. Texts that are no such values are
 * compared byte by byte. */
bool pit_value_equal(enum pit_value_kind kind, const char *a, const char *b);

/* What a profile may ask for: "10"; ">=4096" and "<=10" (keep what is there when it is so already; of WORDS each word
 * by itself); "10 instead of 0" (only where 0 is there now; anything else stays); "5% memory" (of `memory` bytes, as
 * bytes) and "5% memory from 256M up to 4G" (less than the former changes nothing); "64M". Appends the canonical value
 * wanted, given the `current` one (NULL: nothing there). -EINVAL: no such expression. */
int pit_value_want(enum pit_value_kind kind, const char *expression, const char *current, uint64_t memory,
		   struct pit_buf *out, struct pit_error *err);

#endif
