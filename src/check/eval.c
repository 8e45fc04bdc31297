/* SPDX-License-Identifier: MIT
 *
 * One row on one machine: where it applies, the data rows' comparison, and what a failed read becomes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "check/facts.h"
#include "host/sysctl_origin.h"

#define VALUE_MAX 256

static bool applies(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out)
{
	const char *reason = NULL;

	if (row->workloads && !(row->workloads & pit_facts_options(facts)->workload)) {
		pit_skip(out, "only for %s", row->workloads == PIT_TRAINING ? "training" : "inference");
		return false;
	}
	for (unsigned bit = 1; bit <= row->needs; bit <<= 1) {
		if ((row->needs & bit) && !pit_need_is_met(facts, bit, &reason)) {
			pit_skip(out, "%s", reason);
			return false;
		}
	}
	return true;
}

/* Compares one word of each: -1, 0, 1 as numbers when both are, else 0 for the same text and 2 for another. */
static int compare_words(const char *value, const char *want)
{
	double a, b;

	if (!pit_parse_double(value, &a) && !pit_parse_double(want, &b))
		return (a > b) - (a < b);
	return strcmp(value, want) ? 2 : 0;
}

static bool is_one_of(const char *value, const char *words)
{
	pit_auto_strv struct pit_strv v = {0};

	pit_strv_split(&v, words, " ");
	for (size_t i = 0; i < v.count; i++)
		if (!compare_words(value, v.item[i]))
			return true;
	return false;
}

/* Word by word; -EBADMSG when the value has fewer words than `want`, or no number where one must be. */
static int compare_all(enum pit_op op, const char *value, const char *want)
{
	pit_auto_strv struct pit_strv have = {0}, need = {0};
	bool range = op == PIT_OP_RANGE;

	if (pit_strv_split(&have, value, " \t") || pit_strv_split(&need, want, " "))
		return -ENOMEM;
	if (have.count < (range ? 1 : need.count))
		return -EBADMSG;
	for (size_t i = 0; i < need.count; i++) {
		int c = compare_words(have.item[range ? 0 : i], need.item[i]);
		enum pit_op one = range ? (i ? PIT_OP_LE : PIT_OP_GE) : op;

		if (c == 2 && one != PIT_OP_EQ)
			return -EBADMSG;
		if ((one == PIT_OP_EQ && c) || (one == PIT_OP_LE && c > 0) || (one == PIT_OP_GE && c < 0))
			return 0;
	}
	return 1;
}

/* 1 satisfied, 0 not, -errno when the value makes no sense. */
static int satisfied(const struct pit_check *row, const char *value, const char *want)
{
	switch (row->op) {
	case PIT_OP_ONE_OF:
	case PIT_OP_CHOICE:
		return is_one_of(value, want);
	case PIT_OP_NE:
		return !is_one_of(value, want);
	default:
		return compare_all(row->op, value, want);
	}
}

static void describe_want(const struct pit_check *row, const char *want, struct pit_finding *out)
{
	const char *unit = row->unit ? row->unit : "", *blank = row->unit ? " " : "";
	const char *second = strchr(want, ' ');

	switch (row->op) {
	case PIT_OP_LE:
		pit_want(out, "at most %s%s%s", want, blank, unit);
		break;
	case PIT_OP_GE:
		pit_want(out, "at least %s%s%s", want, blank, unit);
		break;
	case PIT_OP_RANGE:
		pit_want(out, "%.*s to %s%s%s", second ? (int)(second - want) : 0, want, second ? second + 1 : want,
			 blank, unit);
		break;
	case PIT_OP_NE:
		pit_want(out, "not %s", want);
		break;
	case PIT_OP_ONE_OF:
	case PIT_OP_CHOICE:
		pit_want(out, second ? "one of: %s" : "%s", want);
		break;
	default:
		pit_want(out, "%s%s%s", want, blank, unit);
	}
}

/* The command that sets `path` to the first word (or the whole) of `want`. */
static void default_command(const struct pit_check *row, const char *want, struct pit_finding *out)
{
	bool first_word = row->op == PIT_OP_ONE_OF || row->op == PIT_OP_CHOICE;
	int len = first_word ? (int)strcspn(want, " ") : (int)strlen(want);
	char key[128];

	if (row->command || row->op == PIT_OP_NE || row->op == PIT_OP_RANGE)
		return;
	if (!strncmp(row->path, "/proc/sys/", 10)) {
		snprintf(key, sizeof(key), "%s", row->path + 10);
		for (char *c = key; *c; c++)
			*c = *c == '/' ? '.' : *c;
		pit_command(out, "sysctl -w %s='%.*s'", key, len, want);
	} else if (!strncmp(row->path, "/sys/", 5)) {
		pit_command(out, "echo %.*s > %s", len, want, row->path);
	}
}

void pit_origin_of(struct pit_facts *facts, const char *path, const char *value, const char *cmdline_arg,
		   struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(facts);
	char text[512];
	int rc = -ENOENT;

	if (!strncmp(path, "/proc/sys/", 10))
		rc = pit_sysctl_origin(root, path + 10, value, text, sizeof(text));
	else if (!strncmp(path, "/sys/", 5))
		rc = pit_sysfs_origin(root, path, cmdline_arg, text, sizeof(text));
	if (!rc)
		pit_origin(out, "%s", text);
}

static int eval_existence(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	int rc = pit_root_exists(pit_facts_root(facts), "%s", row->path);
	bool there = !rc;

	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "%s", row->path);
	pit_want(out, row->op == PIT_OP_EXISTS ? "%s exists" : "no %s", row->path);
	pit_evidence(out, row->path, there ? "exists" : "does not exist");
	if (there == (row->op == PIT_OP_EXISTS))
		return pit_pass(out, there ? "%s exists" : "no %s", row->path);
	return pit_bad(out, there ? "%s exists" : "no %s", row->path);
}

static int eval_value(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	const char *want = inference && row->want_inference ? row->want_inference : row->want;
	char line[VALUE_MAX], value[VALUE_MAX];
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "%s", row->path);

	if (pit_root_state(rc) == PIT_STATE_ABSENT && row->absent)
		return pit_fail(err, -rc, "%s", row->absent);
	if (rc)
		return pit_fail(err, -rc, "%s", row->path);
	if (row->op == PIT_OP_CHOICE)
		pit_bracketed(line, value, sizeof(value));
	else
		memcpy(value, line, sizeof(value));
	rc = satisfied(row, value, want);
	if (rc < 0)
		return pit_fail(err, -rc, "%s holds '%s', which is no such value", row->path, value);
	describe_want(row, want, out);
	pit_evidence(out, row->path, "%s", line);
	if (rc)
		return pit_pass(out, "%s%s%s", value, row->unit ? " " : "", row->unit ? row->unit : "");
	pit_origin_of(facts, row->path, value, row->origin_arg, out);
	default_command(row, want, out);
	return pit_bad(out, "%s%s%s", value, row->unit ? " " : "", row->unit ? row->unit : "");
}

static void explain_failure(int rc, const struct pit_error *err, struct pit_finding *out)
{
	const char *text = err->text[0] ? err->text : "it cannot be read";

	out->skip_state = pit_root_state(rc);
	if (out->skip_state == PIT_STATE_ERROR)
		pit_skip(out, "%s: %s", text, strerror(-rc));
	else
		pit_skip(out, "%s: %s", pit_state_name(out->skip_state), text);
}

void pit_check_eval(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *ret)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc;

	*ret = (struct pit_finding){.check = row, .status = PIT_SKIP, .impact = row->impact};
	if (!applies(row, facts, ret))
		return;
	if (row->probe)
		rc = row->probe(row, facts, ret, &err);
	else if (row->op == PIT_OP_EXISTS || row->op == PIT_OP_ABSENT)
		rc = eval_existence(row, facts, ret, &err);
	else
		rc = eval_value(row, facts, ret, &err);
	ret->deferred = rc == -EAGAIN;
	if (rc < 0)
		explain_failure(rc, &err, ret);
}
