/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "cli/tune.h"
#include "report/text.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_SH, FORMAT_MARKDOWN };

struct options {
	struct pit_tune_options tune;
	const char *colour;
	int format;
	bool list, verbose;
};

enum { KEY_PERSIST = 256, KEY_RUNTIME, KEY_LIST, KEY_COLOUR };

static const struct argp_option argp_options[] = {
	{"runtime", KEY_RUNTIME, NULL, 0, "Values of the running kernel, gone at the next boot (default)"},
	{"persist", KEY_PERSIST, NULL, 0, "Also the files that make it last"},
	{"verbose", 'v', NULL, 0, "All that is left out with its reason, all cells, all lines of files"},
	{"format", 'f', "FORM", 0, "text (default), json, sh; with --list also markdown"},
	{"list", KEY_LIST, NULL, 0, "List the profiles and all knobs instead"},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always, never"},
	{0},
};

static const char *const formats[] = {"text", "json", "sh", "markdown", NULL};
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
	case 'f':
		o->format = pit_cli_choice(state, "format", arg, formats);
		break;
	case KEY_LIST:
		o->list = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case KEY_COLOUR:
		o->colour = pit_cli_colour(state, arg);
		break;
	case ARGP_KEY_ARG:
		pit_cli_usage(state, "'%s': plan takes no such word; --profile=%s chooses a profile", arg, arg);
		break;
	case ARGP_KEY_END:
		if (o->tune.persist && o->tune.runtime)
			pit_cli_usage(state, "--persist writes files, --runtime none: choose one");
		if (o->format == FORMAT_MARKDOWN && !o->list)
			pit_cli_usage(state, "--format=markdown goes with --list");
		if (o->format == FORMAT_SH && o->list)
			pit_cli_usage(state, "--format=sh does not go with --list");
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
	.doc = "Show what a profile would change on this machine, or on a recorded one: old and new value, who set the "
	       "old one, why, and what stands against it. Changes nothing; needs no root.\v"
	       "Exit codes: 0 nothing to change, 1 something, 3 could not, 64 usage.",
};

static json_t *profiles_array(const struct pit_strv *profiles)
{
	json_t *array = json_array();

	for (size_t i = 0; i + 1 < profiles->count; i += 2)
		json_array_append_new(array, json_pack("{s:o, s:o}", "name", pit_json_text(profiles->item[i]),
						       "summary", pit_json_text(profiles->item[i + 1])));
	return array;
}

static void list_json(const struct pit_strv *profiles, struct pit_buf *out)
{
	json_t *knobs = json_array();

	PIT_KNOB_FOREACH (knob)
		json_array_append_new(
			knobs, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", knob->id, "title", knob->title,
					 "values", pit_json_text(knob->values), "blast", pit_json_text(knob->blast),
					 "checks", pit_json_text(knob->checks), "source", pit_json_text(knob->source)));
	(void)pit_json_put(
		json_pack("{s:i, s:o, s:o}", "schema", 1, "profiles", profiles_array(profiles), "knobs", knobs), out);
}

static void put_row(const struct pit_page *page, const char *name, const char *text)
{
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT;

	pit_buf_printf(&head, "  %-34s ", name);
	pit_page_wrap(page, 37, head.data, text);
}

static void list_text(const struct pit_strv *profiles, const struct pit_page *page)
{
	pit_page_colour(page, PIT_BOLD, "PROFILES\n\n");
	for (size_t i = 0; i + 1 < profiles->count; i += 2)
		put_row(page, profiles->item[i], profiles->item[i + 1]);
	pit_page_colour(page, PIT_BOLD, "\nKNOBS\n\n");
	PIT_KNOB_FOREACH (knob) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		pit_buf_puts(&text, knob->title);
		if (knob->values)
			pit_buf_printf(&text, " (%s)", knob->values);
		put_row(page, knob->id, text.data);
	}
}

static int list_knobs(const struct options *o)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv profiles = {0};
	struct pit_page page = pit_page_for(STDOUT_FILENO, o->colour, &out);

	out.failed |= pit_profile_list(&profiles) != 0;
	if (o->format == FORMAT_JSON)
		list_json(&profiles, &out);
	else if (o->format == FORMAT_MARKDOWN)
		pit_knobs_markdown(&out);
	else
		list_text(&profiles, &page);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

/* The number that the transaction would get; 0 when there would be none, or that is not for us to see. */
static int next_txn(const struct options *o)
{
	struct pit_tune_state *state = NULL;
	int rc, next;

	if (o->tune.root || o->format == FORMAT_SH)
		return 0;
	rc = pit_tune_state_open(o->tune.state ? o->tune.state : PIT_STATE_DIR, false, &state, NULL);
	if (rc)
		return rc == -ENOENT ? 1 : 0;
	next = pit_tune_state_next(state);
	pit_tune_state_close(state);
	return next > 0 ? next : 0;
}

static void put_option(struct pit_buf *out, const char *option, const char *value)
{
	if (!value)
		return;
	pit_buf_printf(out, " --%s ", option);
	pit_shell_quote(value, out);
}

/* What to type next. */
static char *next_command(const struct pit_tune_options *o, bool empty)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	if (empty)
		return pit_buf_take(&out);
	pit_buf_printf(&out, "To do it: pitcrew tune %s", o->root ? "plan --format sh" : "apply");
	put_option(&out, "root", o->root);
	put_option(&out, "profile", o->profile);
	put_option(&out, "only", o->only);
	put_option(&out, "skip", o->skip);
	if (o->persist)
		pit_buf_puts(&out, " --persist");
	if (o->root)
		pit_buf_puts(&out, " > FILE, and run FILE there");
	return pit_buf_take(&out);
}

static int print_plan(const struct options *o, const struct pit_plan *plan, struct pit_scene *scene)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, o->colour, &out);
	bool empty = pit_plan_is_empty(plan);
	pit_auto_free char *next = next_command(&o->tune, empty);

	if (o->format == FORMAT_JSON)
		out.failed |= pit_plan_json(plan, &out) != 0;
	else if (o->format == FORMAT_SH)
		pit_plan_shell(plan, &out);
	else
		pit_tune_put_plan(plan, scene, false, o->verbose, next ? next : "", &page);
	return pit_cli_print(&out, empty ? PIT_EXIT_OK : PIT_EXIT_WARN);
}

static int make_and_print(const struct options *o)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_scene *scene = NULL;
	struct pit_profile profile = {0};
	struct pit_plan plan = {0};
	int code;

	if (pit_root_open(o->tune.root, &root, &err) || pit_cli_check_root(root, &err) ||
	    pit_tune_make_plan(&o->tune, root, next_txn(o), true, &scene, &profile, &plan, &err))
		return pit_cli_fail(&err);
	code = print_plan(o, &plan, scene);
	pit_plan_free(&plan);
	pit_profile_free(&profile);
	pit_scene_free(scene);
	return code;
}

static int run(int argc, char **argv)
{
	struct options o = {.colour = "auto"};

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	return o.list ? list_knobs(&o) : make_and_print(&o);
}

const struct pit_cmd pit_tune_plan = {
	.name = "plan",
	.summary = "show what a profile would change, and why; changes nothing",
	.run = run,
};
