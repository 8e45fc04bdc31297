/* SPDX-License-Identifier: MIT
 *
 * Services and timers.
 */
#include "tune/knobs.h"

#define SERVICE                                                                                                        \
	.target = PIT_TARGET_SERVICE, .value = PIT_VALUE_CHOICE, .resolve = pit_resolve_service,                       \
	.values = "running stopped enabled disabled masked", .lasts = PIT_LASTS_ITSELF

const struct pit_knob pit_knobs_services[] = {
	{
		.id = "service.tuned",
		.title = "tuned, which sets values of its own",
		SERVICE,
		.object = "tuned.service",
		.blast = "all values that tuned's profile sets: they go back when it stops",
		.checks = "kernel.tuned-profile",
		.source = "tuned(8)",
	},
	{
		.id = "service.numad",
		.title = "numad, which moves processes between nodes",
		SERVICE,
		.object = "numad.service",
		.blast = "processes that numad has placed",
		.checks = "numa.numad",
		.source = "numad(8)",
	},
	{
		.id = "irqbalance",
		.title = "irqbalance, which spreads interrupts over the CPUs",
		SERVICE,
		.object = "irqbalance.service",
		.blast = "interrupts of all devices",
		.disturbs = "/proc/irq/*/smp_affinity_list",
		.checks = "irq.one-cpu irq.irqbalance",
		.source = "irqbalance(1)",
	},
	{
		.id = "service.nvidia-persistenced",
		.title = "NVIDIA's persistence daemon",
		SERVICE,
		.object = "nvidia-persistenced.service",
		.blast = "all GPUs: the driver stays loaded between jobs",
		.checks = "gpu.device-nodes gpu.persistenced",
		.source = "NVIDIA driver README: nvidia-persistenced",
	},
	{
		.id = "service.nvidia-fabricmanager",
		.title = "NVIDIA's fabric manager for NVSwitch",
		SERVICE,
		.object = "nvidia-fabricmanager.service",
		.blast = "all GPUs behind NVSwitches; stopping it ends their jobs",
		.checks = "gpu.fabric-manager",
		.source = "NVIDIA Fabric Manager user guide",
	},
	{
		.id = "service.apt-daily-upgrade",
		.title = "Timer of apt's unattended upgrades",
		SERVICE,
		.object = "apt-daily-upgrade.timer",
		.blast = "security updates are installed by hand then",
		.checks = "kernel.unattended-upgrades kernel.timers",
		.source = "apt.systemd.daily; GKE A3 Ultra image: off",
	},
	{
		.id = "service.dnf-automatic",
		.title = "Timer of dnf's unattended upgrades",
		SERVICE,
		.object = "dnf-automatic.timer",
		.blast = "security updates are installed by hand then",
		.checks = "kernel.unattended-upgrades",
		.source = "dnf-automatic(8)",
	},
	{
		.id = "service.dnf-automatic-install",
		.title = "Timer of dnf's unattended upgrades, installing variant",
		SERVICE,
		.object = "dnf-automatic-install.timer",
		.blast = "security updates are installed by hand then",
		.checks = "kernel.unattended-upgrades",
		.source = "dnf-automatic(8)",
	},
	{
		.id = "service.fwupd-refresh",
		.title = "Timer that fetches lists of firmware",
		SERVICE,
		.object = "fwupd-refresh.timer",
		.blast = "news of firmware come later",
		.checks = "kernel.timers",
		.source = "OpenShift node performance profile stops it",
	},
	{
		.id = "service.plocate-updatedb",
		.title = "Timer that indexes all file names for plocate",
		SERVICE,
		.object = "plocate-updatedb.timer",
		.blast = "locate(1) knows no new files",
		.checks = "kernel.timers",
		.source = "updatedb.plocate(8)",
	},
	{
		.id = "service.fstrim",
		.title = "Timer that tells flash of freed blocks",
		SERVICE,
		.object = "fstrim.timer",
		.blast = "mounted file systems on flash, once a week",
		.checks = "storage.trim",
		.source = "fstrim(8)",
	},
	{.id = NULL},
};
