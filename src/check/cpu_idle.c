/* SPDX-License-Identifier: MIT
 *
 * How CPUs sleep, which clock they read, and which of them are there at all.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/cpu_values.h"
#include "check/log_rows.h"

#define SAMPLED 8 /* CPUs whose idle states are read */

/* Exit latency that is still fine, in us. Training: tuned's accelerator-performance; inference: C1 and C1E of current
 * CPUs stay below it, all deeper states lie above. */
#define LATENCY_TRAINING 99
#define LATENCY_INFERENCE 10

struct deep {
	char name[32];
	uint64_t latency; /* us */
	uint64_t used_us; /* in the deep states of all sampled CPUs */
	uint64_t entered;
	unsigned cpus; /* sampled */
	bool allowed;  /* some deep state is not disabled */
};

static void look_at_state(struct pit_root *root, const char *dir, uint64_t limit, struct deep *d)
{
	uint64_t latency, off = 0, us = 0, count = 0;

	if (pit_root_u64(root, &latency, "%s/latency", dir) || latency <= limit)
		return;
	(void)pit_root_u64(root, &off, "%s/disable", dir);
	if (off)
		return;
	(void)pit_root_u64(root, &us, "%s/time", dir);
	(void)pit_root_u64(root, &count, "%s/usage", dir);
	d->allowed = true;
	d->used_us += us;
	d->entered += count;
	if (latency > d->latency) {
		d->latency = latency;
		if (pit_root_str(root, d->name, sizeof(d->name), "%s/name", dir))
			d->name[0] = '\0';
	}
}

/* Reads the states of a few CPUs spread over the machine; false when none has any. */
static bool sample_states(struct pit_root *root, uint64_t limit, struct deep *ret)
{
	pit_auto_idset struct pit_idset online = {0};
	const struct pit_strv *states;
	size_t step, count, at = 0;
	bool any = false;

	if (pit_cpus_online(root, &online))
		return false;
	count = pit_idset_count(&online);
	step = count > SAMPLED ? count / SAMPLED : 1;
	PIT_IDSET_FOREACH (cpu, &online) {
		if (at++ % step || ret->cpus == SAMPLED ||
		    pit_root_list(root, &states, "/sys/devices/system/cpu/cpu%d/cpuidle", cpu))
			continue;
		ret->cpus++;
		any |= states->count > 0;
		for (size_t i = 0; i < states->count; i++) {
			char dir[160];

			snprintf(dir, sizeof(dir), "/sys/devices/system/cpu/cpu%d/cpuidle/%s", cpu, states->item[i]);
			look_at_state(root, dir, limit, ret);
		}
	}
	return any;
}

/* The fact "cpu_dma_latency". Whoever opens the device adds a demand of its own, which without a write is none. */
static int make_qos(const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_close int fd = open("/dev/cpu_dma_latency", O_RDONLY | O_CLOEXEC);
	int32_t us;

	if (fd < 0)
		return -errno;
	if (read(fd, &us, sizeof(us)) != (ssize_t)sizeof(us))
		return -EBADMSG;
	pit_buf_printf(out, "%d\n", us);
	return 0;
}

/* The latency in us that some process demands of all CPUs; -1 unknown or none. */
static int64_t demanded_latency(struct pit_root *root)
{
	struct pit_text text;
	int64_t us;

	if (pit_root_fact(root, "cpu_dma_latency", make_qos, NULL, &text) || pit_parse_i64(text.data, &us))
		return -1;
	return us;
}

static int probe_cstates(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	uint64_t limit = inference ? LATENCY_INFERENCE : LATENCY_TRAINING;
	struct deep d = {0};
	int64_t qos;
	double up = 0, share = 0;

	if (!sample_states(root, limit, &d))
		return pit_fail(err, ENOENT, "no idle states here; the hypervisor or the firmware decides");
	pit_want(out, "no state that takes more than %d us to leave", (int)limit);
	if (!d.allowed)
		return pit_pass(out, "no enabled state above %d us", (int)limit);
	(void)pit_uptime(facts, &up, NULL);
	if (up > 0 && d.cpus)
		share = (double)d.used_us / 1e4 / up / d.cpus;
	pit_evidence(out, "/sys/devices/system/cpu/cpu*/cpuidle",
		     "%s: %d us to leave; entered %llu times, %.0f%% of %d CPUs' time",
		     d.name[0] ? d.name : "deepest state", (int)d.latency, (unsigned long long)d.entered, share,
		     (int)d.cpus);
	qos = demanded_latency(root);
	if (qos >= 0 && (uint64_t)qos <= limit) {
		pit_evidence(out, "/dev/cpu_dma_latency", "%d us demanded", (int)qos);
		return pit_pass(out, "a process demands %d us or less", (int)qos);
	}
	if (share < 1)
		return pit_pass(out, "%s is hardly used", d.name[0] ? d.name : "the deepest state");
	return pit_bad(out, "%s: %d us to leave, %.0f%% of the time", d.name[0] ? d.name : "deepest state",
		       (int)d.latency, share);
}

static int probe_idle_arguments(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
				struct pit_error *err)
{
	const struct pit_strv *cmdline;
	const char *idle, *intel, *acpi, *off;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	idle = pit_cmdline_get(cmdline, "idle");
	intel = pit_cmdline_get(cmdline, "intel_idle.max_cstate");
	acpi = pit_cmdline_get(cmdline, "processor.max_cstate");
	off = pit_cmdline_get(cmdline, "cpuidle.off");
	pit_want(out, "no idle=poll, and no intel_idle.max_cstate=0 on its own");
	if (idle && !strcmp(idle, "poll")) {
		pit_evidence(out, "/proc/cmdline", "idle=poll");
		return pit_bad(out, "idle=poll");
	}
	if (intel && !strcmp(intel, "0") && !acpi && !(off && !strcmp(off, "1"))) {
		pit_evidence(out, "/proc/cmdline",
			     "intel_idle.max_cstate=0 hands over to acpi_idle, which may sleep deeply");
		return pit_bad(out, "intel_idle.max_cstate=0 without processor.max_cstate");
	}
	if (intel || acpi)
		return pit_pass(out, "max_cstate %s", intel ? intel : acpi);
	return pit_pass(out, "no idle argument");
}

static const struct {
	const char *name;
	bool good;
	const char *what;
} clocks[] = {
	{.name = "tsc", .good = true, .what = "read without a system call"},
	{.name = "arch_sys_counter", .good = true, .what = "read without a system call"},
	{.name = "timebase", .good = true, .what = "read without a system call"},
	{.name = "riscv_clocksource", .good = true, .what = "read without a system call"},
	{.name = "kvm-clock", .good = true, .what = "the hypervisor's, read without a system call"},
	{.name = "hyperv_clocksource_tsc_page", .good = true, .what = "the hypervisor's, read without a system call"},
	{.name = "hyperv_clocksource_msr", .good = false, .what = "each reading leaves the virtual machine"},
	{.name = "xen", .good = false, .what = "slower than tsc; Amazon advises tsc where it is offered"},
	{.name = "hpet", .good = false, .what = "each reading is a system call and a slow device access"},
	{.name = "acpi_pm", .good = false, .what = "each reading is a system call and a slow port access"},
	{.name = "jiffies", .good = false, .what = "no finer than a timer tick"},
	{.name = "refined-jiffies", .good = false, .what = "no finer than a timer tick"},
};

static int probe_clocksource(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			     struct pit_error *err)
{
	static const char dir[] = "/sys/devices/system/clocksource/clocksource0";
	struct pit_root *root = pit_facts_root(facts);
	char name[64], offered[256] = "";
	int rc = pit_root_str(root, name, sizeof(name), "%s/current_clocksource", dir);

	if (rc)
		return pit_fail(err, -rc, "%s/current_clocksource", dir);
	(void)pit_root_str(root, offered, sizeof(offered), "%s/available_clocksource", dir);
	pit_want(out, "tsc, or the hypervisor's own clock in a virtual machine");
	pit_evidence(out, dir, "%s of: %s", name, offered);
	for (size_t i = 0; i < PIT_COUNT(clocks); i++) {
		if (strcmp(name, clocks[i].name) != 0)
			continue;
		if (clocks[i].good)
			return pit_pass(out, "%s", name);
		if (strstr(offered, "tsc"))
			pit_command(out, "echo tsc > %s/current_clocksource", dir);
		return pit_bad(out, "%s: %s", name, clocks[i].what);
	}
	return pit_pass(out, "%s", name);
}

static int probe_smt(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	const struct pit_strv *cmdline;
	char state[32];
	int rc = pit_root_str(pit_facts_root(facts), state, sizeof(state), "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no switch for hardware threads");
	pit_evidence(out, row->path, "%s", state);
	pit_want(out, inference ? "any; measure both" : "on");
	if (strcmp(state, "off") != 0 && strcmp(state, "forceoff") != 0)
		return pit_pass(out, "%s", state);
	if (!pit_facts_cmdline(facts, &cmdline, NULL) && pit_cmdline_get(cmdline, "nosmt"))
		pit_origin(out, "/proc/cmdline (nosmt)");
	return inference ? pit_pass(out, "%s", state) : pit_bad(out, "%s", state);
}

static int probe_offline(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_idset struct pit_idset present = {0}, online = {0};
	char smt[32] = "", cpus[64];
	int rc = pit_root_idset(root, &present, "/sys/devices/system/cpu/present");

	if (!rc)
		rc = pit_root_idset(root, &online, "/sys/devices/system/cpu/online");
	if (rc)
		return pit_fail(err, -rc, "/sys/devices/system/cpu/present or online");
	pit_idset_subtract(&present, &online);
	pit_want(out, "every CPU that is present is online");
	if (pit_idset_is_empty(&present))
		return pit_pass(out, "all %zu CPUs are online", pit_idset_count(&online));
	pit_idset_format(&present, cpus, sizeof(cpus));
	pit_evidence(out, "/sys/devices/system/cpu", "present but offline: %s", cpus);
	(void)pit_root_str(root, smt, sizeof(smt), "/sys/devices/system/cpu/smt/control");
	if (!strcmp(smt, "off") || !strcmp(smt, "forceoff"))
		return pit_pass(out, "%zu hardware threads are off with SMT", pit_idset_count(&present));
	pit_command(out, "echo 1 > /sys/devices/system/cpu/cpu%d/online", pit_idset_next(&present, 0));
	return pit_bad(out, "%zu CPUs offline (%s)", pit_idset_count(&present), cpus);
}

static int probe_capacity(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	char big[128], little[128];
	int rc;

	pit_want(out, "CPUs of one speed, or ranks bound to the fast ones");
	if (!pit_root_str(root, big, sizeof(big), "/sys/devices/cpu_core/cpus") &&
	    !pit_root_str(root, little, sizeof(little), "/sys/devices/cpu_atom/cpus") && little[0]) {
		pit_evidence(out, "/sys/devices/cpu_core/cpus", "%s", big);
		pit_evidence(out, "/sys/devices/cpu_atom/cpus", "%s", little);
		return pit_bad(out, "slow cores %s beside fast cores %s", little, big);
	}
	rc = pit_cpu_values_load(root, "cpu_capacity", &v);
	if (rc == -ENOENT)
		return pit_fail(err, ENOENT, "the kernel does not rate the CPUs' speed");
	if (rc)
		return pit_fail(err, -rc, "/sys/devices/system/cpu/cpu*/cpu_capacity");
	for (size_t i = 0; i < v.count; i++) {
		pit_idset_format(&v.item[i].cpus, big, sizeof(big));
		pit_evidence(out, "/sys/devices/system/cpu/cpu*/cpu_capacity", "%s on CPUs %s", v.item[i].text, big);
	}
	if (v.count == 1)
		return pit_pass(out, "all CPUs are rated alike");
	return pit_bad(out, "CPUs of %zu different speeds", v.count);
}

static const struct pit_log_want tsc_unstable = {
	.any = {"Marking clocksource 'tsc' as unstable", "Marking clocksource 'tsc-early' as unstable",
		"Marking TSC unstable"},
	.one = "message that marks the TSC unstable",
	.many = "messages that mark the TSC unstable",
};

const struct pit_check pit_check_cpu_idle[] = {
	{
		.id = "cpu.cstates",
		.title = "Deep idle states by exit latency",
		.why = "A core in a deep state needs 100 us and more to wake, which delays interrupts, kernel launches and "
		       "network completions. Inference feels each wake-up; training feels states above 99 us when ranks "
		       "wait for each other.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_cstates,
		.knob = "cpu.cstates",
		.remedy =
			"Keep idle states above the limit out of use while jobs run (PM QoS, or cpupower idle-set -D).",
		.source = "tuned accelerator-performance force_latency=99; latency-performance allows C1 only",
		.refs = "https://docs.kernel.org/admin-guide/pm/cpuidle.html",
	},
	{
		.id = "cpu.idle-arguments",
		.title = "Idle arguments on the kernel command line",
		.why = "idle=poll keeps every core hot and takes turbo and the sibling thread's share away. "
		       "intel_idle.max_cstate=0 alone does not forbid deep states, because acpi_idle takes over.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_idle_arguments,
		.knob = "cmdline.idle cmdline.intel_idle.max_cstate cmdline.processor.max_cstate",
		.remedy = "Use intel_idle.max_cstate=1 together with processor.max_cstate=1, or PM QoS at run time.",
		.reboot = true,
		.source = "amazon-eks-ami limit-c-states; kernel documentation of intel_idle",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_idle.html",
	},
	{
		.id = "cpu.clocksource",
		.title = "Clock that the kernel reads",
		.why = "With hpet or acpi_pm each look at the clock is a system call of a microsecond or more. Profilers, "
		       "loggers, NCCL and Python look at it millions of times.",
		.area = PIT_AREA_CPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_clocksource,
		.knob = "cpu.clocksource cmdline.clocksource",
		.remedy = "Switch to tsc; when the kernel marked it unstable, find out why in its log first.",
		.source = "amazon-eks-ami set-clocksource; gcm check-clocksource",
		.refs = "https://docs.kernel.org/virt/kvm/x86/timekeeping.html",
	},
	{
		.id = "cpu.tsc-unstable",
		.title = "TSC marked unstable",
		.why = "The kernel saw the CPUs' clocks disagree and fell back to a slow clock. Every reading of the time costs "
		       "more until the next boot, and firmware or hardware may be at fault.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL | PIT_NEED_X86,
		.probe = pit_probe_log,
		.arg = &tsc_unstable,
		.remedy = "Update the firmware; boot with tsc=reliable only when the clocks are known to agree.",
		.source = "kernel's clocksource watchdog",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "cpu.smt",
		.title = "Hardware threads (SMT)",
		.why = "Loader workers wait for memory most of the time, so a second thread per core helps training. The "
		       "field disagrees: some networks and inference servers run steadier without it, so measure both.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.path = "/sys/devices/system/cpu/smt/control",
		.probe = probe_smt,
		.remedy = "Turn SMT on for training unless a measurement on this machine says otherwise.",
		.command = "echo on > /sys/devices/system/cpu/smt/control",
		.source = "PerfSpect (on); stas00 ml-engineering (measure both)",
		.refs = "https://docs.kernel.org/admin-guide/hw-vuln/l1tf.html",
	},
	{
		.id = "cpu.offline",
		.title = "Offline CPUs",
		.why = "CPUs that are present but offline are lost for loaders and ranks. It happens after a benchmark, a "
		       "maxcpus= argument, or a fault that took a core out.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_offline,
		.remedy = "Bring the CPUs online, or look for maxcpus= and for machine checks.",
		.source = "nhc check_hw_cpuinfo",
		.refs = "https://docs.kernel.org/core-api/cpu_hotplug.html",
	},
	{
		.id = "cpu.capacity",
		.title = "Fast and slow CPUs in one machine",
		.why = "A rank or loader on a slow core holds up all others at each synchronisation. It happens on hybrid and "
		       "big.LITTLE machines without binding.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_capacity,
		.remedy = "Bind ranks and loaders to the fast cores.",
		.source = "kernel documentation of capacity-aware scheduling",
		.refs = "https://docs.kernel.org/scheduler/sched-capacity.html",
	},
	{.id = NULL},
};
