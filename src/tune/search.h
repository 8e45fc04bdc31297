/* SPDX-License-Identifier: MIT
 *
 * Delta debugging: which units of a set that hurts are to blame, found by asking about subsets. Answers come from noisy
 * measurements, so one may be wrong or undecided: what is found is asked again by itself, and so is what is left
 * without it. Pure but for the asking.
 */
#ifndef PIT_TUNE_SEARCH_H
#define PIT_TUNE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

enum pit_guilt { PIT_GUILT_NO, PIT_GUILT_YES, PIT_GUILT_UNSURE };
const char *pit_guilt_name(enum pit_guilt g); /* "no", "yes", "unsure" */

#define PIT_EFFORT_MOST 2

/* Does the subset on[0..units) hurt? More effort (0 to PIT_EFFORT_MOST) asks for a surer answer; after UNSURE the same
 * is asked again with more. A return that is not 0 ends the search, which returns it; -EAGAIN is not for it to use. */
typedef int (*pit_ask_fn)(const bool *on, int effort, enum pit_guilt *ret, void *arg);

struct pit_culprit {
	size_t *unit; /* one; or several that hurt in company only */
	size_t count;
};

struct pit_culprits {
	struct pit_culprit *culprit;
	size_t count;
	bool unresolved; /* the set, or what is left of it without the culprits, hurts, and no part could be named */
};
void pit_culprits_free(struct pit_culprits *c); /* back to all-zero */

/* `units` >= 1; all of them together were found to hurt. No culprit and not `unresolved`: asked again, they do not. */
int pit_search(size_t units, pit_ask_fn ask, void *arg, struct pit_culprits *ret);

#endif
