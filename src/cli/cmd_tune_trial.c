/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/tune_trial.h"

struct options {
	struct pit_trial_cli cli;
	struct pit_strv knobs;
	struct pit_profile given; /* those of them that have a value */
	const char *profile, *state;
	bool keep;
};

enum { KEY_KEEP = 256, KEY_STATE };

static const struct argp_option argp_options[] = {
	{"knob", 'k', "ID[:WHICH][=VALUE]", 0,
	 "What to try; more than one are tried together. Without VALUE the profile's"},
	{"profile", 'p', "PROFILE", 0, "Where values come from (default training)"},
	{"keep", KEY_KEEP, NULL, 0, "Apply it when it is better"},
	{"state", KEY_STATE, "DIR", 0, "Where the journals are kept (default " PIT_STATE_DIR ")"},
	{0},
};

static void check_id(struct argp_state *state, const char *word)
{
	pit_auto_free char *id = strndup(word, strcspn(word, ":"));
	struct pit_error err = PIT_ERROR_INIT;

	if (!id || (!pit_knob_find(id) && pit_profile_no_knob(id, &err)))
		pit_cli_usage(state, "--knob=%s: %s", word, id ? err.text : "out of memory");
	if (word[strlen(id)] && !word[strlen(id) + 1])
		pit_cli_usage(state, "--knob=%s: nothing stands behind the ':'", word);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Words are checked before anything is looked at. Of two values for one thing neither can be meant. */
static void add_knob(struct argp_state *state, const char *word, struct options *o)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile one = {0};
	int rc;

	if (strchr(word, '=')) {
		if (pit_profile_add_knob(&one, word, NULL, &err))
			pit_cli_usage(state, "--knob=%s: %s", word, err.text);
		for (size_t i = 0; i < o->given.settings; i++) {
			const struct pit_setting *s = &o->given.setting[i];

			if (s->knob == one.setting[0].knob && is_same(s->which, one.setting[0].which) &&
			    strcmp(s->value, one.setting[0].value) != 0)
				pit_cli_usage(state, "--knob=%s: it has another value already, %s: choose one", word,
					      s->value);
		}
	} else {
		check_id(state, word);
	}
	rc = one.settings ? pit_profile_merge(&o->given, &one) : 0;
	if (rc || pit_strv_add(&o->knobs, word))
		pit_cli_usage(state, "out of memory");
	pit_profile_free(&one);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->cli;
		break;
	case 'k':
		add_knob(state, arg, o);
		break;
	case 'p':
		o->profile = pit_tune_profile_name(state, arg);
		break;
	case KEY_KEEP:
		o->keep = true;
		break;
	case KEY_STATE:
		o->state = pit_cli_absolute(state, "state", arg);
		break;
	case ARGP_KEY_END:
		if (!o->knobs.count)
			pit_cli_usage(state,
				      "give at least one --knob=ID[=VALUE]; 'pitcrew tune plan --list' has them all");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_trial_argp}, {0}};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.children = children,
	.args_doc = "-- COMMAND [ARG...]",
	.doc = "Run a command with and without a change, in turns, and tell what the change does to it. Every value is put "
	       "back, also when this program is killed. Jobs and daemons that the command leaves behind are killed after each "
	       "run: do not start services by it.\v"
	       "Exit codes: 0 measured, whatever came of it, 3 could not, 64 usage, 128 + N ended by signal N.",
};

/* What a trial holds. */
struct work {
	struct options *o;
	struct pit_place *place;
	struct pit_tune_state *state;
	struct pit_scene *scene;
	struct pit_profile profile;
	struct pit_plan plan;
	struct pit_trial trial;
	int kept; /* number of the transaction; 0 none */
	struct pit_strv notes;
};

static void work_free(struct work *w)
{
	pit_strv_free(&w->notes);
	pit_trial_free(&w->trial);
	pit_plan_free(&w->plan);
	pit_profile_free(&w->profile);
	pit_scene_free(w->scene);
	pit_tune_state_close(w->state);
	pit_place_close(w->place);
}

static int add_knobs(struct work *w, struct pit_error *err)
{
	const struct pit_strv *words = &w->o->knobs;
	struct pit_profile values = {0};
	int rc = 0;

	w->profile.name = strdup("trial");
	for (size_t i = 0; !rc && i < words->count; i++) {
		if (!values.name && !strchr(words->item[i], '=')) {
			rc = pit_profile_load(w->o->profile ? w->o->profile : "training", &values, err);
			rc = rc ? rc : pit_profile_trust(&values, err);
		}
		if (!rc)
			rc = pit_profile_add_knob(&w->profile, words->item[i], &values, err);
	}
	pit_profile_free(&values);
	return rc;
}

/* Why there is nothing to try. */
static int explain_nothing(const struct pit_plan *p, struct pit_error *err)
{
	const struct pit_left_out *l = p->left_out ? &p->left[0] : NULL;
	pit_auto_buf struct pit_buf subject = PIT_BUF_INIT;
	bool right = l && l->why == PIT_LEFT_RIGHT && *l->object; /* then the text is the value */

	if (!l)
		return pit_fail(err, ENOENT, "there is nothing to try: nothing would change");
	pit_left_out_subject(l, &subject);
	if (subject.failed)
		return pit_fail(err, ENOMEM, "out of memory");
	return pit_fail(err, ENOENT, "there is nothing to try: %s%s%s%s", subject.data, right ? " is " : ": ", l->text,
			right ? " already" : "");
}

static int prepare(struct work *w, struct pit_error *err)
{
	struct pit_plan_options options = {.persist = false};
	int rc = add_knobs(w, err);

	if (!rc)
		rc = pit_trial_open(&w->o->cli, w->o->state, &w->place, &w->state, err);
	if (!rc)
		rc = pit_scene_new(pit_place_now(w->place), &w->scene, err);
	if (rc)
		return rc;
	options.txn = pit_tune_state_next(w->state);
	rc = pit_plan_make(w->scene, &w->profile, &options, &w->plan, err);
	return rc || w->plan.changes ? rc : explain_nothing(&w->plan, err);
}

/* How to have it: by name where it is the profile's, else by a file. */
static void tell_how_to_keep(const struct work *w, const struct pit_page *page)
{
	const char *profile = w->o->profile ? w->o->profile : "training";
	pit_auto_buf struct pit_buf ids = PIT_BUF_INIT, file = PIT_BUF_INIT;
	bool named = true;

	for (size_t i = 0; i < w->profile.settings; i++) {
		const struct pit_setting *s = &w->profile.setting[i];

		named &= !s->which && s->where && strcmp(s->where, "--knob") != 0;
		pit_buf_printf(&ids, "%s%s", i ? "," : "", s->knob->id);
		pit_buf_printf(&file, "    [%s%s%s]\n    value = %s\n", s->knob->id, s->which ? " " : "",
			       s->which ? s->which : "", s->value);
	}
	if (named)
		pit_buf_printf(page->out, "To have it: pitcrew tune apply --profile %s --only %s\n", profile, ids.data);
	else
		pit_buf_printf(
			page->out,
			"To have it: pitcrew tune apply --profile ./FILE.ini with these lines in the file, or the "
			"same trial with --keep\n%s",
			file.data);
}

static void tell_kept(const struct work *w, const struct pit_page *page)
{
	bool better = w->trial.pairs.judged && w->trial.pairs.effect == PIT_EFFECT_BETTER;
	bool unsure = w->trial.pairs.judged && w->trial.pairs.effect == PIT_EFFECT_UNSURE;

	if (w->kept) {
		pit_buf_printf(page->out, "Kept as transaction %d. To undo it: pitcrew tune revert %d\n", w->kept,
			       w->kept);
		for (size_t i = 0; i < w->notes.count; i++)
			pit_page_wrap(page, 4, "  - ", w->notes.item[i]);
	} else if (w->o->keep) {
		pit_buf_printf(page->out, "Not kept: %s\n",
			       better   ? "it is better, but the trial ended early"
			       : unsure ? "there are not enough pairs to tell"
					: "it was not shown to be better");
	} else if (better && w->trial.end == PIT_TRIAL_DONE) {
		tell_how_to_keep(w, page);
	}
}

static int print(const struct work *w, int code)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, w->o->cli.colour, &out);
	json_t *json;

	if (!w->o->cli.json) {
		pit_trial_text(&w->trial, &w->plan, &w->o->cli.trial, &page);
		tell_kept(w, &page);
		return pit_cli_print(&out, code);
	}
	json = pit_trial_json(&w->trial, &w->plan, &w->o->cli.trial);
	json_object_set_new(json, "kept", w->kept ? json_integer(w->kept) : json_null());
	return pit_trial_print_json(json, code);
}

static int try(struct work *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	int code, printed;

	if (prepare(w, &err) || pit_trial_run(w->state, w->place, &w->plan, &w->o->cli.trial, &w->trial, &err))
		return pit_cli_fail(&err);
	code = pit_trial_exit(&w->trial);
	if (w->o->keep && pit_trial_is_proven(&w->trial) &&
	    pit_trial_keep(w->state, w->place, &w->plan, &w->kept, &w->notes, &err))
		code = PIT_EXIT_CANNOT;
	printed = print(w, code);
	return err.code ? pit_tune_fail(&err, &w->notes) : printed;
}

static int run(int argc, char **argv)
{
	struct options o = {.cli = PIT_TRIAL_CLI_INIT};
	struct work w = {.o = &o};
	int code;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	o.cli.trial.tell = pit_trial_tell;
	o.cli.trial.tell_arg = &o.cli;
	code = try(&w);
	work_free(&w);
	pit_strv_free(&o.knobs);
	pit_profile_free(&o.given);
	return code;
}

const struct pit_cmd pit_tune_trial = {
	.name = "trial",
	.summary = "measure what a change does to a command, by running it with and without",
	.run = run,
};
