/* SPDX-License-Identifier: MIT
 *
 * The parts of `pitcrew tune`. One file cmd_tune_NAME.c each, or for a few that belong together.
 */
#ifndef PIT_CLI_TUNE_H
#define PIT_CLI_TUNE_H

#include "cli/cmd.h"
#include "tune/plan.h"
#include "tune/state.h"

/* As struct pit_cmd; argv[0] is "pitcrew tune NAME". */
extern const struct pit_cmd pit_tune_plan, pit_tune_apply, pit_tune_status, pit_tune_verify, pit_tune_log,
	pit_tune_revert, pit_tune_trial, pit_tune_bisect;

/* For units of ours, in no help: "boot FILE" sets the settings of FILE as they are resolved now, without a journal (one
 * line on stderr for each that fails, exit code 3 then); "hold-latency US" keeps /dev/cpu_dma_latency open until
 * SIGTERM. */
extern const struct pit_cmd pit_tune_boot, pit_tune_hold_latency;

/* Exit codes of tune: 0 done, nothing left to do; 1 plan: something would be changed, verify: something does not hold;
 * 3 could not, and the machine is as before unless the message says otherwise; 64 usage. */

/* Options that plan, apply and bisect share, as an argp child: --profile, --only, --skip, --root, --state. */
struct pit_tune_options {
	const char *root;    /* --root; NULL live */
	const char *profile; /* NULL: training */
	const char *only, *skip;
	const char *state;     /* --state DIR; NULL: PIT_STATE_DIR */
	bool persist, runtime; /* asked for; no options of the child */
	bool acts;             /* no option: the plan will be done, so a profile that others can write is refused */
};
extern const struct argp pit_tune_plan_argp; /* its input is a struct pit_tune_options * */

/* The argument of --profile; a usage error when it is empty. */
const char *pit_tune_profile_name(struct argp_state *state, const char *arg);

/* What --profile, --only and --skip leave must be something: whoever is told of a wrong word should not have had to
 * become root first. 0 or -errno. */
int pit_tune_check_profile(const struct pit_tune_options *o, struct pit_error *err);

/* Loads profile, scene and evidence and makes the plan. The caller frees plan, profile and scene. `check` asks the
 * checks for evidence (apply and plan; not trial and bisect); the plan does without when they fail. */
int pit_tune_make_plan(const struct pit_tune_options *o, struct pit_root *root, int txn, bool check,
		       struct pit_scene **ret_scene, struct pit_profile *ret_profile, struct pit_plan *ret,
		       struct pit_error *err);

/* What the checks say of the knobs that a profile sets, for pit_plan_options. */
struct pit_tune_evidence {
	struct pit_plan_evidence *item;
	size_t count;
};
int pit_tune_evidence(struct pit_root *root, const struct pit_profile *profile, struct pit_tune_evidence *ret,
		      struct pit_error *err);
void pit_tune_evidence_free(struct pit_tune_evidence *e);

/* The plan as text with a head line and a line of counts; `next` is said behind the counts. `will`:
 * it is about to be done. */
void pit_tune_put_plan(const struct pit_plan *p, struct pit_scene *scene, bool will, bool verbose, const char *next,
		       const struct pit_page *page);

/* pit_cli_fail(), and below it what else a transaction had to tell. */
int pit_tune_fail(const struct pit_error *err, const struct pit_strv *notes);

#endif
