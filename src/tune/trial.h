/* SPDX-License-Identifier: MIT
 *
 * Proof by measurement: a command is run with and without a change, interleaved, and the ratio is judged.
 */
#ifndef PIT_TUNE_TRIAL_H
#define PIT_TUNE_TRIAL_H

#include "tune/txn.h"

/* The median of `ratio` and its interval by the bootstrap (percentiles of the medians of resamples drawn with a fixed
 * seed). count >= 2. Pure. */
struct pit_interval {
	double low, median, high;
};
int pit_bootstrap(const double *ratio, size_t count, double confidence, struct pit_interval *ret);

struct pit_metric {
	bool wall;             /* wall-clock seconds; else the number that `pattern` finds in what the command prints */
	const char *pattern;   /* POSIX extended regular expression; its first group, else the number after its match */
	bool higher_is_better; /* of a printed number */
};

enum pit_effect { PIT_EFFECT_NONE, PIT_EFFECT_BETTER, PIT_EFFECT_WORSE };

struct pit_trial_options {
	int rounds;        /* pairs; at least 3 */
	double confidence; /* 0.95 */
	struct pit_metric metric;
	char *const *argv; /* the command, ended by NULL */
	bool keep;         /* keep the change when it is better */
	/* Told after each pair, for progress; may be NULL. */
	void (*tell)(int pair, double without, double with, void *arg);
	void *tell_arg;
};

struct pit_trial {
	double *without, *with; /* seconds, or the number printed, of each pair */
	size_t pairs;
	struct pit_interval ratio; /* with / without; of a metric where lower is better below 1 is better */
	enum pit_effect effect;
	bool kept;
	char *stopped; /* why it ended early; NULL it did not. What was measured is above */
};

/* Sets and restores all changes of the plan between runs, in the order A B B A ... (A without). The machine is put back
 * at the end, on SIGINT and SIGTERM, and by a guardian process when we are killed. -errno when the command fails (its
 * exit code and last words in `err`) or prints no number. */
int pit_trial_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_trial_options *options, struct pit_trial *ret, struct pit_error *err);
void pit_trial_free(struct pit_trial *t);

/* Which change of a plan makes the command worse? */
struct pit_bisect {
	struct pit_trial whole; /* all changes together */
	size_t *guilty;         /* indexes of the plan's changes that are worse by themselves, or only together */
	size_t count;           /* 0: the plan does not hurt this command */
	bool together;          /* they hurt only in company */
	size_t runs;            /* of the command, in all */
};
int pit_bisect_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		   const struct pit_trial_options *options, struct pit_bisect *ret, struct pit_error *err);
void pit_bisect_free(struct pit_bisect *b);

#endif
