/* SPDX-License-Identifier: MIT
 *
 * What plan, apply and bisect share: options, the making of the plan, its printing.
 */
#include <string.h>

#include "cli/tune.h"
#include "report/text.h"

enum { KEY_ROOT = 512, KEY_STATE };

static const struct argp_option options[] = {
	{"profile", 'p', "PROFILE", 0, "training (default), inference, another name, or a path"},
	{"only", 'o', "LIST", 0, "Only these knobs: ids or patterns (vm.swappiness, 'net.*'), comma-separated"},
	{"skip", 's', "LIST", 0, "Leave these knobs out"},
	{"root", KEY_ROOT, "PATH", 0, "Plan for a recorded machine: a directory or a tarball"},
	{"state", KEY_STATE, "DIR", 0, "Where the journals are kept (default " PIT_STATE_DIR ")"},
	{0},
};

const char *pit_tune_profile_name(struct argp_state *state, const char *arg)
{
	if (!*arg)
		pit_cli_usage(state, "--profile= has no name; 'pitcrew tune plan --list' has them all");
	return arg;
}

/* The words of a list are checked before anything is looked at. */
static const char *check_list(struct argp_state *state, const char *option, const char *list)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile none = {0};

	if (pit_profile_only(&none, list, &err))
		pit_cli_usage(state, "--%s: %s", option, err.text);
	return list;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_tune_options *o = state->input;

	switch (key) {
	case 'p':
		o->profile = pit_tune_profile_name(state, arg);
		break;
	case 'o':
		o->only = check_list(state, "only", arg);
		break;
	case 's':
		o->skip = check_list(state, "skip", arg);
		break;
	case KEY_ROOT:
		o->root = arg;
		break;
	case KEY_STATE:
		o->state = pit_cli_absolute(state, "state", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_tune_plan_argp = {.options = options, .parser = parse};

static int load_profile(const struct pit_tune_options *o, struct pit_profile *ret, struct pit_error *err)
{
	const char *name = o->profile ? o->profile : "training";
	int rc = pit_profile_load(name, ret, err);

	if (!rc && o->acts)
		rc = pit_profile_trust(ret, err);
	if (!rc && o->only)
		rc = pit_profile_only(ret, o->only, err);
	if (!rc && o->skip)
		rc = pit_profile_skip(ret, o->skip, err);
	if (!rc && !ret->settings)
		rc = pit_fail(err, ENOENT, "profile %s sets none of the knobs that --only and --skip leave", name);
	return rc;
}

int pit_tune_check_profile(const struct pit_tune_options *o, struct pit_error *err)
{
	struct pit_profile profile = {0};
	int rc = load_profile(o, &profile, err);

	pit_profile_free(&profile);
	return rc;
}

static int plan_with_evidence(struct pit_scene *scene, const struct pit_profile *profile, bool persist, int txn,
			      bool check, struct pit_plan *ret, struct pit_error *err)
{
	struct pit_tune_evidence evidence = {0};
	struct pit_plan_options options_of_plan = {.persist = persist, .txn = txn};
	int rc;

	if (check)
		(void)pit_tune_evidence(pit_scene_root(scene), profile, &evidence, NULL);
	options_of_plan.evidence = evidence.item;
	options_of_plan.evidences = evidence.count;
	rc = pit_plan_make(scene, profile, &options_of_plan, ret, err);
	pit_tune_evidence_free(&evidence);
	return rc;
}

int pit_tune_make_plan(const struct pit_tune_options *o, struct pit_root *root, int txn, bool check,
		       struct pit_scene **ret_scene, struct pit_profile *ret_profile, struct pit_plan *ret,
		       struct pit_error *err)
{
	struct pit_profile *profile = ret_profile;
	struct pit_scene *scene = NULL;
	int rc = load_profile(o, profile, err);

	rc = rc ? rc : pit_scene_new(root, &scene, err);
	rc = rc ? rc : plan_with_evidence(scene, profile, o->persist, txn, check, ret, err);
	if (rc) {
		pit_scene_free(scene);
		pit_profile_free(profile);
		return rc;
	}
	*ret_scene = scene;
	return 0;
}

int pit_tune_fail(const struct pit_error *err, const struct pit_strv *notes)
{
	int code = pit_cli_fail(err);

	for (size_t i = 0; i < notes->count; i++)
		fprintf(stderr, "  - %s\n", notes->item[i]);
	return code;
}

/* Which files of this machine make the profile, where its name does not say so. */
static void put_local(const struct pit_profile *p, struct pit_buf *line)
{
	bool is_path = p->local.count && p->file && !strcmp(p->local.item[0], p->file) && strchr(p->name, '/');

	for (size_t i = is_path; i < p->local.count; i++)
		pit_buf_printf(line, "%s%s", i == is_path ? " with " : ", ", p->local.item[i]);
}

static void put_head(const struct pit_plan *p, struct pit_scene *scene, const struct pit_page *page)
{
	const struct pit_platform *host = pit_scene_platform(scene);
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	pit_buf_printf(&line, "pitcrew %s: profile %s", PITCREW_VERSION, p->profile->name);
	if (p->profile->summary)
		pit_buf_printf(&line, " (%s)", p->profile->summary);
	put_local(p->profile, &line);
	pit_buf_printf(&line, " on %s (%s)", host->hostname[0] ? host->hostname : "host",
		       pit_root_name(pit_scene_root(scene)));
	pit_buf_puts(&line, p->persist ? ", to last over reboots." : ", until the next boot.");
	pit_page_wrap(page, 0, NULL, line.data);
	pit_buf_putc(page->out, '\n');
}

static void put_counts(const struct pit_plan *p, const char *next, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	struct pit_plan_counts n;

	pit_plan_counts(p, &n);
	if (!n.values && !n.files)
		pit_buf_puts(&line, "Nothing to change");
	else
		pit_buf_printf(&line, "%zu value%s and %zu file%s to change", n.values, n.values == 1 ? "" : "s",
			       n.files, n.files == 1 ? "" : "s");
	pit_buf_printf(&line, ", %zu right already, %zu left out.", n.right, n.left);
	if (*next)
		pit_buf_printf(&line, " %s", next);
	pit_page_wrap(page, 0, NULL, line.data);
}

void pit_tune_put_plan(const struct pit_plan *p, struct pit_scene *scene, bool will, bool verbose, const char *next,
		       const struct pit_page *page)
{
	put_head(p, scene, page);
	pit_plan_text(p, will, verbose, page);
	put_counts(p, next, page);
}
