/* SPDX-License-Identifier: MIT
 *
 * What a probe that looks at several things objects to: each objection becomes a piece of evidence, and all together a
 * short text for `observed` ("first; second and 3 more").
 */
#ifndef PIT_CHECK_PROBLEMS_H
#define PIT_CHECK_PROBLEMS_H

#include "check/check.h"

struct pit_problems {
	struct pit_buf text;
	size_t count;
	size_t shown; /* of these, spelt out in `text` */
};
#define PIT_PROBLEMS_INIT                                                                                              \
	{                                                                                                              \
		.text = PIT_BUF_INIT                                                                                   \
	}

static inline void pit_problems_free(struct pit_problems *p)
{
	pit_buf_free(&p->text);
}
#define pit_auto_problems PIT_CLEANUP(pit_problems_free)

/* Adds one, seen in `source`. */
void pit_problem(struct pit_problems *p, struct pit_finding *out, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The short text. */
const char *pit_problems_text(struct pit_problems *p);

#endif
