/* SPDX-License-Identifier: MIT */
#include "cli/tune_trial.h"
#include "tune/bisect.h"

struct options {
	struct pit_tune_options tune;
	struct pit_trial_cli cli;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->tune;
		state->child_inputs[1] = &o->cli;
		break;
	case ARGP_KEY_END:
		if (o->tune.root)
			pit_cli_usage(state, "--root=%s: nothing can be tried on a recorded machine", o->tune.root);
		if ((size_t)o->cli.trial.rounds < pit_pairs_needed(o->cli.trial.confidence))
			pit_cli_usage(state, "--rounds=%d: %.4g %% confidence needs at least %zu", o->cli.trial.rounds,
				      o->cli.trial.confidence * 100, pit_pairs_needed(o->cli.trial.confidence));
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_tune_plan_argp}, {.argp = &pit_trial_argp}, {0}};

static const struct argp argp = {
	.parser = parse,
	.children = children,
	.args_doc = "-- COMMAND [ARG...]",
	.doc = "Find which setting of a profile makes a command worse: all of them against none, then parts of them. Every "
	       "value is put back, also when this program is killed. Jobs and daemons that the command leaves behind are killed "
	       "after each run.\v"
	       "Exit codes: 0 measured, whatever came of it, 3 could not, 64 usage, 128 + N ended by signal N.",
};

/* What a bisection holds. */
struct work {
	struct options *o;
	struct pit_place *place;
	struct pit_tune_state *state;
	struct pit_scene *scene;
	struct pit_profile profile;
	struct pit_plan plan;
	struct pit_bisect bisect;
};

static void work_free(struct work *w)
{
	pit_bisect_free(&w->bisect);
	pit_plan_free(&w->plan);
	pit_profile_free(&w->profile);
	pit_scene_free(w->scene);
	pit_tune_state_close(w->state);
	pit_place_close(w->place);
}

/* "3 of 12 settings: ratio 1.02 (0.99 to 1.04): no". */
static void tell(const struct pit_bisect *b, const struct pit_bisect_step *s, void *arg)
{
	size_t on = 0;
	char name[256];

	for (size_t i = 0; i < b->units; i++)
		on += s->on[i];
	fprintf(stderr, "step %zu: %zu of %zu settings, %zu pairs, ratio %.4f (%.4f to %.4f), hurts: %s\n", b->steps,
		on, b->units, s->pairs.count, s->pairs.ratio.median, s->pairs.ratio.low, s->pairs.ratio.high,
		pit_guilt_name(s->guilt));
	for (size_t i = 0; i < b->units && on < b->units; i++)
		if (s->on[i])
			fprintf(stderr, "    %s\n", pit_setting_name(b->unit[i], name, sizeof(name)));
}

static int print(const struct work *w)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, w->o->cli.colour, &out);
	int code = pit_trial_exit(&w->bisect.end);

	if (w->o->cli.json)
		return pit_trial_print_json(pit_bisect_json(&w->bisect, &w->plan, &w->o->cli.trial), code);
	pit_bisect_text(&w->bisect, &w->o->cli.trial, &page);
	return pit_cli_print(&out, code);
}

static int bisect(struct work *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_tune_check_profile(&w->o->tune, &err);

	if (!rc)
		rc = pit_trial_open(&w->o->cli, w->o->tune.state, &w->place, &w->state, &err);

	if (!rc)
		rc = pit_tune_make_plan(&w->o->tune, pit_place_now(w->place), pit_tune_state_next(w->state), false,
					&w->scene, &w->profile, &w->plan, &err);
	if (!rc)
		rc = pit_bisect_run(w->state, w->place, &w->plan, &w->o->cli.trial, tell, NULL, &w->bisect, &err);
	return rc ? pit_cli_fail(&err) : print(w);
}

static int run(int argc, char **argv)
{
	struct options o = {.tune = {.acts = true}, .cli = PIT_TRIAL_CLI_INIT};
	struct work w = {.o = &o};
	int code;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	code = bisect(&w);
	work_free(&w);
	return code;
}

const struct pit_cmd pit_tune_bisect = {
	.name = "bisect",
	.summary = "find which setting of a profile makes a command worse",
	.run = run,
};
