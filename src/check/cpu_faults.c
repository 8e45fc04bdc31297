/* SPDX-License-Identifier: MIT
 *
 * What the kernel found wrong with CPUs: lockups, stalls, hung tasks, machine checks, microcode, known weaknesses.
 */
#include <stdio.h>
#include <string.h>

#include "check/catalog.h"
#include "check/cpu_values.h"
#include "check/log_rows.h"

static const struct pit_log_want soft_lockup = {
	.any = {"BUG: soft lockup - CPU#"}, .one = "soft lockup", .many = "soft lockups"};

static const struct pit_log_want hard_lockup = {
	.any = {"hard LOCKUP on cpu", "Watchdog detected hard LOCKUP"}, .one = "hard lockup", .many = "hard lockups"};

static const struct pit_log_want rcu_stall = {
	.any = {"self-detected stall on CPU", "detected stalls on CPUs/tasks", "detected expedited stalls on CPUs",
		"kthread starved for"},
	.one = "RCU stall",
	.many = "RCU stalls",
};

static const struct pit_log_want hung_task = {
	.any = {"blocked for more than", "blocked in I/O wait for more than"},
	.one = "hung task",
	.many = "hung tasks",
};

static const struct pit_log_want machine_check = {
	.any = {"mce: [Hardware Error]", "Machine check events logged", "[Hardware Error]: Corrected error",
		"[Hardware Error]: event severity: corrected"},
	.none = {"Run the above through"},
	.one = "machine check",
	.many = "machine checks",
	.calm = true,
};

static const struct pit_log_want machine_check_fatal = {
	.any = {"[Hardware Error]: Uncorrected", "[Hardware Error]: event severity: fatal", "Fatal machine check",
		"Processor context corrupt", "Uncorrected hardware memory error in user-access"},
	.one = "uncorrected hardware error",
	.many = "uncorrected hardware errors",
};

static int probe_microcode(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	int rc = pit_cpu_values_load(pit_facts_root(facts), "microcode/version", &v);

	if (rc)
		return pit_fail(err, -rc, "/sys/devices/system/cpu/cpu*/microcode/version");
	pit_want(out, "one version on all CPUs");
	for (size_t i = 0; i < v.count; i++) {
		char cpus[64];

		pit_idset_format(&v.item[i].cpus, cpus, sizeof(cpus));
		pit_evidence(out, "/sys/devices/system/cpu/cpu*/microcode/version", "%s on CPUs %s", v.item[i].text,
			     cpus);
	}
	if (v.count == 1)
		return pit_pass(out, "%s on %zu CPUs", v.item[0].text, v.cpus);
	return pit_bad(out, "%zu versions on %zu CPUs", v.count, v.cpus);
}

static int probe_weaknesses(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char dir[] = "/sys/devices/system/cpu/vulnerabilities";
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names, *cmdline;
	const char *mode = NULL;
	size_t open = 0;
	int rc = pit_root_list(root, &names, "%s", dir);

	if (rc)
		return pit_fail(err, -rc, "%s", dir);
	for (size_t i = 0; i < names->count; i++) {
		char state[128], path[128];

		snprintf(path, sizeof(path), "%s/%.48s", dir, names->item[i]);
		if (pit_root_str(root, state, sizeof(state), "%s", path) || strncmp(state, "Vulnerable", 10) != 0)
			continue;
		open++;
		pit_evidence(out, path, "%s", state);
	}
	pit_want(out, "mitigated, or turned off on purpose");
	if (!pit_facts_cmdline(facts, &cmdline, NULL))
		mode = pit_cmdline_get(cmdline, "mitigations");
	if (mode && !strcmp(mode, "off")) {
		pit_origin(out, "/proc/cmdline (mitigations=off)");
		return pit_pass(out, "%zu open, turned off on purpose", open);
	}
	if (open)
		return pit_bad(out, "%zu of %zu not mitigated", open, names->count);
	return pit_pass(out, "all %zu mitigated or not affected", names->count);
}

const struct pit_check pit_check_cpu_faults[] = {
	{
		.id = "cpu.soft-lockup",
		.title = "Soft lockups",
		.why = "A CPU was busy inside the kernel for over 20 seconds and ran nothing else. Ranks on it stood still, and "
		       "collectives time out while it lasts; in a virtual machine the host may have stopped the CPU.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_log,
		.arg = &soft_lockup,
		.remedy =
			"Read the stack below the message; look at drivers (NVIDIA, network, file system) and at steal.",
		.source = "gpud cpu; eks-node-monitoring-agent SoftLockup",
		.refs = "https://docs.kernel.org/admin-guide/lockup-watchdogs.html",
	},
	{
		.id = "cpu.hard-lockup",
		.title = "Hard lockups",
		.why = "A CPU did not even take interrupts for ten seconds or more. Hardware, firmware or a driver with "
		       "interrupts off is at fault, and the next one may take the machine down.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_log,
		.arg = &hard_lockup,
		.remedy = "Take the machine out of service and read the stack and the firmware's event log.",
		.source = "kernel's lockup watchdog",
		.refs = "https://docs.kernel.org/admin-guide/lockup-watchdogs.html",
	},
	{
		.id = "cpu.rcu-stall",
		.title = "RCU stalls",
		.why = "A CPU or task held up the whole kernel's bookkeeping for many seconds. Memory is freed late and calls hang "
		       "until it lets go.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &rcu_stall,
		.remedy = "Read the stack below the message; in a virtual machine look at steal first.",
		.source = "kernel documentation of RCU stalls",
		.refs = "https://docs.kernel.org/RCU/stallwarn.html",
	},
	{
		.id = "cpu.hung-task",
		.title = "Hung tasks",
		.why = "A task waited for over two minutes inside the kernel, mostly for storage, a network file system or a GPU "
		       "driver. It cannot be killed, and jobs that need it hang with it.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &hung_task,
		.remedy = "See what the task waits for: the stack below the message names the file system or driver.",
		.source = "gpud cpu; eks-node-monitoring-agent AppBlocked",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "cpu.machine-check",
		.title = "Machine checks",
		.why = "The CPU reported an error of its own, of a cache or of memory and corrected it. Rising numbers come before "
		       "an error that stops the machine.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_probe_log,
		.arg = &machine_check,
		.remedy = "Decode them with rasdaemon and replace the part when they return.",
		.source = "LBNL Node Health Check check_hw_mcelog",
		.refs = "https://docs.kernel.org/admin-guide/ras.html",
	},
	{
		.id = "cpu.machine-check-uncorrected",
		.title = "Uncorrected hardware errors",
		.why = "The hardware lost data and could not repair it. Results since then may be wrong, and the machine may stop "
		       "at any time.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_probe_log,
		.arg = &machine_check_fatal,
		.remedy = "Take the machine out of service and replace the part that the message names.",
		.source = "kernel documentation of RAS",
		.refs = "https://docs.kernel.org/admin-guide/ras.html",
	},
	{
		.id = "cpu.nmi-watchdog",
		.title = "Hard-lockup watchdog",
		.why = "The watchdog takes one performance counter of every CPU and interrupts it regularly. Benchmarks and "
		       "low-latency profiles turn it off; without it a hard lockup leaves no trace.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU | PIT_NEED_METAL,
		.path = "/proc/sys/kernel/nmi_watchdog",
		.op = PIT_OP_EQ,
		.want = "0",
		.absent = "this kernel has no such watchdog",
		.origin_arg = "nmi_watchdog",
		.knob = "kernel.nmi_watchdog",
		.remedy = "Turn the watchdog off while measuring or serving; keep it where lockups are being hunted.",
		.source = "tuned network-latency; MLPerf v5.0 AMD and Dell",
		.refs = "https://docs.kernel.org/admin-guide/lockup-watchdogs.html",
	},
	{
		.id = "cpu.microcode",
		.title = "Microcode of all CPUs",
		.why = "CPUs with different microcode differ in speed and in known faults. It happens when one socket was replaced "
		       "or a late update failed half-way.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL | PIT_NEED_X86,
		.probe = probe_microcode,
		.remedy = "Install the current microcode package and reboot.",
		.reboot = true,
		.source = "kernel documentation of microcode loading",
		.refs = "https://docs.kernel.org/arch/x86/microcode.html",
	},
	{
		.id = "cpu.vulnerabilities",
		.title = "Known CPU weaknesses",
		.why = "Users of a shared machine may read each other's memory through weaknesses that are not mitigated. "
		       "Mitigations cost speed, so turning them off on a machine of one user is a choice, which is respected here.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL,
		.probe = probe_weaknesses,
		.remedy =
			"Update the microcode and the kernel, or boot with mitigations=off where nobody else has access.",
		.source = "PerfSpect vulnerability table (report only)",
		.refs = "https://docs.kernel.org/admin-guide/hw-vuln/index.html",
	},
	{.id = NULL},
};
