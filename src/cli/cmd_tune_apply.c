/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/tune.h"
#include "report/text.h"
#include "tune/txn.h"

struct options {
	struct pit_tune_options tune;
	const char *colour;
	int wait;
	bool yes, verbose;
};

enum { KEY_PERSIST = 256, KEY_RUNTIME, KEY_WAIT, KEY_COLOUR };

static const struct argp_option argp_options[] = {
	{"runtime", KEY_RUNTIME, NULL, 0, "Values of the running kernel, gone at the next boot (default)"},
	{"persist", KEY_PERSIST, NULL, 0, "Also write the files that make it last"},
	{"yes", 'y', NULL, 0, "Do not ask"},
	{"verbose", 'v', NULL, 0, "All that is left out with its reason, all cells, all lines of files"},
	{"wait", KEY_WAIT, "SECONDS", 0, "How long to wait for another pitcrew that is at work (default 10)"},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always, never"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->tune;
		break;
	case KEY_RUNTIME:
	case KEY_PERSIST:
		o->tune.persist |= key == KEY_PERSIST;
		o->tune.runtime |= key == KEY_RUNTIME;
		break;
	case 'y':
		o->yes = true;
		break;
	case KEY_WAIT:
		o->wait = pit_cli_number(state, "wait", arg, 0, 86400);
		break;
	case 'v':
		o->verbose = true;
		break;
	case KEY_COLOUR:
		o->colour = pit_cli_colour(state, arg);
		break;
	case ARGP_KEY_ARG:
		pit_cli_usage(state, "'%s': apply takes no such word; --profile=%s chooses a profile", arg, arg);
		break;
	case ARGP_KEY_END:
		if (o->tune.persist && o->tune.runtime)
			pit_cli_usage(state, "--persist writes files, --runtime none: choose one");
		if (o->tune.root)
			pit_cli_usage(state, "--root=%s: a recorded machine cannot be changed", o->tune.root);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_tune_plan_argp}, {0}};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.children = children,
	.doc = "Show the plan, ask, and change the machine in one transaction: all of it, or nothing. The old values "
	       "are journalled first; 'pitcrew tune revert' puts them back.\v"
	       "Exit codes: 0 done or nothing to do, 1 you said no, 3 could not (all is as before unless it is said "
	       "otherwise), 64 usage.",
};

/* What an apply holds, from the first look to the last word. */
struct work {
	const struct options *o;
	struct pit_place *place;
	struct pit_tune_state *state;
	struct pit_scene *scene;
	struct pit_profile profile;
	struct pit_plan plan;
};

static void work_free(struct work *w)
{
	pit_plan_free(&w->plan);
	pit_profile_free(&w->profile);
	pit_scene_free(w->scene);
	pit_tune_state_close(w->state);
	pit_place_close(w->place);
}

/* The lock comes before the look: what is planned is what will be found. */
static int prepare(struct work *w, struct pit_error *err)
{
	const struct pit_tune_options *t = &w->o->tune;
	const char *dir = t->state ? t->state : PIT_STATE_DIR;
	int txn, rc = pit_tune_check_profile(t, err);

	if (rc)
		return rc;
	rc = pit_place_open(&w->place, err);
	if (rc == -EPERM)
		return pit_fail(err, EPERM,
				"only root can change this machine; 'pitcrew tune plan' shows without root what would "
				"be changed");
	rc = rc ? rc : pit_tune_state_open(dir, true, &w->state, err);
	rc = rc ? rc : pit_tune_state_lock(w->state, w->o->wait, err);
	if (rc)
		return rc;
	txn = pit_tune_state_next(w->state);
	if (txn < 0)
		return pit_fail(err, -txn, "cannot read %s: %s", dir, strerror(-txn));
	return pit_tune_make_plan(t, pit_place_now(w->place), txn, true, &w->scene, &w->profile, &w->plan, err);
}

static int show(const struct work *w)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, w->o->colour, &out);

	pit_tune_put_plan(&w->plan, w->scene, true, w->o->verbose, "", &page);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

/* 0 go on, else the exit code. */
static int ask(const struct work *w)
{
	char *line = NULL;
	size_t size = 0;
	bool yes;

	if (w->o->yes)
		return 0;
	if (!isatty(STDIN_FILENO)) {
		fputs("pitcrew tune apply: nothing was changed: there is no terminal to ask on; --yes goes on without "
		      "asking\n",
		      stderr);
		return PIT_EXIT_USAGE;
	}
	fputs("Apply these changes? [y/N] ", stdout);
	fflush(stdout);
	yes = getline(&line, &size, stdin) > 0 && (!strcmp(line, "y\n") || !strcmp(line, "yes\n"));
	free(line);
	if (!yes)
		puts("Nothing was changed.");
	return yes ? 0 : PIT_EXIT_WARN;
}

static int tell(const struct work *w, const struct pit_strv *notes)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT, line = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, w->o->colour, &out);
	struct pit_plan_counts n;

	pit_plan_counts(&w->plan, &n);
	pit_buf_printf(&line, "Transaction %d: %zu value%s and %zu file%s changed. To undo it: pitcrew tune revert %d",
		       w->plan.txn, n.values, n.values == 1 ? "" : "s", n.files, n.files == 1 ? "" : "s", w->plan.txn);
	pit_page_wrap(&page, 0, NULL, line.data);
	for (size_t i = 0; i < notes->count; i++)
		pit_page_wrap(&page, 4, "  - ", notes->item[i]);
	for (size_t i = 0; i < w->plan.restarts.count; i++)
		pit_page_wrap(&page, 4, "  - ", w->plan.restarts.item[i]);
	if (w->plan.needs_reboot)
		pit_page_wrap(&page, 4, "  - ", "some of it counts from the next boot on");
	return pit_cli_print(&out, PIT_EXIT_OK);
}

static int change(const struct work *w)
{
	const struct pit_txn_options options = {.kind = "apply"};
	pit_auto_strv struct pit_strv notes = {0};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_txn *txn = NULL;
	int rc = pit_txn_begin(w->state, w->place, &w->plan, &options, &txn, &err);

	rc = rc ? rc : pit_txn_run(txn, &notes, &err);
	pit_txn_free(txn);
	return rc ? pit_tune_fail(&err, &notes) : tell(w, &notes);
}

static int apply(struct work *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	int code;

	if (prepare(w, &err))
		return pit_cli_fail(&err);
	code = show(w);
	if (code || pit_plan_is_empty(&w->plan))
		return code;
	code = ask(w);
	return code ? code : change(w);
}

static int run(int argc, char **argv)
{
	struct options o = {.tune = {.acts = true}, .colour = "auto", .wait = 10};
	struct work w = {.o = &o};
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = apply(&w);
	work_free(&w);
	return code;
}

const struct pit_cmd pit_tune_apply = {
	.name = "apply",
	.summary = "change the machine in one transaction, journalled and read back",
	.run = run,
};
