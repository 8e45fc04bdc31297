/* SPDX-License-Identifier: MIT
 *
 * What the user who runs pitcrew may reach: data, checkpoints, devices.
 */
#include <stdio.h>
#include <string.h>

#include "check/access.h"
#include "check/security.h"
#include "check/offenders.h"

struct asker {
	struct pit_root *root;
	const struct pit_mounts *mounts;
	struct pit_user user;
};

static int prepare(struct pit_facts *facts, struct asker *a, struct pit_error *err)
{
	int rc = pit_facts_mounts(facts, &a->mounts, err);

	a->root = pit_facts_root(facts);
	return rc ? rc : pit_user_self(a->root, &a->user, err);
}

static void note(const struct pit_access_answer *answer, const char *option, const char *path, const char *act,
		 struct pit_offenders *o, struct pit_finding *out)
{
	static const char *const words[] = {"may", "may not", "perhaps may"};

	pit_evidence(out, path, "%s: %s %s%s%s%s%s", option, words[answer->verdict], act, answer->reason[0] ? "; " : "",
		     answer->step ? answer->step->path : "", answer->step ? ": " : "", answer->reason);
	if (answer->verdict != PIT_ACCESS_DENIED)
		return;
	pit_offend(o, PIT_FAIL, PIT_HURTING, "cannot %s %s: blocked at %s", act, path,
		   answer->step ? answer->step->path : path);
	if (answer->fix[0] && o->count == 1)
		pit_command(out, "%s", answer->fix);
}

/* A checkpoint directory that the job will make itself: the directory above counts. */
static bool is_yet_to_be_made(const struct pit_access_path *p)
{
	return p->count > 1 && !p->rc && p->step[p->count - 1].rc == -ENOENT && !p->step[p->count - 2].rc &&
	       !p->step[p->count - 2].target;
}

/* Returns the verdict, or -errno. */
static int judge_path(const struct asker *a, const char *option, const char *path, unsigned want,
		      struct pit_offenders *o, struct pit_finding *out, struct pit_error *err)
{
	const char *act = want & PIT_ACCESS_WRITE ? "write" : "read";
	struct pit_access_answer answer;
	struct pit_access_path p;
	int rc = pit_access_collect(a->root, a->mounts, path, &p, err);

	if (rc)
		return rc;
	if (want & PIT_ACCESS_WRITE && is_yet_to_be_made(&p)) {
		free((char *)p.step[--p.count].path);
		act = "create";
	}
	pit_access_decide(&p, &a->user, want, &answer);
	if (answer.verdict == PIT_ACCESS_ALLOWED && want == PIT_ACCESS_READ && p.count &&
	    (p.step[p.count - 1].mode & 0170000) == 0040000)
		pit_access_decide(&p, &a->user, PIT_ACCESS_EXEC, &answer);
	note(&answer, option, path, act, o, out);
	rc = (int)answer.verdict;
	pit_access_free(&p);
	return rc;
}

int pit_probe_path_access(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	const struct pit_facts_options *options = pit_facts_options(facts);
	struct pit_offenders o = {0};
	struct asker a = {0};
	int data = 0, checkpoint = 0, rc;

	if (!options->data && !options->checkpoint)
		return pit_skip(out, "give --data PATH or --checkpoint PATH to judge them");
	rc = prepare(facts, &a, err);
	if (rc)
		return rc;
	if (options->data)
		data = judge_path(&a, "--data", options->data, PIT_ACCESS_READ, &o, out, err);
	if (options->checkpoint)
		checkpoint = judge_path(&a, "--checkpoint", options->checkpoint, PIT_ACCESS_WRITE, &o, out, err);
	if (data < 0 || checkpoint < 0)
		return data < 0 ? data : checkpoint;
	pit_want(out, "%s may read the data and write checkpoints", a.user.name);
	if (!o.count && (data == PIT_ACCESS_UNKNOWN || checkpoint == PIT_ACCESS_UNKNOWN))
		return pit_skip(out, "cannot tell: %s", out->evidences ? out->evidence[0].text : "not seen");
	return pit_offenders_judge(&o, out, "%s may", a.user.name);
}

/* Device nodes that jobs open: directory, beginning of the name. */
static const struct {
	const char *dir, *head;
} nodes[] = {
	{.dir = "/dev", .head = "nvidia"},
	{.dir = "/dev", .head = "kfd"},
	{.dir = "/dev/dri", .head = "renderD"},
	{.dir = "/dev/infiniband", .head = "uverbs"},
};

/* nvidia-caps is a directory, nvidia-modeset is for displays; the rest any job opens. */
static bool is_for_jobs(const char *name)
{
	return strcmp(name, "nvidia-caps") != 0 && strcmp(name, "nvidia-modeset") != 0 &&
	       strncmp(name, "nvidia-caps-", 12) != 0 && strncmp(name, "nvidia-fs", 9) != 0 &&
	       strncmp(name, "nvidia-nvswitch", 15) != 0 && strncmp(name, "nvidia-nvlink", 13) != 0;
}

static void judge_node(const struct asker *a, const char *path, struct pit_offenders *o, struct pit_finding *out,
		       size_t *seen)
{
	struct pit_access_answer answer;
	struct pit_access_path p;

	if (pit_access_collect(a->root, a->mounts, path, &p, NULL))
		return;
	pit_access_decide(&p, &a->user, PIT_ACCESS_READ | PIT_ACCESS_WRITE, &answer);
	*seen += answer.verdict != PIT_ACCESS_UNKNOWN;
	if (answer.verdict == PIT_ACCESS_DENIED) {
		pit_offend(o, PIT_WARN, PIT_HURTING, "%s may not open %s", a->user.name, path);
		pit_evidence(out, path, "%s", answer.reason);
		if (answer.fix[0] && o->count == 1)
			pit_command(out, "%s", answer.fix);
	}
	pit_access_free(&p);
}

int pit_probe_device_nodes(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	struct pit_offenders o = {0};
	struct asker a = {0};
	size_t seen = 0, there = 0;
	int rc = prepare(facts, &a, err);

	for (size_t i = 0; !rc && i < PIT_COUNT(nodes); i++) {
		const struct pit_strv *names;
		char path[300];

		if (pit_root_list(a.root, &names, "%s", nodes[i].dir))
			continue;
		for (size_t j = 0; j < names->count; j++) {
			if (strncmp(names->item[j], nodes[i].head, strlen(nodes[i].head)) ||
			    !is_for_jobs(names->item[j]))
				continue;
			snprintf(path, sizeof(path), "%s/%s", nodes[i].dir, names->item[j]);
			there++;
			judge_node(&a, path, &o, out, &seen);
		}
	}
	if (rc)
		return rc;
	if (!seen)
		return there ? pit_fail(err, ENODATA, "the owners of device nodes")
			     : pit_skip(out, "no device node of a GPU or RDMA card here");
	pit_want(out, "read and write for those who run jobs");
	return pit_offenders_judge(&o, out, "%s may open all %zu", a.user.name, seen);
}
