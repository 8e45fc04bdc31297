/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>
#include <time.h>

#include "check/run.h"
#include "cli/cmd.h"
#include "report/text.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT, FORMAT_MARKDOWN };

struct options {
	const char *root;
	struct pit_facts_options facts;
	struct pit_selection selection;
	const char *waive;
	const char *colour;
	int format;
	int deadline_ms;
	bool list, verbose;
	struct pit_error err; /* of a list that names no row */
};

enum { KEY_ROOT = 256, KEY_DATA, KEY_CHECKPOINT, KEY_PID, KEY_WAIVE, KEY_LIST, KEY_COLOUR, KEY_SAMPLE, KEY_DEADLINE };

static const struct argp_option argp_options[] = {
	{"root", KEY_ROOT, "PATH", 0, "Judge a recorded machine: a directory or a tarball"},
	{"workload", 'w', "KIND", 0, "training (default) or inference"},
	{"only", 'o', "LIST", 0, "Only these: ids, areas or patterns (memory, 'gpu.*'), comma-separated"},
	{"skip", 's', "LIST", 0, "Leave these out"},
	{"data", KEY_DATA, "PATH", 0, "Where the training data lie"},
	{"checkpoint", KEY_CHECKPOINT, "PATH", 0, "Where checkpoints are written"},
	{"pid", KEY_PID, "PID", 0, "Judge the environment of this process instead of the shell's"},
	{"waive", KEY_WAIVE, "FILE", 0, "Findings to live with: lines 'ID YYYY-MM-DD REASON'"},
	{"verbose", 'v', NULL, 0, "Show what passed and what was skipped, and why each matters"},
	{"format", 'f', "FORM", 0, "text (default), json, junit; with --list also markdown"},
	{"list", KEY_LIST, NULL, 0, "List the checks instead of running them"},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always, never"},
	{"sample", KEY_SAMPLE, "MS", 0, "Least time between two readings of a counter (default 30)"},
	{"deadline", KEY_DEADLINE, "MS", 0, "Longest wait for one read that may hang (default 300)"},
	{0},
};

static const char *const formats[] = {"text", "json", "junit", "markdown", NULL};
static const char *const workloads[] = {"training", "inference", NULL};
static void add_words(struct argp_state *state, struct options *o, struct pit_strv *words, const char *arg)
{
	if (pit_selection_add(words, arg, &o->err))
		pit_cli_usage(state, "%s", o->err.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_ROOT:
		o->root = arg;
		break;
	case 'w':
		o->facts.workload = pit_cli_choice(state, "workload", arg, workloads) ? PIT_INFERENCE : PIT_TRAINING;
		break;
	case 'o':
		add_words(state, o, &o->selection.only, arg);
		break;
	case 's':
		add_words(state, o, &o->selection.skip, arg);
		break;
	case KEY_DATA:
		o->facts.data = pit_cli_absolute(state, "data", arg);
		break;
	case KEY_CHECKPOINT:
		o->facts.checkpoint = pit_cli_absolute(state, "checkpoint", arg);
		break;
	case KEY_PID:
		o->facts.pid = pit_cli_number(state, "pid", arg, 1, INT_MAX);
		break;
	case KEY_WAIVE:
		o->waive = arg;
		break;
	case 'v':
		o->verbose = true;
		break;
	case 'f':
		o->format = pit_cli_choice(state, "format", arg, formats);
		break;
	case KEY_LIST:
		o->list = true;
		break;
	case KEY_COLOUR:
		o->colour = pit_cli_colour(state, arg);
		break;
	case KEY_SAMPLE:
		o->facts.sample_ms = pit_cli_number(state, "sample", arg, 1, 60000);
		break;
	case KEY_DEADLINE:
		o->deadline_ms = pit_cli_number(state, "deadline", arg, 1, 60000);
		break;
	case ARGP_KEY_ARG:
		pit_cli_usage(state, "'%s': check takes no such word; --only=%s chooses checks", arg, arg);
		break;
	case ARGP_KEY_END:
		if (o->format == FORMAT_MARKDOWN && !o->list)
			pit_cli_usage(state, "--format=markdown goes with --list");
		if (o->format == FORMAT_JUNIT && o->list)
			pit_cli_usage(state, "--format=junit does not go with --list");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Judge this machine, or a recorded one, as a host of AI training or inference.\v"
	       "Exit codes: 0 clean, 1 warnings, 2 failures, 3 could not do the job, 64 usage.",
};

static int list_catalog(const struct options *o)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, o->colour, &out);

	if (o->format == FORMAT_JSON)
		(void)pit_catalog_json(&o->selection, &out);
	else if (o->format == FORMAT_MARKDOWN)
		pit_catalog_markdown(&out);
	else
		pit_catalog_text(&o->selection, &page);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

/* A file that the user names, whole. */
static int read_user_file(const char *path, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_fclose FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;

	if (!f)
		return pit_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) && out->len < 1 << 20)
		pit_buf_add(out, chunk, n);
	if (ferror(f))
		return pit_fail(err, EIO, "cannot read %s", path);
	return out->failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int load_waivers(const char *path, struct pit_waivers *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	time_t now = time(NULL);
	struct tm tm;
	char today[16];
	int rc;

	if (!path)
		return 0;
	rc = read_user_file(path, &text, err);
	if (rc)
		return rc;
	localtime_r(&now, &tm);
	strftime(today, sizeof(today), "%Y-%m-%d", &tm);
	return pit_wrap(err, pit_waivers_parse(text.data, today, ret, err), "%s", path);
}

/* Clean is only what was looked at: when nothing could be judged and something was refused, the job was not done. */
static int exit_code(const struct pit_report *r)
{
	if (r->fail)
		return PIT_EXIT_FAIL;
	if (r->warn)
		return PIT_EXIT_WARN;
	return !r->pass && !r->waived && pit_report_unseen(r) ? PIT_EXIT_CANNOT : PIT_EXIT_OK;
}

static int print_report(const struct options *o, const struct pit_report *r)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, o->colour, &out);
	int code = exit_code(r);

	if (o->format == FORMAT_JSON)
		out.failed |= pit_report_json(r, &out) != 0;
	else if (o->format == FORMAT_JUNIT)
		pit_report_junit(r, &out);
	else
		pit_report_text(r, o->verbose, &page);
	return pit_cli_print(&out, code);
}

static bool lacks(struct pit_root *root, const char *path)
{
	struct pit_stat st;
	int rc = path ? pit_root_stat(root, &st, "%s", path) : 0;

	return rc == -ENOENT || rc == -ENOTDIR;
}

/* What does not exist has no findings, and no findings would look like a clean machine. */
static int check_subject(struct pit_root *root, const struct pit_facts_options *o, struct pit_error *err)
{
	char proc[32];

	if (!pit_root_is_live(root))
		return pit_cli_check_root(root, err);
	snprintf(proc, sizeof(proc), "/proc/%d", o->pid);
	if (o->pid && lacks(root, proc))
		return pit_fail(err, ESRCH, "--pid=%d: there is no such process", o->pid);
	if (lacks(root, o->data))
		return pit_fail(err, ENOENT, "--data=%s: it does not exist", o->data);
	if (lacks(root, o->checkpoint))
		return pit_fail(err, ENOENT, "--checkpoint=%s: it does not exist", o->checkpoint);
	return 0;
}

static int judge(const struct options *o, const struct pit_waivers *waivers)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_facts *facts = NULL;
	struct pit_report report = {0};
	int code;

	if (pit_root_open(o->root, &root, &err))
		return pit_cli_fail(&err);
	if (o->deadline_ms)
		pit_root_set_deadline(root, o->deadline_ms);
	if (check_subject(root, &o->facts, &err) || pit_facts_new(root, &o->facts, &facts, &err))
		return pit_cli_fail(&err);
	if (pit_check_run(facts, &o->selection, waivers, &report, &err))
		code = pit_cli_fail(&err);
	else
		code = print_report(o, &report);
	pit_report_free(&report);
	pit_facts_free(facts);
	return code;
}

static int run(int argc, char **argv)
{
	struct options o = {.colour = "auto", .facts.workload = PIT_TRAINING};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_waivers waivers = {0};
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.list)
		code = list_catalog(&o);
	else if (load_waivers(o.waive, &waivers, &err))
		code = pit_cli_fail(&err);
	else
		code = judge(&o, &waivers);
	pit_waivers_free(&waivers);
	pit_strv_free(&o.selection.only);
	pit_strv_free(&o.selection.skip);
	return code;
}

const struct pit_cmd pit_cmd_check = {
	.name = "check",
	.summary = "judge this machine or a recorded one, most harmful first, with the fix",
	.run = run,
};
