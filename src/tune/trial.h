/* SPDX-License-Identifier: MIT
 *
 * Proof by measurement: a command is run with and without a change, interleaved, and the ratio is judged.
 *
 * Pairs are run in the order A B B A A B B A ... (A without), so that what drifts (heat, a filling cache, a neighbour)
 * hits both sides alike.
 */
#ifndef PIT_TUNE_TRIAL_H
#define PIT_TUNE_TRIAL_H

#include "tune/interval.h"
#include "tune/lab.h"
#include "tune/measure.h"

#define PIT_TRIAL_PAIRS_LEAST 3

struct pit_trial_options {
	int rounds;        /* pairs; at least PIT_TRIAL_PAIRS_LEAST */
	int warmup;        /* runs without the change before the first pair, which do not count */
	double confidence; /* 0.95 */
	double least;      /* an effect smaller than this is none: 0.01 is 1 % */
	struct pit_metric metric;
	const char *const *argv; /* the command, ended by NULL */
	pit_hear_fn hear;        /* gets what the command prints; may be NULL */
	void *hear_arg;
	/* Told after each pair (from 1), and after each run of the warm-up (pair 0), for progress; may be NULL. */
	void (*tell)(int pair, double without, double with, void *arg);
	void *tell_arg;
};

enum pit_trial_end {
	PIT_TRIAL_DONE,
	PIT_TRIAL_SIGNAL,  /* somebody told us to end */
	PIT_TRIAL_COMMAND, /* the command failed, or printed no number */
	PIT_TRIAL_FOREIGN, /* a value was changed by somebody else, perhaps by the command */
	PIT_TRIAL_REFUSED, /* the kernel did not take a value */
};
const char *pit_trial_end_name(enum pit_trial_end end); /* "done", "signal", ... */

/* The pairs of one comparison, and what they say. */
struct pit_pairs {
	double *without, *with; /* seconds, or the number printed, of each pair */
	size_t count;
	bool judged;               /* there are two or more; otherwise the rest is empty */
	struct pit_interval ratio; /* with / without; of a metric where lower is better below 1 is better */
	enum pit_effect effect;
};
void pit_pairs_free(struct pit_pairs *p); /* back to all-zero */

struct pit_trial {
	int txn; /* of the journal; 0 none was begun */
	struct pit_pairs pairs;
	enum pit_trial_end end;
	char *stopped;        /* why it ended early, a sentence; NULL it did not */
	char *words;          /* the last lines of a command that failed; NULL */
	int signal;           /* PIT_TRIAL_SIGNAL: its number */
	bool restored;        /* every value is as before, but for those in `kept` */
	char *damage;         /* not restored: what and why */
	struct pit_strv kept; /* changed by somebody else meanwhile and therefore left so: sentences */
};
void pit_trial_free(struct pit_trial *t); /* back to all-zero */

/* Tries all changes of the plan together. The machine is put back at the end, on INT, TERM, HUP and QUIT, and by a
 * guardian process when we are killed. 0 also when it ended early: what was measured until then is in `ret`. -errno
 * when it did not begin: -EINVAL the metric is no pattern, -EOPNOTSUPP a change that cannot be felt at once, -ENOENT no
 * change. */
int pit_trial_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_trial_options *options, struct pit_trial *ret, struct pit_error *err);

/* Worth keeping: it ended by itself and is better. */
bool pit_trial_is_proven(const struct pit_trial *t);

/* Applies the plan, whose trial has ended, as an ordinary transaction. */
int pit_trial_keep(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan, int *ret_txn,
		   struct pit_strv *ret_notes, struct pit_error *err);

struct pit_page;
void pit_trial_text(const struct pit_trial *t, const struct pit_plan *plan, const struct pit_trial_options *options,
		    const struct pit_page *page);
json_t *pit_trial_json(const struct pit_trial *t, const struct pit_plan *plan,
		       const struct pit_trial_options *options); /* NULL: out of memory */

/* The parts that trial and bisect share. */
void pit_pairs_text(const struct pit_pairs *p, const struct pit_trial_options *options, struct pit_buf *out);
void pit_trial_end_text(const struct pit_trial *t, const struct pit_page *page); /* how it ended, what is restored */
json_t *pit_pairs_json(const struct pit_pairs *p);
json_t *pit_trial_end_json(const struct pit_trial *t);
json_t *pit_trial_options_json(const struct pit_plan *plan, const struct pit_trial_options *options);

struct pit_bench {
	const struct pit_trial_options *options;
	struct pit_meter *meter;
	struct pit_interrupt *signals;
	struct pit_lab *lab;
	size_t runs;           /* of the command so far */
	struct pit_trial *end; /* gets end, stopped, words, signal when a run ends it all */
};

/* Runs the warm-up. 0; 1: it is over, `end` says why; or -errno. */
int pit_bench_warm_up(struct pit_bench *b);

/* Measures `count` more pairs of those settings (NULL: all) against none, and judges all. Returns as above. */
int pit_bench_pairs(struct pit_bench *b, pit_lab_wanted wanted, void *arg, size_t count, struct pit_pairs *p);

/* Puts the machine back and tells `end` what came of it. `rc` is what the work before returned: 0 unless it is below 0.
 */
int pit_bench_close(struct pit_bench *b, int rc, struct pit_error *err);

#endif
