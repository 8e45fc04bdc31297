/* SPDX-License-Identifier: MIT
 *
 * What a probe that looks at several things objects to, as a short text for `observed`: the first few, then how many
 * more. A list is filled in one of three ways: by names, by sentences, or by sentences of different weight.
 */
#ifndef PIT_CHECK_OFFENDERS_H
#define PIT_CHECK_OFFENDERS_H

#include "check/check.h"

/* All-zero is the empty list. */
struct pit_offenders {
	size_t count;
	size_t shown;           /* of these, spelt out in `text` */
	enum pit_status status; /* of the worst, with pit_offend() */
	enum pit_impact impact;
	char text[512];
};

/* A name: "eth0, eth1, eth2 and 5 more". */
void pit_offenders_add(struct pit_offenders *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A sentence, which also becomes a piece of evidence, seen in `source`: "first; second and 3 more". The evidence does
 * not repeat a name of the source at the sentence's beginning. */
void pit_problem(struct pit_offenders *o, struct pit_finding *out, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The text of these two; lives as long as `o` does. Nothing may be added afterwards. */
const char *pit_offenders_text(struct pit_offenders *o);

/* A sentence with its verdict; the worst is shown: "/data 100% used, and 2 more". */
void pit_offend(struct pit_offenders *o, enum pit_status status, enum pit_impact impact, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The verdict of the row from these: passes with `fine` when there is none. */
int pit_offenders_judge(const struct pit_offenders *o, struct pit_finding *out, const char *fine, ...)
	__attribute__((format(printf, 3, 4)));

#endif
