/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "check/run.h"
#include "cli/tune.h"
#include "host/record.h"

struct options {
	struct pit_facts_options facts;
	const char *output;
	bool raw;
};

enum { KEY_RAW = 256, KEY_DATA, KEY_CHECKPOINT, KEY_PID };

static const struct argp_option argp_options[] = {
	{"output", 'o', "FILE", 0, "Where to write (default pitcrew-HOST-DATE.tar.zst here)"},
	{"raw", KEY_RAW, NULL, 0, "Keep addresses and what looks like secrets as they are"},
	{"data", KEY_DATA, "PATH", 0, "As for check"},
	{"checkpoint", KEY_CHECKPOINT, "PATH", 0, "As for check"},
	{"pid", KEY_PID, "PID", 0, "As for check"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		break;
	case KEY_RAW:
		o->raw = true;
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
	case ARGP_KEY_ARG:
		pit_cli_usage(state, "'%s': --output=FILE names the file", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Record everything that the checks and the plans of tune read into one tarball; 'pitcrew check --root FILE' "
	       "judges it anywhere.\v"
	       "Of the environment only the variables that checks know are recorded. Addresses and what looks like a "
	       "password, key or token are replaced unless --raw is given. Exit codes: 0 written, 3 could not, 64 usage.",
};

/* Runs all rows for both workloads, so that the root has asked for everything that either wants. */
static int ask_everything(struct pit_root *root, const struct options *o, struct pit_error *err)
{
	static const enum pit_workload workloads[] = {PIT_TRAINING, PIT_INFERENCE};
	struct pit_selection all = {0};

	for (size_t i = 0; i < PIT_COUNT(workloads); i++) {
		struct pit_facts_options options = o->facts;
		struct pit_report report = {0};
		struct pit_facts *facts = NULL;
		int rc;

		options.workload = workloads[i];
		rc = pit_facts_new(root, &options, &facts, err);
		if (!rc)
			rc = pit_check_run(facts, &all, NULL, &report, err);
		pit_report_free(&report);
		pit_facts_free(facts);
		if (rc)
			return rc;
	}
	return 0;
}

/* What the plan of a profile reads. That a profile cannot be read is no reason to do without a snapshot. */
static int ask_plan(struct pit_root *root, const char *name, struct pit_error *err)
{
	const struct pit_tune_options options = {.profile = name, .persist = true};
	struct pit_profile profile = {0};
	struct pit_scene *scene = NULL;
	struct pit_plan plan = {0};
	int rc = pit_tune_make_plan(&options, root, 0, false, &scene, &profile, &plan, err);

	if (rc)
		return rc == -ENOMEM ? rc : 0;
	pit_plan_free(&plan);
	pit_profile_free(&profile);
	pit_scene_free(scene);
	return 0;
}

/* Makes all plans, so that they can be made of the recording, too. */
static int ask_plans(struct pit_root *root, struct pit_error *err)
{
	pit_auto_strv struct pit_strv profiles = {0};
	int rc = pit_profile_list(&profiles) ? pit_fail(err, ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i + 1 < profiles.count && !rc; i += 2)
		rc = ask_plan(root, profiles.item[i], err);
	return rc;
}

static void default_name(char *out, size_t size)
{
	char host[65] = "host", date[32];
	time_t now = time(NULL);
	struct tm tm;

	gethostname(host, sizeof(host) - 1);
	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, size, "pitcrew-%s-%s.tar.zst", host, date);
}

static int run(int argc, char **argv)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_record_summary done;
	struct options o = {0};
	char name[160], size[32];

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	default_name(name, sizeof(name));
	if (!o.output)
		o.output = name;
	if (pit_root_open(NULL, &root, &err) || ask_everything(root, &o, &err) || ask_plans(root, &err) ||
	    pit_record(root, o.output, o.raw, &done, &err))
		return pit_cli_fail(&err);
	printf("%s: %zu answers (%s before compression), %zu things that were not there or not allowed%s\n", o.output,
	       done.files, pit_format_size(done.bytes, size, sizeof(size)), done.missing,
	       o.raw ? "; nothing redacted" : "");
	return PIT_EXIT_OK;
}

const struct pit_cmd pit_cmd_snapshot = {
	.name = "snapshot",
	.summary = "record what check and tune plan read into one tarball, for --root",
	.run = run,
};
