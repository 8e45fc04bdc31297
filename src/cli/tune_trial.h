/* SPDX-License-Identifier: MIT
 *
 * What trial and bisect share: the options that say how to measure, and the machine that they work on.
 */
#ifndef PIT_CLI_TUNE_TRIAL_H
#define PIT_CLI_TUNE_TRIAL_H

#include "cli/tune.h"
#include "report/text.h"
#include "tune/trial.h"

/* As an argp child: --rounds, --warmup, --metric, --better, --confidence, --least, --verbose, --format, --color,
 * --wait; and the words behind the options, the command. A usage error when there are none. */
struct pit_trial_cli {
	struct pit_trial_options trial;
	const char *better;
	const char *colour;
	int wait;
	bool json;
};
extern const struct argp pit_trial_argp; /* its input is a struct pit_trial_cli * */
#define PIT_TRIAL_CLI_INIT                                                                                             \
	{                                                                                                              \
		.trial = {.rounds = 8, .warmup = 1, .confidence = 0.95, .least = 0.01}, .colour = "auto", .wait = 10   \
	}

/* The place and the state, which is locked; the caller closes both, also after a failure. */
int pit_trial_open(const struct pit_trial_cli *o, const char *state_dir, struct pit_place **ret_place,
		   struct pit_tune_state **ret_state, struct pit_error *err);

/* Progress on stderr, after each pair. */
void pit_trial_tell(int pair, double without, double with, void *cli);

/* The exit code that tells how it ended. */
int pit_trial_exit(const struct pit_trial *t);

/* Prints text or JSON (consumed; NULL: out of memory); `code` or PIT_EXIT_CANNOT. */
int pit_trial_print_json(json_t *json, int code);

#endif
