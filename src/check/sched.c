/* SPDX-License-Identifier: MIT
 *
 * Who gets the CPUs: steal, quotas, pressure, switches, real-time and other schedulers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/catalog.h"
#include "check/devices.h"
#include "check/cpu_values.h"
#include "check/log_rows.h"
#include "check/pressure.h"
#include "check/sched_times.h"
#include "host/sysctl_origin.h"

int pit_cpu_times_parse(const char *stat, struct pit_cpu_times *ret, struct pit_error *err)
{
	enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
	uint64_t v[FIELDS] = {0};
	struct pit_cpu_times t = {0};
	const char *line = stat;
	int n;

	while (line && strncmp(line, "cpu ", 4) != 0) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return pit_fail(err, EBADMSG, "no cpu line in /proc/stat");
	n = sscanf(line + 4, "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64,
		   &v[USER], &v[NICE], &v[SYSTEM], &v[IDLE], &v[IOWAIT], &v[IRQ], &v[SOFTIRQ], &v[STEAL]);
	if (n < 4)
		return pit_fail(err, EBADMSG, "the cpu line of /proc/stat has %d numbers", n < 0 ? 0 : n);
	for (int i = 0; i < FIELDS; i++)
		if (__builtin_add_overflow(t.total, v[i], &t.total))
			return pit_fail(err, EBADMSG, "the cpu line of /proc/stat overflows");
	t.idle = v[IDLE] + v[IOWAIT];
	t.steal = v[STEAL];
	*ret = t;
	return 0;
}

/* Steal between the two readings in percent; -1 when too little time passed to say, or there is no second reading.
 * Returns 0 or -EAGAIN. */
static int steal_now(struct pit_facts *facts, double *ret)
{
	struct pit_cpu_times before, after;
	struct pit_text first, second;
	uint64_t ticks, stolen;
	int64_t ns;
	int rc = pit_facts_again(facts, "/proc/stat", &first, &second, &ns, NULL);

	*ret = -1;
	if (rc)
		return rc == -EAGAIN ? rc : 0;
	if (pit_cpu_times_parse(first.data, &before, NULL) || pit_cpu_times_parse(second.data, &after, NULL) ||
	    after.total <= before.total || after.steal < before.steal)
		return 0;
	ticks = after.total - before.total;
	stolen = after.steal - before.steal;
	if (ticks >= 100 || stolen >= 3)
		*ret = 100.0 * (double)stolen / (double)ticks;
	return 0;
}

static int probe_steal(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_cpu_times t;
	struct pit_text text;
	double now, ever;
	int rc = pit_root_read(pit_facts_root(facts), &text, "/proc/stat");

	if (rc)
		return pit_fail(err, -rc, "/proc/stat");
	rc = pit_cpu_times_parse(text.data, &t, err);
	if (!rc)
		rc = steal_now(facts, &now);
	if (rc)
		return rc;
	ever = t.total ? 100.0 * (double)t.steal / (double)t.total : 0;
	pit_want(out, "below 5%% now and below 2%% since boot");
	pit_evidence(out, "/proc/stat", "steal %" PRIu64 " of %" PRIu64 " ticks since boot (%.2f%%)", t.steal, t.total,
		     ever);
	if (now >= 0)
		pit_evidence(out, "/proc/stat", "steal %.1f%% between two readings", now);
	if (now >= 20)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%.0f%% stolen now", now);
	if (now >= 5)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f%% stolen now", now);
	if (ever >= 2)
		return pit_bad(out, "%.1f%% stolen since boot", ever);
	return pit_pass(out, "%.1f%% stolen since boot", ever);
}

struct throttled {
	uint64_t periods, times, us;
	double share; /* of the worst group, in percent */
	char dir[256];
	struct pit_root *root;
	bool seen;
};

static int add_throttled(const char *dir, bool v2, void *arg)
{
	struct throttled *t = arg;
	struct pit_text text;
	uint64_t periods, times, spent = 0;

	if (pit_root_read(t->root, &text, "%s/cpu.stat", dir) || pit_kv_u64(text.data, "nr_periods", &periods) ||
	    pit_kv_u64(text.data, "nr_throttled", &times))
		return 0;
	(void)pit_kv_u64(text.data, v2 ? "throttled_usec" : "throttled_time", &spent);
	t->seen = true;
	if (!periods || 100.0 * (double)times / (double)periods <= t->share)
		return 0;
	t->periods = periods;
	t->times = times;
	t->us = v2 ? spent : spent / 1000;
	t->share = 100.0 * (double)times / (double)periods;
	snprintf(t->dir, sizeof(t->dir), "%s/cpu.stat", dir);
	return 0;
}

static int probe_throttled(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	struct throttled t = {.root = pit_facts_root(facts)};
	const struct pit_cgroup *group;
	int rc = pit_facts_cgroup(facts, &group, err);

	if (rc)
		return rc;
	rc = pit_cgroup_walk_up(group, "cpu", add_throttled, &t);
	if (rc)
		return pit_fail(err, -rc, "our control group's cpu.stat");
	if (!t.seen)
		return pit_fail(err, ENOENT, "no cpu controller with quotas above this process");
	pit_want(out, "throttled in less than 1%% of the periods, up to the root");
	if (t.share > 0)
		pit_evidence(out, t.dir, "nr_throttled %" PRIu64 " of nr_periods %" PRIu64 ", %.1f s in all", t.times,
			     t.periods, (double)t.us / 1e6);
	if (t.share >= 25)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "throttled in %.0f%% of the periods", t.share);
	if (t.share >= 1)
		return pit_bad(out, "throttled in %.0f%% of the periods", t.share);
	return pit_pass(out, "throttled in %.1f%% of the periods", t.share);
}

/* CPUs that programs see and start threads for. */
static int visible_cpus(struct pit_facts *facts)
{
	const struct pit_topo *topo;
	pit_auto_idset struct pit_idset online = {0};

	if (!pit_facts_topo(facts, &topo, NULL) && !pit_idset_is_empty(&topo->allowed.cpus))
		return (int)pit_idset_count(&topo->allowed.cpus);
	(void)pit_cpus_online(pit_facts_root(facts), &online);
	return (int)pit_idset_count(&online);
}

static int probe_quota(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	int cpus = visible_cpus(facts), gpus = pit_gpu_count(facts);
	const struct pit_cgroup *group;
	char file[256] = "";
	double quota;
	int rc = pit_facts_cgroup(facts, &group, err);

	if (rc)
		return rc;
	rc = pit_cgroup_cpu_quota(pit_facts_root(facts), group, &quota, file, sizeof(file));
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "no cpu controller above this process");
	if (rc)
		return pit_fail(err, -rc, "our control group's CPU quota");
	pit_want(out, gpus > 0 ? "at least 3 CPUs per GPU, and half of the CPUs in sight"
			       : "at least half of the CPUs in sight");
	if (quota <= 0)
		return pit_pass(out, "no quota");
	pit_evidence(out, file, "%.2f CPUs; %d CPUs in sight, %d GPUs", quota, cpus, gpus > 0 ? gpus : 0);
	if (gpus > 0 && quota < 3 * gpus)
		return pit_bad(out, "%.1f CPUs for %d GPUs", quota, gpus);
	if (quota * 2 < cpus)
		return pit_bad(out, "%.1f of %d CPUs", quota, cpus);
	return pit_pass(out, "%.1f of %d CPUs", quota, cpus);
}

static int probe_switches(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_idset struct pit_idset online = {0};
	double rate;
	int rc = pit_facts_rate(facts, "/proc/stat", "ctxt", &rate, err);

	if (!rc)
		rc = pit_cpus_online(pit_facts_root(facts), &online);
	if (rc)
		return pit_wrap(err, rc, "context switches");
	rate /= (double)pit_idset_count(&online);
	pit_want(out, "below 50000 a second on each CPU");
	pit_evidence(out, "/proc/stat", "ctxt grows by %.0f a second and CPU", rate);
	if (rate >= 50000)
		return pit_bad(out, "%.0f a second and CPU", rate);
	return pit_pass(out, "%.0f a second and CPU", rate);
}

static int probe_sched_ext(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	static const char dir[] = "/sys/kernel/sched_ext";
	struct pit_root *root = pit_facts_root(facts);
	char state[32], name[64] = "a scheduler without a name";
	int rc = pit_root_str(root, state, sizeof(state), "%s/state", dir);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no sched_ext");
	pit_evidence(out, "/sys/kernel/sched_ext/state", "%s", state);
	pit_want(out, "disabled, or a scheduler that was chosen on purpose");
	if (!strcmp(state, "disabled"))
		return pit_pass(out, "disabled");
	(void)pit_root_str(root, name, sizeof(name), "%s/root/ops", dir);
	pit_evidence(out, "/sys/kernel/sched_ext/root/ops", "%s", name);
	return pit_bad(out, "%s: %s", state, name);
}

/* Processes whose nice value somebody set for real work: over a minute of CPU time. */
static size_t niced_workers(const struct pit_procs *procs, struct pit_finding *out)
{
	size_t n = 0;

	for (size_t i = 0; i < procs->count; i++) {
		const struct pit_proc *p = &procs->item[i];

		if (p->nice <= 0 || (p->flags & PIT_PF_KTHREAD) || (p->utime + p->stime) / PIT_TICKS_PER_SECOND < 60)
			continue;
		if (++n <= 3)
			pit_evidence(out, "/proc/PID/stat", "%s (%d) runs at nice %d", p->comm, p->pid, (int)p->nice);
	}
	return n;
}

static int probe_autogroup(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	const struct pit_procs *procs;
	uint64_t on;
	size_t niced;
	int rc = pit_root_u64(pit_facts_root(facts), &on, "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "this kernel does not group tasks by session");
	pit_want(out, "off where nice values are used");
	pit_evidence(out, row->path, "%d", (int)on);
	if (!on)
		return pit_pass(out, "off");
	rc = pit_facts_procs(facts, &procs, err);
	if (rc)
		return rc;
	niced = niced_workers(procs, out);
	if (!niced)
		return pit_pass(out, "on, and no niced work");
	pit_origin_of(facts, row->path, "1", "noautogroup", out);
	return pit_bad(out, "on, and %zu niced processes", niced);
}

static int probe_dead_knobs(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char *const names[] = {
		"sched_latency_ns",        "sched_min_granularity_ns", "sched_wakeup_granularity_ns",
		"sched_migration_cost_ns", "sched_nr_migrate",         "sched_tunable_scaling",
		"sched_child_runs_first",
	};
	struct pit_root *root = pit_facts_root(facts);
	size_t dead = 0;
	int rc = pit_root_exists(root, "/proc/sys/kernel");

	if (rc)
		return pit_fail(err, -rc, "/proc/sys/kernel");
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		char key[64], origin[512];

		snprintf(key, sizeof(key), "kernel.%s", names[i]);
		if (pit_root_state(pit_root_exists(root, "/proc/sys/kernel/%s", names[i])) != PIT_STATE_ABSENT ||
		    pit_sysctl_origin(root, key, NULL, origin, sizeof(origin)))
			continue;
		dead++;
		pit_evidence(out, key, "%s", origin);
	}
	pit_want(out, "no setting of a sysctl that this kernel lacks");
	if (dead)
		return pit_bad(out, "%zu scheduler settings have no effect", dead);
	return pit_pass(out, "none");
}

static const struct pit_pressure_want cpu_pressure = {
	.path = "/proc/pressure/cpu", .controller = "cpu", .file = "cpu.pressure", .some60 = 40};

static const struct pit_log_want rt_throttling = {.any = {"RT throttling activated"},
						  .one = "throttling of real-time tasks",
						  .many = "times real-time tasks throttled",
						  .calm = true};

const struct pit_check pit_check_sched[] = {
	{
		.id = "cpu.steal",
		.title = "CPU time stolen by the hypervisor",
		.why = "Stolen time is time in which a rank wanted to run and the host ran another guest. All ranks wait for the "
		       "one that was stopped, so even a few percent cost every step.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_steal,
		.remedy = "Move to an instance with dedicated CPUs, or pin this guest's CPUs on the host.",
		.source = "pitcrew: 5% of a moment, 2% since boot",
		.refs = "https://man7.org/linux/man-pages/man5/proc_stat.5.html",
	},
	{
		.id = "cpu.cgroup-throttled",
		.title = "Throttling by a control group's CPU quota",
		.why = "A group that has used up its quota stands still for the rest of the period, often 50 ms and more. Loaders "
		       "and kernel launches stop in the middle although CPUs are free.",
		.area = PIT_AREA_CPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_throttled,
		.remedy = "Raise or remove the CPU quota (Kubernetes: the CPU limit) of the group that is named.",
		.source = "kernel documentation of the CFS bandwidth controller; 1% and 25% are pitcrew's",
		.refs = "https://docs.kernel.org/scheduler/sched-bwc.html",
	},
	{
		.id = "cpu.quota",
		.title = "CPU quota against what programs see",
		.why = "Libraries start a thread for each CPU in sight and know nothing of a quota, so many threads share few "
		       "CPUs' time and all stop together. It happens in containers with a CPU limit.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_quota,
		.remedy = "Raise the CPU limit, use a cpuset instead, or set OMP_NUM_THREADS to the quota.",
		.source = "stas00 ml-engineering (cores per GPU); Go's automaxprocs for the same fault",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "cpu.pressure",
		.title = "Tasks waiting for a CPU (PSI)",
		.why = "Tasks that were ready to run had to queue for a CPU. Loaders fall behind and GPUs wait while this lasts.",
		.area = PIT_AREA_CPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_pressure,
		.arg = &cpu_pressure,
		.remedy = "Run fewer workers or threads, or find the processes that use the CPUs.",
		.source = "kernel pressure stall information; 40% is pitcrew's threshold",
		.refs = "https://docs.kernel.org/accounting/psi.html",
	},
	{
		.id = "cpu.context-switches",
		.title = "Context switches on each CPU",
		.why = "At this rate CPUs spend a good part of their time on changing tasks. Too many threads, or threads that "
		       "wake each other for tiny pieces of work, are the usual cause.",
		.area = PIT_AREA_CPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_switches,
		.remedy = "Give each rank fewer threads (OMP_NUM_THREADS) and loaders larger pieces of work.",
		.source = "pitcrew's threshold",
	},
	{
		.id = "cpu.rt-runtime",
		.title = "Share of time that real-time tasks may take",
		.why = "Without a limit a real-time task that spins takes its CPU for good and the kernel's own threads starve "
		       "there. Only machines that run real-time work on isolated CPUs want that.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/kernel/sched_rt_runtime_us",
		.op = PIT_OP_NE,
		.want = "-1 0",
		.unit = "us",
		.absent = "this kernel has no such limit",
		.knob = "kernel.sched_rt_runtime_us",
		.remedy = "Give ordinary tasks their 5% back.",
		.command = "sysctl -w kernel.sched_rt_runtime_us=950000",
		.source = "kernel default 950000; tuned sets -1 in its real-time profiles only",
		.refs = "https://docs.kernel.org/scheduler/sched-rt-group.html",
	},
	{
		.id = "cpu.rt-throttling",
		.title = "Real-time tasks stopped by the kernel",
		.why = "A real-time task used 95% of a CPU and the kernel had to stop it to let others run. Something spins at "
		       "real-time priority, and the job beside it loses its CPU.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &rt_throttling,
		.remedy = "Find the real-time task (ps -eo pid,cls,rtprio,comm) and take the priority away.",
		.source = "kernel message",
		.refs = "https://docs.kernel.org/scheduler/sched-rt-group.html",
	},
	{
		.id = "cpu.sched-ext",
		.title = "Scheduler loaded as BPF (sched_ext)",
		.why = "A scheduler that was loaded at run time decides for all tasks and may place them against their memory. "
		       "Measurements of this machine hold for that scheduler only.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_sched_ext,
		.remedy = "Stop the service that loads it unless it was measured to help.",
		.source = "kernel documentation of sched_ext",
		.refs = "https://docs.kernel.org/scheduler/sched-ext.html",
	},
	{
		.id = "cpu.autogroup",
		.title = "Tasks grouped by session",
		.why = "With grouping by session a nice value counts only inside its own session. A loader at nice 19 then takes "
		       "as much time from a job in another session as at nice 0.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/kernel/sched_autogroup_enabled",
		.probe = probe_autogroup,
		.knob = "kernel.sched_autogroup_enabled",
		.remedy = "Turn grouping by session off, or weigh the work by control groups.",
		.command = "sysctl -w kernel.sched_autogroup_enabled=0",
		.source = "sched(7)",
		.refs = "https://man7.org/linux/man-pages/man7/sched.7.html",
	},
	{
		.id = "cpu.dead-knobs",
		.title = "Scheduler settings that this kernel lacks",
		.why = "Kernels since 5.13 have these settings no more as sysctls, so a profile that sets them does nothing. Whoever "
		       "measured with them on an older kernel does not get that machine back.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_dead_knobs,
		.remedy = "Remove the lines.",
		.source = "tuned#655; NVIDIA's EKS profile leaves them out for that reason",
	},
	{
		.id = "cpu.timer-migration",
		.title = "Timers moved to busy CPUs",
		.why = "With migration an idle CPU stays asleep and a busy one serves its timers. Training wants that (OpenShift); "
		       "low-latency profiles turn it off, so inference may have either.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/kernel/timer_migration",
		.op = PIT_OP_ONE_OF,
		.want = "1",
		.want_inference = "0 1",
		.absent = "this kernel has no such setting",
		.knob = "kernel.timer_migration",
		.remedy = "Leave timer migration on.",
		.source = "OpenShift node performance profile 1; tuned network-latency 0",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{.id = NULL},
};
