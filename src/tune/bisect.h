/* SPDX-License-Identifier: MIT
 *
 * Which setting of a plan makes a command worse? All of them against none first; then subsets, as tune/search.h does
 * it.
 */
#ifndef PIT_TUNE_BISECT_H
#define PIT_TUNE_BISECT_H

#include "tune/search.h"
#include "tune/trial.h"

struct pit_bisect_step { /* one comparison */
	bool *on;        /* of each unit */
	int effort;
	struct pit_pairs pairs;
	enum pit_guilt guilt;
};

struct pit_bisect {
	const struct pit_setting *
		*unit; /* of the plan's profile; what is turned on and off, each with all its changes */
	size_t units;
	struct pit_strv left;         /* changes that cannot be tried, as sentences */
	struct pit_bisect_step *step; /* the first: all together */
	size_t steps;
	struct pit_culprits found; /* indexes are those of `unit` */
	size_t runs;               /* of the command, in all */
	struct pit_trial end;      /* how it ended; its pairs are empty */
};
void pit_bisect_free(struct pit_bisect *b);

/* The comparison that says most about a culprit: the last one of exactly these units. */
const struct pit_bisect_step *pit_bisect_proof(const struct pit_bisect *b, const struct pit_culprit *c);

/* Told after each comparison; may be NULL. */
typedef void (*pit_bisect_tell)(const struct pit_bisect *b, const struct pit_bisect_step *step, void *arg);

/* As pit_trial_run(); the pairs of one comparison are `options->rounds`, twice and four times as many when that does
 * not decide. No culprit, and not unresolved: the plan does not hurt the command. */
int pit_bisect_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		   const struct pit_trial_options *options, pit_bisect_tell tell, void *arg, struct pit_bisect *ret,
		   struct pit_error *err);

void pit_bisect_text(const struct pit_bisect *b, const struct pit_trial_options *options, const struct pit_page *page);
json_t *pit_bisect_json(const struct pit_bisect *b, const struct pit_plan *plan,
			const struct pit_trial_options *options);

/* "vm.swappiness", "block.readahead nvme*": a setting for a person; returns `out`. */
char *pit_setting_name(const struct pit_setting *s, char *out, size_t size);

#endif
