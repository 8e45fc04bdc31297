/* SPDX-License-Identifier: MIT
 *
 * Things of which the kernel has only so many: PIDs, threads, file handles, AIO slots; and CPUs.
 */
#include <inttypes.h>
#include <string.h>

#include "check/process.h"

/* All threads of the machine: the number behind "/" in /proc/loadavg. */
static int count_tasks(struct pit_facts *f, uint64_t *ret, struct pit_error *err)
{
	char line[128];
	int rc = pit_root_str(pit_facts_root(f), line, sizeof(line), "/proc/loadavg");

	if (!rc && sscanf(line, "%*f %*f %*f %*d/%" SCNu64, ret) != 1)
		rc = -EBADMSG;
	return rc ? pit_fail(err, -rc, "/proc/loadavg") : 0;
}

static int tasks_against(struct pit_facts *f, const char *path, struct pit_finding *out, struct pit_error *err)
{
	uint64_t tasks, limit;
	int rc = count_tasks(f, &tasks, err);

	if (rc)
		return rc;
	rc = pit_root_u64(pit_facts_root(f), &limit, "%s", path);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_evidence(out, "/proc/loadavg", "%" PRIu64 " threads", tasks);
	pit_evidence(out, path, "%" PRIu64, limit);
	return pit_process_share_of(f, out, tasks, path, limit, "threads");
}

int pit_probe_tasks(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	return tasks_against(facts, "/proc/sys/kernel/pid_max", out, err);
}

int pit_probe_threads_max(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	return tasks_against(facts, "/proc/sys/kernel/threads-max", out, err);
}

/* The fullest group on the way up. */
struct fullest {
	struct pit_root *root;
	uint64_t used, limit; /* limit 0: none has one */
	char dir[256];
	uint64_t refused; /* forks that a limit refused so far */
	char refused_dir[256];
};

static int look_at_group(const char *dir, bool v2, void *arg)
{
	struct fullest *f = arg;
	uint64_t used, limit, refused;
	struct pit_text text;

	if (!pit_root_read(f->root, &text, "%s/pids.events", dir) && !pit_kv_u64(text.data, "max", &refused) &&
	    refused > f->refused) {
		f->refused = refused;
		snprintf(f->refused_dir, sizeof(f->refused_dir), "%s", dir);
	}
	if (pit_root_u64(f->root, &limit, "%s/pids.max", dir) || !limit ||
	    pit_root_u64(f->root, &used, "%s/pids.current", dir))
		return 0;
	if (!f->limit || (double)used / (double)limit > (double)f->used / (double)f->limit) {
		f->used = used;
		f->limit = limit;
		snprintf(f->dir, sizeof(f->dir), "%s", dir);
	}
	return 0;
}

int pit_probe_cgroup_pids(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct fullest f = {.root = pit_facts_root(facts)};
	const struct pit_cgroup *g;
	int rc = pit_facts_cgroup(facts, &g, err);

	if (!rc)
		rc = pit_cgroup_walk_up(g, "pids", look_at_group, &f);
	if (rc == -ENOENT)
		return pit_skip(out, "no pids controller holds this process");
	if (rc)
		return rc;
	pit_want(out, "below 80%% of the limit");
	if (f.limit)
		pit_evidence(out, f.dir, "pids.current %" PRIu64 ", pids.max %" PRIu64, f.used, f.limit);
	if (f.refused)
		pit_evidence(out, f.refused_dir, "pids.events: %" PRIu64 " forks refused", f.refused);
	if (f.refused)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%" PRIu64 " forks refused so far", f.refused);
	if (!f.limit)
		return pit_pass(out, "no limit");
	return pit_process_share(out, f.used, f.limit, "tasks");
}

int pit_probe_fork_failures(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char refused[] = "fork rejected by pids controller in ";
	const struct pit_kmsg *kmsg;
	const char *last = NULL;
	size_t count = 0;
	int rc = pit_facts_kmsg(facts, &kmsg, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < kmsg->count; i++) {
		const char *at = strstr(kmsg->item[i].text, refused);

		if (!at)
			continue;
		pit_evidence(out, kmsg->source, "%s", kmsg->item[i].text);
		last = at + strlen(refused);
		count++;
	}
	pit_want(out, "none since boot");
	if (!count)
		return pit_pass(out, "none since boot");
	return pit_bad(out, "%zu groups hit pids.max, last %s", count, last);
}

/* The kernel's own word that the table was full; NULL none. */
static const char *full_line(struct pit_facts *facts, const char **ret_source)
{
	const struct pit_kmsg *kmsg;

	if (pit_facts_kmsg(facts, &kmsg, NULL))
		return NULL;
	*ret_source = kmsg->source;
	for (size_t i = kmsg->count; i-- > 0;)
		if (strstr(kmsg->item[i].text, "VFS: file-max limit "))
			return kmsg->item[i].text;
	return NULL;
}

int pit_probe_file_handles(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	static const char path[] = "/proc/sys/fs/file-nr";
	const char *source = NULL, *full = full_line(facts, &source);
	uint64_t used, unused, limit;
	char line[96];
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), path);

	if (!rc && sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &used, &unused, &limit) != 3)
		rc = -EBADMSG;
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_evidence(out, path, "%s", line);
	if (full) {
		pit_evidence(out, source, "%s", full);
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "the table of open files was full since boot");
	}
	return pit_process_share_of(facts, out, used, "/proc/sys/fs/file-max", limit, "file handles");
}

int pit_probe_aio(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	uint64_t used, limit;
	int rc = pit_root_u64(root, &used, "/proc/sys/fs/aio-nr");

	if (!rc)
		rc = pit_root_u64(root, &limit, "/proc/sys/fs/aio-max-nr");
	if (rc)
		return pit_fail(err, -rc, "/proc/sys/fs/aio-nr or aio-max-nr");
	pit_evidence(out, "/proc/sys/fs/aio-nr", "%" PRIu64, used);
	pit_evidence(out, "/proc/sys/fs/aio-max-nr", "%" PRIu64, limit);
	return pit_process_share_of(facts, out, used, "/proc/sys/fs/aio-max-nr", limit, "AIO slots");
}

static bool read_pressure(struct pit_facts *f, const char *what, struct pit_psi *ret)
{
	struct pit_text text;

	return !pit_root_read(pit_facts_root(f), &text, "/proc/pressure/%s", what) &&
	       !pit_psi_parse(text.data, ret, NULL);
}

/* More than two threads for each CPU want to run, for minutes. */
int pit_probe_load(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_psi cpu, io;
	const struct pit_topo *topo;
	double one, five, share;
	char line[128];
	bool cpu_known, io_known;
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "/proc/loadavg");

	if (!rc && sscanf(line, "%lf %lf", &one, &five) != 2)
		rc = -EBADMSG;
	if (rc)
		return pit_fail(err, -rc, "/proc/loadavg");
	rc = pit_facts_topo(facts, &topo, err);
	if (rc)
		return rc;
	if (topo->cpus.count <= 0)
		return pit_skip(out, "the number of CPUs is unknown");
	share = five / topo->cpus.count;
	pit_want(out, "at most 2 for each CPU");
	pit_evidence(out, "/proc/loadavg", "%s; %d CPUs", line, topo->cpus.count);
	if (share <= 2)
		return pit_pass(out, "%.2f on %d CPUs", five, topo->cpus.count);
	cpu_known = read_pressure(facts, "cpu", &cpu);
	io_known = read_pressure(facts, "io", &io);
	if (cpu_known)
		pit_evidence(out, "/proc/pressure/cpu", "some %.0f%% of the last 300 s", cpu.some300);
	if (io_known)
		pit_evidence(out, "/proc/pressure/io", "some %.0f%% of the last 300 s", io.some300);
	if (cpu_known && io_known)
		return pit_pass(out, "%.2f on %d CPUs; cpu.pressure and storage.pressure judge it", five,
				topo->cpus.count);
	if (cpu_known && cpu.some300 >= 20)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.1f threads for each CPU, waiting for CPUs", share);
	if (io_known && io.some300 >= 20)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.1f threads for each CPU, waiting for I/O", share);
	return pit_bad(out, "%.1f threads for each CPU", share);
}

#define THREADS_MANY 1000 /* no runtime of the field starts as many by itself on a machine of up to 64 CPUs */
#define THREADS_EACH 16   /* threads of one process for each CPU */

int pit_probe_thread_count(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	const struct pit_procs *procs;
	const struct pit_topo *topo;
	int64_t most = 0, limit = THREADS_MANY;
	size_t count = 0;
	char source[64], name[96];
	int worst = 0, rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	if (!pit_facts_topo(facts, &topo, NULL) && (int64_t)topo->cpus.count * THREADS_EACH > limit)
		limit = (int64_t)topo->cpus.count * THREADS_EACH;
	pit_want(out, "at most %" PRId64 " in one process", limit);
	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];

		if (p->threads > most) {
			most = p->threads;
			worst = p->pid;
		}
		if (p->threads <= limit)
			continue;
		snprintf(source, sizeof(source), "/proc/%d/stat", p->pid);
		pit_evidence(out, source, "%s has %" PRId64 " threads", p->comm, p->threads);
		count++;
	}
	pit_process_name(procs, worst, name, sizeof(name));
	if (!count)
		return pit_pass(out, "at most %" PRId64 ", in %s", most, name);
	return pit_bad(out, "%" PRId64 " in %s", most, name);
}
