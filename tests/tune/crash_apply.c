/* SPDX-License-Identifier: MIT
 *
 * crash_apply STATE_DIR PROFILE STEP|list [revert]: applies the plan of a profile to the machine that it runs on (or
 * reverts the newest transaction) and ends at a step:
 *
 *	list     to the end; a line "NUMBER NAME" for each step
 *	N        SIGKILL at step N
 *	N:wait   writes "N NAME" to /run/vm/marker and sleeps, for somebody to cut the power
 *
 * For throw-away virtual machines: without /run/vm/job it refuses. Exit code 0: it came to the end, 3: it could not.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "tune/txn.h"

#define JOB "/run/vm/job"
#define MARKER "/run/vm/marker"

struct cut {
	int at; /* -1: list */
	int here;
	bool wait;
};

static void write_marker(int number, const char *name)
{
	FILE *f = fopen(MARKER ".new", "we");

	if (!f || fprintf(f, "%d %s\n", number, name) < 0 || fclose(f) || rename(MARKER ".new", MARKER))
		perror(MARKER);
}

static void step(const char *name, void *arg)
{
	struct cut *cut = arg;

	if (cut->at < 0)
		printf("%d %s\n", cut->here, name);
	if (cut->here++ != cut->at)
		return;
	if (!cut->wait)
		kill(getpid(), SIGKILL);
	write_marker(cut->at, name);
	for (;;)
		pause();
}

static int plan_and_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
			const struct pit_txn_options *options, struct pit_error *err)
{
	pit_auto_strv struct pit_strv notes = {0};
	struct pit_txn *txn = NULL;
	int rc;

	if (!plan->changes)
		return pit_fail(err, ENODATA, "the plan is empty");
	rc = pit_txn_begin(state, place, plan, options, &txn, err);
	if (!rc)
		rc = pit_txn_run(txn, &notes, err);
	pit_txn_free(txn);
	for (size_t i = 0; i < notes.count; i++)
		fprintf(stderr, "note: %s\n", notes.item[i]);
	return rc;
}

static int apply(struct pit_tune_state *state, struct pit_place *place, const char *name,
		 const struct pit_txn_options *options, struct pit_error *err)
{
	struct pit_plan_options how = {.persist = true, .txn = pit_tune_state_next(state)};
	struct pit_profile profile = {0};
	struct pit_scene *scene = NULL;
	struct pit_plan plan = {0};
	int rc = pit_profile_load(name, &profile, err);

	if (!rc)
		rc = pit_scene_new(pit_place_root(place), &scene, err);
	if (!rc)
		rc = pit_plan_make(scene, &profile, &how, &plan, err);
	if (!rc)
		rc = plan_and_run(state, place, &plan, options, err);
	pit_plan_free(&plan);
	pit_scene_free(scene);
	pit_profile_free(&profile);
	return rc;
}

static int revert(struct pit_tune_state *state, struct pit_place *place, const struct pit_txn_options *options,
		  struct pit_error *err)
{
	struct pit_revert done = {0};
	int rc = pit_revert(state, place, pit_tune_state_next(state) - 1, PIT_REVERT_CAREFUL, options, &done, err);

	pit_revert_free(&done);
	return rc;
}

static int run(const char *dir, const char *profile, struct cut *cut, bool back, struct pit_error *err)
{
	const struct pit_txn_options options = {.kind = back ? NULL : "apply", .step = step, .step_arg = cut};
	pit_auto_tune_state struct pit_tune_state *state = NULL;
	pit_auto_place struct pit_place *place = NULL;
	int rc = pit_place_open(&place, err);

	if (!rc)
		rc = pit_tune_state_open(dir, true, &state, err);
	if (!rc)
		rc = pit_tune_state_lock(state, 10, err);
	if (rc)
		return rc;
	return back ? revert(state, place, &options, err) : apply(state, place, profile, &options, err);
}

int main(int argc, char **argv)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct cut cut = {.at = -1};
	bool back = argc == 5 && !strcmp(argv[4], "revert");

	if ((argc != 4 && !back) || access(JOB, F_OK)) {
		fprintf(stderr,
			"usage: crash_apply STATE_DIR PROFILE STEP|list [revert], in a virtual machine of tests/vm\n");
		return 64;
	}
	if (strcmp(argv[3], "list") != 0) {
		cut.at = atoi(argv[3]);
		cut.wait = strchr(argv[3], ':');
	}
	if (!run(argv[1], argv[2], &cut, back, &err))
		return 0;
	fprintf(stderr, "crash_apply: %s\n", err.text);
	return 3;
}
