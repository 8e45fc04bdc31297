/* SPDX-License-Identifier: MIT
 *
 * Who was killed for want of memory, by which limit, and how often.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/log_rows.h"
#include "check/oom.h"

#define SHOWN 3

/* Which reports a row looks at. */
struct kills {
	enum pit_oom_constraint of[2];
};

static const struct kills host_kills = {.of = {PIT_OOM_NONE, PIT_OOM_UNKNOWN}};
static const struct kills group_kills = {.of = {PIT_OOM_MEMCG, PIT_OOM_MEMCG}};
static const struct kills node_kills = {.of = {PIT_OOM_CPUSET, PIT_OOM_MEMPOLICY}};

static bool counts(const struct kills *want, const struct pit_oom *r)
{
	return !r->manual && (r->constraint == want->of[0] || r->constraint == want->of[1]);
}

static void describe(const struct pit_oom *r, struct pit_buf *out)
{
	uint64_t kb = r->anon_kb + r->file_kb + r->shmem_kb;
	char size[32];

	if (r->killed)
		pit_buf_printf(out, "%s (pid %d) killed", *r->task ? r->task : "a process", r->pid);
	else
		pit_buf_puts(out, "nobody could be killed");
	if (r->killed && kb < UINT64_MAX / 1024)
		pit_buf_printf(out, " with %s", pit_format_size(kb * 1024, size, sizeof(size)));
}

static void show(const struct pit_kmsg *log, const struct pit_oom *r, struct pit_finding *out)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char size[32];

	if (r->usec >= 0)
		pit_buf_printf(&text, "[%.6f] ", (double)r->usec / 1e6);
	describe(r, &text);
	pit_buf_printf(&text, "; constraint %s", pit_oom_constraint_name(r->constraint));
	if (*r->limited)
		pit_buf_printf(&text, ", limit of %s", r->limited);
	if (r->limit_kb && r->limit_kb < UINT64_MAX / 1024)
		pit_buf_printf(&text, " (%s)", pit_format_size(r->limit_kb * 1024, size, sizeof(size)));
	if (*r->mems)
		pit_buf_printf(&text, ", nodes allowed %s", r->mems);
	if (*r->group && strcmp(r->group, r->limited) != 0)
		pit_buf_printf(&text, ", in %s", r->group);
	if (*r->invoker)
		pit_buf_printf(&text, ", asked for by %s", r->invoker);
	if (r->adj != INT_MIN && r->adj)
		pit_buf_printf(&text, ", oom_score_adj %d", r->adj);
	pit_evidence(out, log->source, "%s", text.data);
}

/* True when three of the last kills lie within a minute: one limit that is far too low, rather than one leak. */
static bool is_storm(const struct kills *want, const struct pit_ooms *o)
{
	int64_t last[3] = {-1, -1, -1};

	for (size_t i = 0; i < o->count; i++) {
		if (!counts(want, &o->item[i]) || o->item[i].usec < 0)
			continue;
		last[0] = last[1];
		last[1] = last[2];
		last[2] = o->item[i].usec;
		if (last[0] >= 0 && last[2] - last[0] <= 60 * INT64_C(1000000))
			return true;
	}
	return false;
}

static int judge_kills(struct pit_facts *facts, const struct kills *want, const struct pit_ooms *o, size_t found,
		       const struct pit_kmsg *log, struct pit_finding *out)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	const struct pit_oom *last = NULL;
	size_t seen = 0;
	char ago[32];
	double age;
	bool now;

	for (size_t i = 0; i < o->count; i++) {
		if (!counts(want, &o->item[i]))
			continue;
		last = &o->item[i];
		if (++seen + SHOWN > found)
			show(log, last, out);
	}
	describe(last, &text);
	age = pit_log_age(facts, last->usec);
	now = age >= 0 && age <= PIT_LOG_RECENT;
	if (age >= 0)
		pit_buf_printf(&text, " %s ago", pit_format_age(age, ago, sizeof(ago)));
	if (found > 1)
		pit_buf_printf(&text, ", %zu in all", found);
	if (is_storm(want, o))
		pit_buf_puts(&text, ", a storm");
	return pit_judge(out, now ? PIT_FAIL : PIT_WARN, now ? PIT_HURTING : PIT_RISK, "%s", text.data);
}

static int probe_kills(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct kills *want = row->arg;
	pit_auto_ooms struct pit_ooms o = {0};
	size_t found = 0, manual = 0;
	const struct pit_kmsg *log;
	int rc = pit_facts_kmsg(facts, &log, err);

	if (rc)
		return rc;
	if (pit_oom_parse(log, &o))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < o.count; i++) {
		found += counts(want, &o.item[i]);
		manual += o.item[i].manual;
	}
	pit_want(out, "none");
	if (found)
		return judge_kills(facts, want, &o, found, log, out);
	if (manual && want == &host_kills)
		return pit_pass(out, "none but %zu asked for by hand (SysRq f)", manual);
	return pit_pass(out, "none in the kernel log");
}

/* Reports of kills that the kernel log still holds; the rows above judge them. */
static size_t told_in_log(struct pit_facts *facts)
{
	pit_auto_ooms struct pit_ooms o = {0};
	const struct pit_kmsg *log;

	if (pit_facts_kmsg(facts, &log, NULL) || pit_oom_parse(log, &o))
		return 0;
	return o.count;
}

static int probe_counter(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	uint64_t kills;
	double rate = 0;
	int rc = pit_vmstat(facts, "oom_kill", &kills, err);

	if (rc)
		return rc;
	if (pit_facts_rate(facts, "/proc/vmstat", "oom_kill", &rate, NULL) == -EAGAIN)
		return -EAGAIN;
	pit_want(out, "0 since boot");
	pit_evidence(out, "/proc/vmstat", "oom_kill %" PRIu64, kills);
	if (rate > 0)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%" PRIu64 " since boot, and more this moment", kills);
	if (kills && told_in_log(facts))
		return pit_pass(out, "%" PRIu64 " since boot, told in the kernel log", kills);
	if (kills)
		return pit_bad(out, "%" PRIu64 " since boot", kills);
	return pit_pass(out, "0 since boot");
}

struct events {
	struct pit_root *root;
	struct pit_finding *out;
	uint64_t kills;
	char dir[256]; /* the deepest group that counts one */
	bool seen;
};

/* Whether the limit of the group, or of one below it, was ever reached: kills for want of memory on the host are
 * counted in the victim's group too. */
static bool was_at_limit(struct pit_root *root, const char *dir, bool v2, const char *events)
{
	uint64_t n;

	if (v2)
		return pit_kv_u64(events, "oom", &n) || n;
	return pit_root_u64(root, &n, "%s/memory.failcnt", dir) || n;
}

/* v2 counts the kills of a group and all below it; v1 those of the group. */
static int add_events(const char *dir, bool v2, void *arg)
{
	struct events *e = arg;
	const char *file = v2 ? "memory.events" : "memory.oom_control";
	struct pit_text text;
	uint64_t kills;

	if (pit_root_read(e->root, &text, "%s/%s", dir, file) || pit_kv_u64(text.data, "oom_kill", &kills))
		return 0;
	e->seen = true;
	if (kills > e->kills && was_at_limit(e->root, dir, v2, text.data)) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir, file);
		pit_evidence(e->out, path, "oom_kill %" PRIu64, kills);
		if (!e->kills)
			snprintf(e->dir, sizeof(e->dir), "%s", dir);
		e->kills = kills;
	}
	return 0;
}

static int probe_events(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct events e = {.root = pit_facts_root(facts), .out = out};
	const struct pit_cgroup *group;
	const char *slash;
	int rc = pit_facts_cgroup(facts, &group, err);

	if (rc)
		return rc;
	rc = pit_cgroup_walk_up(group, "memory", add_events, &e);
	if (rc)
		return pit_fail(err, -rc, "our control group's memory.events");
	if (!e.seen)
		return pit_fail(err, ENOENT, "no memory controller above this process");
	pit_want(out, "no kill in our control group and those above it");
	if (!e.kills)
		return pit_pass(out, "none");
	slash = strrchr(e.dir, '/');
	return pit_bad(out, "%" PRIu64 " kills (%s)", e.kills, slash && slash[1] ? slash + 1 : e.dir);
}

static const struct pit_log_want allocation_failure = {
	.any = {"page allocation failure: order:", "page allocation stalls for", ": page allocation failure"},
	.one = "failed allocation",
	.many = "failed allocations",
};

static const struct pit_log_want page_pool = {.any = {"page_pool_release_retry() stalled pool shutdown"},
					      .one = "stalled page pool",
					      .many = "messages about stalled page pools"};

const struct pit_check pit_check_memory_oom[] = {
	{
		.id = "memory.oom-kill",
		.title = "Processes killed for want of memory on the host",
		.why = "The machine had no page left and the kernel killed a process to go on. A job that loses a rank or a "
		       "loader hangs or dies, and the log names the victim, not always the culprit.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_kills,
		.arg = &host_kills,
		.remedy = "Give jobs memory limits below the machine's size, and fewer or smaller loader workers.",
		.source = "gpud memory; eks-node-monitoring-agent",
		.refs = "https://docs.kernel.org/mm/oom.html",
	},
	{
		.id = "memory.oom-cgroup",
		.title = "Processes killed by a control group's memory limit",
		.why = "A container or job reached its own limit while the host had memory left. Raising the host's memory "
		       "would not help; several kills in a minute mean that the limit is far too low.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_kills,
		.arg = &group_kills,
		.remedy =
			"Raise the memory limit of the group that is named, or let the job use less (page cache and /dev/shm count).",
		.source = "gpud memory (OOM cgroup)",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "memory.oom-node",
		.title = "Processes killed because their memory nodes were full",
		.why = "A process that is bound to some NUMA nodes found them full and was killed, or another one was, while other "
		       "nodes had memory left. It happens with cpusets and with numactl --membind.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_kills,
		.arg = &node_kills,
		.remedy = "Allow more nodes, or prefer one instead of binding to it (numactl --preferred).",
		.source = "kernel's report: CONSTRAINT_CPUSET, CONSTRAINT_MEMORY_POLICY",
		.refs = "https://docs.kernel.org/admin-guide/mm/numa_memory_policy.html",
	},
	{
		.id = "memory.oom-count",
		.title = "Kills for want of memory since boot",
		.why = "The counter also knows kills whose messages are lost or not for this user; those that the log still tells have rows "
		       "of their own. One that grows means that jobs die this moment.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_counter,
		.remedy = "Read the kernel log (as root) for who was killed and why.",
		.source = "kernel counter oom_kill",
		.refs = "https://docs.kernel.org/mm/oom.html",
	},
	{
		.id = "memory.cgroup-oom",
		.title = "Kills in our own control group",
		.why = "A process of this session, container or job was killed by its memory limit. The same will happen again to "
		       "the next one of its size.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_events,
		.remedy = "Raise the memory limit of the group that is named.",
		.source = "kernel counter oom_kill in memory.events",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "memory.allocation-failure",
		.title = "Allocations that failed inside the kernel",
		.why = "A driver or the network stack asked for contiguous memory and got none. Packets are dropped, or a GPU or "
		       "RDMA call fails, when memory is fragmented or the reserve is small.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &allocation_failure,
		.remedy =
			"Raise vm.min_free_kbytes, and compact memory (echo 1 > /proc/sys/vm/compact_memory) before large jobs.",
		.source = "kernel message",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.page-pool",
		.title = "Network buffers that are never given back",
		.why = "A network driver waits for pages of its pool that nobody returns. Memory leaks with each reset of the "
		       "interface or container.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &page_pool,
		.remedy = "Update the network driver or the kernel, and see which sockets are left open.",
		.source = "kernel message of page_pool",
		.refs = "https://docs.kernel.org/networking/page_pool.html",
	},
	{.id = NULL},
};
