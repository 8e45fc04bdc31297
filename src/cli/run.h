/* SPDX-License-Identifier: MIT
 *
 * What the files of `pitcrew run` share. Private to cli/.
 */
#ifndef PIT_CLI_RUN_H
#define PIT_CLI_RUN_H

#include "cli/cmd.h"
#include "launch/job.h"

/* Exit codes of run, as env(1), nohup(1) and xargs(1) have them; every other one is the job's. */
enum { PIT_RUN_CANNOT = 125, PIT_RUN_NOT_EXECUTABLE = 126, PIT_RUN_NOT_FOUND = 127 };

struct pit_run_options {
	struct pit_job_options job;
	const char *root, *colour;
	bool explain, dry_run, json;
	int emit; /* enum pit_emit; -1 none */
};
#define PIT_RUN_OPTIONS_INIT                                                                                           \
	{                                                                                                              \
		.colour = "auto", .emit = -1                                                                           \
	}
void pit_run_options_free(struct pit_run_options *o);

/* Options by what they are about; each takes the pit_run_options as input. */
extern const struct argp pit_run_ranks_argp, pit_run_limits_argp, pit_run_end_argp;

/* Options that go together, or not. A usage error when they do not. */
void pit_run_check(struct argp_state *state, const struct pit_run_options *o);

/* What an option was given, checked; a usage error that names option and word when it is no such value. */
int64_t pit_run_integer(struct argp_state *state, const char *option, const char *arg, int least, int most);
uint64_t pit_run_size(struct argp_state *state, const char *option, const char *arg);     /* 1 or more */
int64_t pit_run_duration(struct argp_state *state, const char *option, const char *arg);  /* ns */
double pit_run_cpus(struct argp_state *state, const char *option, const char *arg);       /* "3.5", "350%" */
int pit_run_signal(struct argp_state *state, const char *option, const char *arg);        /* that can be caught */
void pit_run_sched(struct argp_state *state, const char *arg, struct pit_job_options *o); /* "batch", "fifo:50" */
void pit_run_env(struct argp_state *state, const char *arg, struct pit_job_options *o);
void pit_run_io(struct argp_state *state, const char *arg, struct pit_job_options *o);
void pit_run_gpus(struct argp_state *state, const char *arg, struct pit_job_options *o);

#endif
