/* SPDX-License-Identifier: MIT
 *
 * Processes that take CPU time from a job, or get too little of it.
 */
#include <ctype.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "base/parse.h"
#include "check/process.h"

static double cpu_seconds(const struct pit_proc *p)
{
	return (double)(p->utime + p->stime) / PIT_TICKS_PER_SECOND;
}

/* Share of one CPU over the process's life; -1 unknown. */
static double life_share(const struct pit_procs *procs, const struct pit_proc *p)
{
	double age = pit_proc_age(procs, p);

	return age > 0 ? cpu_seconds(p) / age : -1;
}

static bool is_realtime(const struct pit_proc *p)
{
	return !(p->flags & PIT_PF_KTHREAD) &&
	       (p->policy == SCHED_FIFO || p->policy == SCHED_RR || p->policy == 6 /* SCHED_DEADLINE */);
}

#define RT_SHARE 0.25 /* of a CPU: watchdogs, multipathd and corosync stay far below */

int pit_probe_realtime(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_procs *procs;
	size_t idle = 0, busy = 0;
	char source[64], name[96] = "";
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	pit_want(out, "none that uses more than %.0f%% of a CPU", 100 * RT_SHARE);
	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];
		double share = is_realtime(p) ? life_share(procs, p) : -1;

		if (!is_realtime(p))
			continue;
		idle += share < RT_SHARE;
		if (share < RT_SHARE)
			continue;
		if (!busy++)
			pit_process_name(procs, p->pid, name, sizeof(name));
		snprintf(source, sizeof(source), "/proc/%d/stat", p->pid);
		pit_evidence(out, source, "%s, real-time policy %d, %.0f%% of a CPU over its life", p->comm, p->policy,
			     100 * share);
	}
	if (!busy)
		return pit_pass(out, idle ? "%zu, all idle" : "none", idle);
	return pit_bad(out, "%zu busy, first %s", busy, name);
}

int pit_probe_gpu_nice(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_procs *procs;
	const struct pit_idset *holders;
	size_t count = 0, held = 0;
	char source[64], name[96] = "";
	int rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = pit_facts_gpu_holders(facts, &holders, err);
	if (rc)
		return rc;
	pit_want(out, "none");
	PIT_IDSET_FOREACH (pid, holders) {
		const struct pit_proc *p = pit_procs_find(procs, pid);
		bool low = p && (p->nice > 0 || p->policy == SCHED_IDLE);

		held += p != NULL;
		if (!low)
			continue;
		if (!count++) {
			pit_process_name(procs, pid, name, sizeof(name));
			pit_command(out, "renice -n 0 -p %d", pid);
		}
		snprintf(source, sizeof(source), "/proc/%d/stat", pid);
		pit_evidence(out, source, "%s holds a GPU, nice %" PRId64 "%s", p->comm, p->nice,
			     p->policy == SCHED_IDLE ? ", SCHED_IDLE" : "");
	}
	if (!held)
		return pit_skip(out, "no process that we may see holds a GPU");
	if (!count)
		return pit_pass(out, "none of %zu", held);
	return pit_bad(out, "%zu of %zu, first %s", count, held, name);
}

/* Tools that end within seconds; waiting longer means that a device or a server does not answer. */
static const char *const tools[] = {
	"nvidia-smi", "lspci", "sg_inq", "nvme",   "smartctl", "ibstat", "ibv_devinfo", "lsblk", "blkid",
	"df",         "lsof",  "mount",  "umount", "modprobe", "insmod", "rmmod",       "sync",
};

#define TOOL_SECONDS 600

static bool is_loop_word(const char *word)
{
	static const char *const words[] = {"dmon", "pmon", "daemon", "replay", "-l", "-lms", "--loop", "--loop-ms"};

	for (size_t i = 0; i < PIT_COUNT(words); i++) {
		size_t len = strlen(words[i]);

		if (!strncmp(word, words[i], len) &&
		    (!word[len] || word[len] == '=' || isdigit((unsigned char)word[len])))
			return true;
	}
	return false;
}

/* nvidia-smi can be asked to go on for ever. Some recordings hold blanks instead of NUL bytes. */
static bool is_loop(struct pit_facts *f, int pid)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;

	if (pit_root_read(pit_facts_root(f), &text, "/proc/%d/cmdline", pid))
		return false;
	for (size_t at = 0; at < text.len; at += strlen(text.data + at) + 1)
		if (pit_strv_split(&words, text.data + at, " \n"))
			return false;
	for (size_t i = 1; i < words.count; i++)
		if (is_loop_word(words.item[i]))
			return true;
	return false;
}

static bool is_stuck_tool(struct pit_facts *f, const struct pit_procs *procs, const struct pit_proc *p)
{
	if (p->state == 'Z' || (p->flags & PIT_PF_KTHREAD) || pit_proc_age(procs, p) < TOOL_SECONDS)
		return false;
	for (size_t i = 0; i < PIT_COUNT(tools); i++)
		if (!strcmp(p->comm, tools[i]))
			return i || !is_loop(f, p->pid);
	return false;
}

int pit_probe_stuck_tools(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	const struct pit_procs *procs;
	size_t count = 0;
	char source[64], age[32], name[96] = "";
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	pit_want(out, "none older than %d min", TOOL_SECONDS / 60);
	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];

		if (!is_stuck_tool(facts, procs, p))
			continue;
		if (!count++)
			pit_process_name(procs, p->pid, name, sizeof(name));
		snprintf(source, sizeof(source), "/proc/%d/stat", p->pid);
		pit_evidence(out, source, "%s in state %c, started %s ago", p->comm, p->state,
			     pit_format_age(pit_proc_age(procs, p), age, sizeof(age)));
	}
	if (!count)
		return pit_pass(out, "none");
	return pit_bad(out, "%zu, first %s", count, name);
}

static bool reclaims(const struct pit_proc *p)
{
	return (p->flags & PIT_PF_KTHREAD) && (!strncmp(p->comm, "kswapd", 6) || !strncmp(p->comm, "kcompactd", 9));
}

/* Share of a CPU between two looks; -1 unknown. */
static double share_now(struct pit_facts *f, const struct pit_proc *p)
{
	struct pit_proc later;
	double seconds;

	if (pit_process_again(f, p->pid, &later, &seconds) || !(seconds > 0) || later.stime < p->stime)
		return -1;
	return (double)(later.stime - p->stime) / PIT_TICKS_PER_SECOND / seconds;
}

static bool is_under_pressure(struct pit_facts *f)
{
	struct pit_text text;
	struct pit_psi psi;

	return !pit_root_read(pit_facts_root(f), &text, "/proc/pressure/memory") &&
	       !pit_psi_parse(text.data, &psi, NULL) && psi.some10 >= 5;
}

/* The thread that took most CPU time for its age; NULL none is seen. */
static const struct pit_proc *busiest_reclaimer(const struct pit_procs *procs)
{
	const struct pit_proc *best = NULL;

	for (size_t i = 0; i < procs->count; i++)
		if (reclaims(&procs->item[i]) && (!best || cpu_seconds(&procs->item[i]) > cpu_seconds(best)))
			best = &procs->item[i];
	return best;
}

static void show_reclaimers(const struct pit_procs *procs, struct pit_finding *out)
{
	char source[64];

	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];

		if (!reclaims(p) || cpu_seconds(p) < 1)
			continue;
		snprintf(source, sizeof(source), "/proc/%d/stat", p->pid);
		pit_evidence(out, source, "%s: %.0f s of CPU time since boot", p->comm, cpu_seconds(p));
	}
}

int pit_probe_reclaim_threads(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	const struct pit_procs *procs;
	const struct pit_proc *worst;
	double life, now = -1;
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	worst = busiest_reclaimer(procs);
	life = worst ? life_share(procs, worst) : -1;
	if (!worst)
		return pit_skip(out, "kernel threads are not visible here");
	if (life < 0)
		return pit_skip(out, "the age of kernel threads is unknown");
	if (life >= 0.05 || is_under_pressure(facts)) {
		rc = pit_facts_wait(facts, 0);
		if (rc)
			return rc;
		now = share_now(facts, worst);
	}
	pit_want(out, "below 5%% of a CPU since boot, below 50%% now");
	show_reclaimers(procs, out);
	if (now >= 0.5)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%s takes %.0f%% of a CPU now", worst->comm, 100 * now);
	if (life >= 0.05)
		return pit_bad(out, "%s took %.0f%% of a CPU since boot", worst->comm, 100 * life);
	return pit_pass(out, "%s: %.1f%% of a CPU since boot", worst->comm, 100 * life);
}
