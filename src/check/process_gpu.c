/* SPDX-License-Identifier: MIT
 *
 * What jobs leave behind on GPUs: orphans, and parts of the Multi-Process Service.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/process.h"

/* Started by a service manager, a container engine or a batch system, which look after what they started. */
static bool is_looked_after(struct pit_facts *f, int pid)
{
	static const char *const marks[] = {"docker",     "kubepods", "libpod", "crio",
					    "containerd", "slurm",    "lxc",    "/job"};
	struct pit_text text;
	const char *last;
	size_t len;

	if (pit_root_read(pit_facts_root(f), &text, "/proc/%d/cgroup", pid))
		return true; /* unknown: no accusation */
	for (size_t i = 0; i < PIT_COUNT(marks); i++)
		if (strstr(text.data, marks[i]))
			return true;
	for (last = text.data; last && *last; last = strchr(last, '\n')) {
		last += *last == '\n';
		len = strcspn(last, "\n");
		if (len > 8 && !strncmp(last + len - 8, ".service", 8))
			return true;
	}
	return false;
}

/* The text "worker" for a child that Python's multiprocessing started, else "other": the command line itself may hold
 * secrets and is not kept. */
static int make_role(const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	struct pit_root *root = arg;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", strchr(name, ':') + 1);
	rc = pit_root_read_secret(root, path, &line);
	if (rc)
		return rc;
	for (size_t i = 0; i < line.len; i++)
		line.data[i] = line.data[i] ? line.data[i] : ' ';
	pit_buf_puts(out, strstr(line.data, "multiprocessing.") ? "worker\n" : "other\n");
	return 0;
}

static bool is_worker(struct pit_facts *f, int pid)
{
	struct pit_root *root = pit_facts_root(f);
	struct pit_text text;
	char name[32];

	snprintf(name, sizeof(name), "role:%d", pid);
	return !pit_root_fact(root, name, make_role, root, &text) && !strncmp(text.data, "worker", 6);
}

/* Its parent is gone, and so is the session that it was started in. */
static bool is_orphan(struct pit_facts *f, const struct pit_procs *procs, const struct pit_proc *p)
{
	return p->ppid == 1 && p->session != p->pid && !pit_procs_find(procs, p->session) &&
	       !is_looked_after(f, p->pid);
}

/* A job that was detached on purpose works; a leftover does not, or waits for a parent that is gone. */
static bool is_left_over(struct pit_facts *f, const struct pit_proc *p, const char **ret_why)
{
	struct pit_proc later;
	int rc;

	*ret_why = "a worker whose parent is gone";
	if (is_worker(f, p->pid))
		return true;
	*ret_why = "uses no CPU time";
	rc = pit_process_again(f, p->pid, &later, NULL);
	return !rc && later.start == p->start && later.utime + later.stime == p->utime + p->stime;
}

int pit_probe_gpu_orphans(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_idset struct pit_idset orphans = {0};
	const struct pit_procs *procs;
	const struct pit_idset *holders;
	char source[64], name[96] = "", age[32];
	const char *why;
	size_t count = 0;
	int rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = pit_facts_gpu_holders(facts, &holders, err);
	if (rc)
		return rc;
	pit_want(out, "none");
	PIT_IDSET_FOREACH (pid, holders)
		if (pit_procs_find(procs, pid) && is_orphan(facts, procs, pit_procs_find(procs, pid)))
			pit_idset_add(&orphans, (size_t)pid);
	rc = pit_idset_is_empty(&orphans) ? 0 : pit_facts_wait(facts, 250);
	if (rc)
		return rc;
	PIT_IDSET_FOREACH (pid, &orphans) {
		const struct pit_proc *p = pit_procs_find(procs, pid);

		if (!is_left_over(facts, p, &why))
			continue;
		if (!count++)
			pit_process_name(procs, pid, name, sizeof(name));
		snprintf(source, sizeof(source), "/proc/%d/stat", pid);
		pit_evidence(out, source, "%s holds a GPU, its parent and its session are gone, %s; started %s ago",
			     p->comm, why, pit_format_age(pit_proc_age(procs, p), age, sizeof(age)));
	}
	if (!count)
		return pit_pass(out, "none of %zu processes on GPUs", pit_idset_count(holders));
	return pit_bad(out, "%zu, first %s", count, name);
}

/* Both programs are cut to the same 15 letters; the command line tells them apart. */
#define MPS_COMM "nvidia-cuda-mps"

struct mps {
	size_t control, server;
	int first_server;
};

static void count_mps(struct pit_facts *f, const struct pit_procs *procs, struct mps *ret)
{
	struct pit_text text;

	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];

		if (strncmp(p->comm, MPS_COMM, strlen(MPS_COMM)) != 0 || p->state == 'Z')
			continue;
		if (pit_root_read(pit_facts_root(f), &text, "/proc/%d/cmdline", p->pid) ||
		    !strstr(text.data, "nvidia-cuda-mps-server")) {
			ret->control++;
			continue;
		}
		if (!ret->server++)
			ret->first_server = p->pid;
	}
}

int pit_probe_mps_server(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const struct pit_procs *procs;
	struct mps mps = {0};
	char source[64];
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	count_mps(facts, procs, &mps);
	pit_want(out, "every server has its control daemon");
	if (!mps.server)
		return pit_pass(out, "no MPS server runs");
	if (mps.control)
		return pit_pass(out, "%zu, with the control daemon", mps.server);
	snprintf(source, sizeof(source), "/proc/%d/cmdline", mps.first_server);
	pit_evidence(out, source, "nvidia-cuda-mps-server");
	pit_command(out, "kill %d", mps.first_server);
	return pit_bad(out, "PID %d runs without nvidia-cuda-mps-control", mps.first_server);
}
