/* SPDX-License-Identifier: MIT */
#include "cli/tune_trial.h"

#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "tune/number.h"

enum { KEY_CONFIDENCE = 1024, KEY_LEAST, KEY_BETTER, KEY_WARMUP, KEY_COLOUR, KEY_WAIT };

static const struct argp_option argp_options[] = {
	{"rounds", 'n', "N", 0, "Pairs of runs, at least 3 (default 8); 6 are needed for 95 % confidence"},
	{"warmup", KEY_WARMUP, "N", 0, "Runs before the first pair that do not count (default 1)"},
	{"metric", 'm', "WHAT", 0,
	 "wall (default): the time it takes; or a regular expression: the number after it, or in its first group, in the "
	 "last line that matches"},
	{"better", KEY_BETTER, "WHICH", 0, "higher or lower: which number is better; needed with a regular expression"},
	{"confidence", KEY_CONFIDENCE, "C", 0, "Of the interval (default 0.95)"},
	{"least", KEY_LEAST, "PERCENT", 0, "A smaller effect counts as none (default 1)"},
	{"verbose", 'v', NULL, 0, "Show on stderr what the command prints"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always, never"},
	{"wait", KEY_WAIT, "SECONDS", 0, "How long to wait for another pitcrew that is at work (default 10)"},
	{0},
};

static double parse_number(struct argp_state *state, const char *option, const char *arg, double least, double most)
{
	double value;

	if (pit_parse_double(arg, &value) || !(value >= least && value <= most))
		pit_cli_usage(state, "--%s=%s is not a number from %g to %g", option, arg, least, most);
	return value;
}

static void hear(const char *bytes, size_t len, void *arg)
{
	(void)!write(STDERR_FILENO, bytes, len);
}

static void check(struct argp_state *state, struct pit_trial_cli *o)
{
	if (!o->trial.argv)
		pit_cli_usage(state, "give the command to measure, after '--'");
	if (o->trial.metric.pattern && !o->better)
		pit_cli_usage(state, "--metric=%s: say whether its number is better --better=higher or --better=lower",
			      o->trial.metric.pattern);
	if (!o->trial.metric.pattern && o->better && !strcmp(o->better, "higher"))
		pit_cli_usage(state, "--better=higher goes with --metric=REGEX: of the time, less is better");
	o->trial.metric.higher_is_better = o->better && !strcmp(o->better, "higher");
}

/* NULL: the time it takes. */
static const char *parse_metric(struct argp_state *state, const char *arg)
{
	struct pit_pattern *pattern = NULL;
	char why[128];

	if (!strcmp(arg, "wall"))
		return NULL;
	if (!*arg)
		pit_cli_usage(state, "--metric= is empty; give wall, or a regular expression");
	if (pit_pattern_new(arg, &pattern, why, sizeof(why)))
		pit_cli_usage(state, "--metric=%s is no regular expression: %s", arg, why);
	pit_pattern_free(pattern);
	return arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	static const char *const sides[] = {"higher", "lower", NULL};
	struct pit_trial_cli *o = state->input;

	switch (key) {
	case 'n':
		o->trial.rounds = pit_cli_number(state, "rounds", arg, PIT_TRIAL_PAIRS_LEAST, 10000);
		break;
	case KEY_WARMUP:
		o->trial.warmup = pit_cli_number(state, "warmup", arg, 0, 1000);
		break;
	case 'm':
		o->trial.metric.pattern = parse_metric(state, arg);
		break;
	case KEY_BETTER:
		o->better = sides[pit_cli_choice(state, "better", arg, sides)];
		break;
	case KEY_CONFIDENCE:
		o->trial.confidence = parse_number(state, "confidence", arg, 0.5, 0.999);
		break;
	case KEY_LEAST:
		o->trial.least = parse_number(state, "least", arg, 0, 1000) / 100;
		break;
	case 'v':
		o->trial.hear = hear;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case KEY_COLOUR:
		o->colour = pit_cli_colour(state, arg);
		break;
	case KEY_WAIT:
		o->wait = pit_cli_number(state, "wait", arg, 0, 86400);
		break;
	case ARGP_KEY_ARGS:
		o->trial.argv = (const char *const *)state->argv + state->next;
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		check(state, o);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_trial_argp = {.options = argp_options, .parser = parse};

int pit_trial_open(const struct pit_trial_cli *o, const char *state_dir, struct pit_place **ret_place,
		   struct pit_tune_state **ret_state, struct pit_error *err)
{
	int rc = pit_place_open(ret_place, err);

	if (!rc)
		rc = pit_tune_state_open(state_dir ? state_dir : PIT_STATE_DIR, true, ret_state, err);
	if (!rc)
		rc = pit_tune_state_lock(*ret_state, o->wait, err);
	return rc;
}

void pit_trial_tell(int pair, double without, double with, void *cli)
{
	const struct pit_trial_cli *o = cli;
	const char *unit = o->trial.metric.pattern ? "" : " s";

	if (pair)
		fprintf(stderr, "pair %d of %d: %.5g%s without, %.5g%s with\n", pair, o->trial.rounds, without, unit,
			with, unit);
	else
		fprintf(stderr, "warm-up: %.5g%s\n", without, unit);
}

int pit_trial_exit(const struct pit_trial *t)
{
	if (t->end == PIT_TRIAL_SIGNAL)
		return 128 + t->signal;
	return t->end == PIT_TRIAL_DONE && t->restored ? PIT_EXIT_OK : PIT_EXIT_CANNOT;
}

int pit_trial_print_json(json_t *json, int code)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	(void)pit_json_put(json, &out);
	return pit_cli_print(&out, code);
}
