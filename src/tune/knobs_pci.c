/* SPDX-License-Identifier: MIT
 *
 * Power saving of PCI devices and links.
 */
#include "tune/knobs.h"

const struct pit_knob pit_knobs_pci[] = {
	{
		.id = "pci.runtime-power",
		.title = "Whether a PCI device may sleep: on never, auto when idle",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = "/sys/bus/pci/devices/*/power/control",
		.values = "on auto",
		.lasts = PIT_LASTS_UDEV,
		.udev = "ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{power/control}=\"%s\"",
		.blast = "these devices; power",
		.checks = "pci.runtime-power",
		.source = "NVIDIA Grace benchmarking guide: on; kernel documentation of runtime_pm",
	},
	{
		.id = "pci.aspm",
		.title = "Power saving of PCIe links",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = "/sys/module/pcie_aspm/parameters/policy",
		.values = "default performance powersave powersupersave",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "all PCIe devices; power",
		.checks = "pci.aspm",
		.source = "kernel documentation of kernel-parameters: pcie_aspm",
	},
	{.id = NULL},
};
