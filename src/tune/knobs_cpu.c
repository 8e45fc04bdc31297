/* SPDX-License-Identifier: MIT
 *
 * Clocks and idle states of CPUs.
 */
#include "tune/knobs.h"

#define CPUS "/sys/devices/system/cpu"
#define POLICIES CPUS "/cpufreq/policy*"

const struct pit_knob pit_knobs_cpu[] = {
	{
		.id = "cpu.platform-profile",
		.title = "Firmware's platform profile",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = "/sys/firmware/acpi/platform_profile",
		.values = "performance balanced-performance balanced quiet cool low-power",
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power and noise",
		.checks = "cpu.platform-profile",
		.source = "kernel documentation of sysfs-platform_profile",
	},
	{
		.id = "cpu.turbo",
		.title = "Turbo (boost)",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_BOOL,
		.resolve = pit_resolve_turbo,
		.values = "on, off",
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power and heat",
		/* A cap in scaling_max_freq moves along with boost, and intel_pstate squashes its floor. */
		.disturbs = POLICIES "/scaling_max_freq " POLICIES "/boost " CPUS "/intel_pstate/min_perf_pct",
		.checks = "cpu.turbo",
		.source = "kernel documentation of cpufreq and intel_pstate",
	},
	{
		.id = "cpu.min-perf",
		.title = "Lowest performance level of intel_pstate, in percent",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.object = CPUS "/intel_pstate/min_perf_pct",
		.least = 1,
		.most = 100,
		.rounds = true, /* to what the CPU can do, and below max_perf_pct */
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "all CPUs; power",
		.checks = "cpu.min-perf",
		.source = "kernel documentation of intel_pstate",
	},
	{
		/* Before the governor: with performance the kernel refuses other hints, and undoing walks backwards. */
		.id = "cpu.epp",
		.title = "Energy hint to the CPU (EPP)",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = POLICIES "/energy_performance_preference",
		.values = "performance balance_performance balance_power power default",
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power",
		.checks = "cpu.epp",
		.source = "kernel documentation of intel_pstate and amd-pstate",
	},
	{
		.id = "cpu.epb",
		.title = "Energy bias of the CPU (EPB): 0 performance, 15 power",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.object = CPUS "/cpu*/power/energy_perf_bias",
		.most = 15,
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power",
		.checks = "cpu.epb",
		.source = "kernel documentation of intel_epb",
	},
	{
		.id = "cpu.governor",
		.title = "Frequency governor",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = POLICIES "/scaling_governor",
		.values = "performance schedutil ondemand conservative powersave userspace",
		/* The driver may be a module that loads after udev has seen the CPUs. */
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power",
		/* performance overrides the hint, and a governor's own settings live only as long as it is used. */
		.disturbs = POLICIES "/energy_performance_preference " POLICIES "/schedutil/rate_limit_us " CPUS
				     "/cpufreq/ondemand/* " CPUS "/cpufreq/conservative/*",
		.checks = "cpu.governor",
		.source = "kernel documentation of cpufreq",
	},
	{
		.id = "cpu.cstates",
		.title = "Longest time that an idle CPU may take to wake up",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_BOOL,
		.resolve = pit_resolve_cstates,
		.values = "N us; N us held: by a service, from the next boot on",
		.lasts = PIT_LASTS_BOOT,
		.blast = "all CPUs; power, and turbo of the busy ones",
		.checks = "cpu.cstates",
		.source = "kernel documentation of cpuidle",
	},
	{
		.id = "cpu.clocksource",
		.title = "Clock that the kernel reads",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = "/sys/devices/system/clocksource/clocksource0/current_clocksource",
		.values = "tsc kvm-clock hyperv_clocksource_tsc_page arch_sys_counter xen hpet acpi_pm",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = PIT_BLAST_ALL " that read the time",
		.checks = "cpu.clocksource",
		.source = "kernel documentation of timekeeping; amazon-eks-ami set-clocksource: tsc",
	},
	{.id = NULL},
};
