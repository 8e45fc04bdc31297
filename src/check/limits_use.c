/* SPDX-License-Identifier: MIT
 *
 * How much of their limits processes use, where cores go, and whether limits.conf can be read.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/limits.h"
#include "host/limits_conf.h"

/* The processes that matter: daemons that start jobs, and those on GPUs. */
static int find_processes(struct pit_facts *f, const struct pit_procs **ret_procs, struct pit_idset *ret,
			  struct pit_error *err)
{
	struct pit_daemon_found found[PIT_DAEMONS_MAX];
	const struct pit_idset *holders;
	size_t n;
	int rc = pit_facts_procs(f, ret_procs, err);

	if (!rc)
		rc = pit_facts_gpu_holders(f, &holders, err);
	if (rc)
		return rc;
	n = pit_daemons_find(*ret_procs, found);
	for (size_t i = 0; i < n && !rc; i++)
		rc = pit_idset_add(ret, (size_t)found[i].pid);
	return rc ? rc : pit_idset_unite(ret, holders);
}

/* The process that is nearest to a limit of its own. */
struct nearest {
	int pid; /* 0 none seen */
	uint64_t used, limit;
};

static void take(struct nearest *n, int pid, uint64_t used, uint64_t limit)
{
	if (n->pid && (double)used / (double)limit <= (double)n->used / (double)n->limit)
		return;
	*n = (struct nearest){.pid = pid, .used = used, .limit = limit};
}

int pit_probe_files_used(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	pit_auto_idset struct pit_idset pids = {0};
	const struct pit_procs *procs;
	const struct pit_strv *fds;
	struct nearest n = {0};
	char what[128], name[96], source[64];
	uint64_t soft, hard;
	int rc = find_processes(facts, &procs, &pids, err);

	if (rc)
		return rc;
	PIT_IDSET_FOREACH (pid, &pids)
		if (!pit_proc_limit(pit_facts_root(facts), pid, "Max open files", &soft, &hard) && soft &&
		    !pit_root_list(pit_facts_root(facts), &fds, "/proc/%d/fd", pid))
			take(&n, pid, fds->count, soft);
	if (!n.pid)
		return pit_skip(out, "no daemon that starts jobs and no process on a GPU that we may look into");
	snprintf(source, sizeof(source), "/proc/%d/fd", n.pid);
	pit_evidence(out, source, "%" PRIu64 " open files, soft limit %" PRIu64, n.used, n.limit);
	snprintf(what, sizeof(what), "files in %s", pit_process_name(procs, n.pid, name, sizeof(name)));
	return pit_process_share(out, n.used, n.limit, what);
}

/* Locked or pinned memory of a process in bytes: the kernel compares each with the limit. */
static int locked_bytes(struct pit_root *root, int pid, uint64_t *ret)
{
	uint64_t locked = 0, pinned = 0;
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/proc/%d/status", pid);

	if (rc)
		return rc;
	if (pit_kv_u64(text.data, "VmLck", &locked) && pit_kv_u64(text.data, "VmPin", &pinned))
		return -EBADMSG;
	(void)pit_kv_u64(text.data, "VmPin", &pinned);
	*ret = (locked > pinned ? locked : pinned) * 1024;
	return 0;
}

int pit_probe_memory_locked(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	const struct pit_idset *holders;
	const struct pit_procs *procs;
	struct nearest n = {0};
	char have[32], may[32], name[96], source[64];
	uint64_t used, soft, hard;
	size_t seen = 0;
	double percent;
	int rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = pit_facts_gpu_holders(facts, &holders, err);
	if (rc)
		return rc;
	pit_want(out, "below 80%% of the limit");
	PIT_IDSET_FOREACH (pid, holders) {
		if (locked_bytes(pit_facts_root(facts), pid, &used) ||
		    pit_proc_limit(pit_facts_root(facts), pid, "Max locked memory", &soft, &hard))
			continue;
		seen++;
		if (soft && soft != UINT64_MAX)
			take(&n, pid, used, soft);
	}
	if (!seen)
		return pit_skip(out, "no process that we may see holds a GPU");
	if (!n.pid)
		return pit_pass(out, "no limit on %zu processes", seen);
	snprintf(source, sizeof(source), "/proc/%d/status", n.pid);
	pit_format_size(n.used, have, sizeof(have));
	pit_format_size(n.limit, may, sizeof(may));
	pit_process_name(procs, n.pid, name, sizeof(name));
	percent = 100.0 * (double)n.used / (double)n.limit;
	pit_evidence(out, source, "%s locked or pinned, limit %s", have, may);
	if (percent < 80)
		return pit_pass(out, "%s of %s in %s", have, may, name);
	return pit_bad(out, "%s of %s in %s", have, may, name);
}

/* True when cores are written to files, which the limit then bounds; a program behind "|" gets them whole. */
static int cores_go_to_files(struct pit_facts *f, bool *ret, struct pit_finding *out, struct pit_error *err)
{
	char line[256];
	int rc = pit_root_str(pit_facts_root(f), line, sizeof(line), "/proc/sys/kernel/core_pattern");

	if (rc)
		return pit_fail(err, -rc, "/proc/sys/kernel/core_pattern");
	pit_evidence(out, "/proc/sys/kernel/core_pattern", "%s", line);
	*ret = *line && *line != '|';
	return 0;
}

#define CORE_BIG (UINT64_C(1) << 30) /* more than the core of a small tool */

static char *show_size(uint64_t bytes, char *out, size_t size)
{
	if (bytes != UINT64_MAX)
		return pit_format_size(bytes, out, size);
	snprintf(out, size, "unlimited");
	return out;
}

static int judge_core(struct pit_finding *out, bool files, uint64_t soft, const char *who)
{
	char text[32];

	pit_want(out, "at most 1 GiB, or a program in kernel.core_pattern");
	show_size(soft, text, sizeof(text));
	if (!files)
		return pit_pass(out, "a program takes the cores");
	if (soft <= CORE_BIG)
		return pit_pass(out, "%s%s", text, who);
	return pit_bad(out, "%s%s, written to files", text, who);
}

int pit_probe_core_shell(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	int pid = pit_facts_options(facts)->pid;
	uint64_t soft, hard;
	char text[32];
	bool files;
	int rc = cores_go_to_files(facts, &files, out, err);

	if (rc)
		return rc;
	rc = pit_proc_limit(pit_facts_root(facts), pid, "Max core file size", &soft, &hard);
	if (rc)
		return pit_fail(err, -rc, "the core limit");
	pit_evidence(out, pid ? "/proc/PID/limits" : "/proc/self/limits", "Max core file size: soft %s",
		     show_size(soft, text, sizeof(text)));
	return judge_core(out, files, soft, "");
}

int pit_probe_core_gpu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_idset *holders;
	const struct pit_procs *procs;
	uint64_t soft, hard, most = 0;
	char name[96], who[128], source[64], text[32];
	int worst = 0, rc = pit_facts_procs(facts, &procs, err);
	bool files;

	if (!rc)
		rc = pit_facts_gpu_holders(facts, &holders, err);
	if (!rc)
		rc = cores_go_to_files(facts, &files, out, err);
	if (rc)
		return rc;
	PIT_IDSET_FOREACH (pid, holders) {
		if (pit_proc_limit(pit_facts_root(facts), pid, "Max core file size", &soft, &hard))
			continue;
		if (!worst || soft > most) {
			most = soft;
			worst = pid;
		}
	}
	if (!worst)
		return pit_skip(out, "no process that we may see holds a GPU");
	snprintf(source, sizeof(source), "/proc/%d/limits", worst);
	pit_evidence(out, source, "Max core file size: soft %s", show_size(most, text, sizeof(text)));
	snprintf(who, sizeof(who), " in %s", pit_process_name(procs, worst, name, sizeof(name)));
	return judge_core(out, files, most, who);
}

struct lines {
	struct pit_finding *out;
	size_t good, bad;
	char first[300];
};

static int count_line(const char *where, const char *text, const struct pit_limits_line *parsed, void *arg)
{
	struct lines *l = arg;

	l->good += parsed != NULL;
	if (parsed)
		return 0;
	if (!l->bad++)
		snprintf(l->first, sizeof(l->first), "%s", where);
	pit_evidence(l->out, where, "%s", text);
	return 0;
}

int pit_probe_limits_conf(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct lines l = {.out = out};
	int rc;

	if (pit_root_exists(pit_facts_root(facts), "/etc/security/limits.conf") &&
	    pit_root_exists(pit_facts_root(facts), "/etc/security/limits.d"))
		return pit_skip(out, "no limits.conf here");
	rc = pit_limits_each(pit_facts_root(facts), count_line, &l);
	if (rc)
		return rc;
	pit_want(out, "every line can be read");
	if (!l.bad)
		return pit_pass(out, "%zu lines", l.good);
	return pit_bad(out, "%zu that PAM cannot read, first %s", l.bad, l.first);
}
