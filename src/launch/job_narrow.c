/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "host/cgroup.h"
#include "host/procfs.h"
#include "launch/job_parts.h"

#define GENERATIONS 64 /* wrappers between the launcher and us */

static const char *const visible_names[] = {
	"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", NULL,
};

/* The value of `name` in a text of /proc/PID/environ. */
static const char *value_in(const struct pit_text *text, const char *name)
{
	size_t len = strlen(name);

	for (size_t at = 0; at < text->len; at += strlen(text->data + at) + 1)
		if (!strncmp(text->data + at, name, len) && text->data[at + len] == '=')
			return text->data + at + len + 1;
	return NULL;
}

static bool is_set(const char *value)
{
	return value && *value;
}

/* The number that Slurm says each task has, of GPUs; 0 it does not. */
static uint64_t gpus_per_task(char **block)
{
	const char *said = pit_environ_get(block, "SLURM_GPUS_PER_TASK"), *colon = said ? strrchr(said, ':') : NULL;
	uint64_t n;

	return said && !pit_parse_u64(colon ? colon + 1 : said, &n) ? n : 0; /* "2", "h100:2" */
}

bool pit_job_gpus_are_own(char **ours, const struct pit_text *launcher, int local_size, size_t gpus)
{
	if (local_size < 2 || !gpus)
		return false;
	if (gpus_per_task(ours) == gpus)
		return true;
	for (size_t i = 0; visible_names[i]; i++) {
		const char *value = pit_environ_get(ours, visible_names[i]);
		const char *theirs = launcher ? value_in(launcher, visible_names[i]) : NULL;

		if (is_set(value) && gpus < (size_t)local_size && (!theirs || strcmp(value, theirs) != 0))
			return true;
	}
	return false;
}

struct launcher {
	int pid;                 /* 0 unknown */
	struct pit_text environ; /* data NULL: not to be seen */
};

/* `pid` 0 is this process. */
static int read_status(struct pit_root *root, int pid, struct pit_text *ret)
{
	if (!pid)
		return pit_root_read(root, ret, "/proc/self/status");
	return pit_root_read(root, ret, "/proc/%d/status", pid);
}

static int parent_of(struct pit_root *root, int pid)
{
	struct pit_text status;
	uint64_t parent;

	if (read_status(root, pid, &status) || pit_kv_u64(status.data, "PPid", &parent) || parent > INT32_MAX)
		return 0;
	return (int)parent;
}

/* Shells and wrappers between have our variable too. */
static void find_launcher(struct pit_root *root, const char *variable, struct launcher *ret)
{
	int pid = 0;

	for (int i = 0; i < GENERATIONS && (pid = parent_of(root, pid)) > 0; i++) {
		struct pit_text text;
		int rc = pit_root_read(root, &text, "/proc/%d/environ", pid);

		if (!rc && value_in(&text, variable))
			continue;
		ret->pid = pid;
		if (!rc)
			ret->environ = text;
		return;
	}
}

static int allowed_of(struct pit_root *root, int pid, struct pit_idset *ret)
{
	struct pit_text status;
	char list[4096];
	int rc = read_status(root, pid, &status);

	if (!rc)
		rc = pit_kv_str(status.data, "Cpus_allowed_list", list, sizeof(list));
	return rc ? rc : pit_idset_parse(list, ret, NULL);
}

static int cpuset_of_us(struct pit_root *root, struct pit_idset *ret)
{
	PIT_CLEANUP(pit_mounts_free) struct pit_mounts mounts = {0};
	struct pit_cgroup *g = NULL;
	char file[256];
	int rc = pit_mounts_load(root, &mounts, NULL);

	if (!rc)
		rc = pit_cgroup_load(root, &mounts, 0, &g, NULL);
	if (!rc)
		rc = pit_cgroup_cpuset(root, g, false, ret, file, sizeof(file));
	pit_cgroup_free(g);
	return rc;
}

/* Less than what the launcher has, as far as our control group allows that. */
static bool cpus_are_own(struct pit_root *root, int launcher)
{
	pit_auto_idset struct pit_idset ours = {0}, theirs = {0}, cpuset = {0};
	bool seen = launcher && !allowed_of(root, launcher, &theirs);
	bool group = !cpuset_of_us(root, &cpuset);

	if (allowed_of(root, 0, &ours) || (!seen && !group))
		return false;
	if (seen && group)
		pit_idset_intersect(&theirs, &cpuset);
	return !pit_idset_is_subset(seen ? &theirs : &cpuset, &ours);
}

/* A shell may start ranks with variables of its own and leave; launchers that number them wait for them. */
static bool stays(const struct pit_identity *id)
{
	return strcmp(id->launcher, "environment") != 0 && strcmp(id->launcher, "kubernetes") != 0;
}

struct pit_job_narrow pit_job_narrow(struct pit_root *root, const struct pit_job *j)
{
	struct pit_job_narrow narrow = {0};
	struct launcher launcher = {0};

	if (!j->alone)
		return narrow;
	if (!j->recorded)
		find_launcher(root, j->options->rank_from, &launcher);
	if (stays(&j->identity))
		narrow.launcher = launcher.pid;
	if (j->identity.local_size < 2)
		return narrow;
	narrow.cpus = !j->recorded && cpus_are_own(root, launcher.pid);
	narrow.gpus =
		!j->options->gpus && pit_job_gpus_are_own(j->environ, launcher.environ.data ? &launcher.environ : NULL,
							  j->identity.local_size, j->site.gpus);
	return narrow;
}
