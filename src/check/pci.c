/* SPDX-License-Identifier: MIT
 *
 * What the PCI fabric lets devices do: isolation, translation, power, space.
 */
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "base/parse.h"
#include "check/catalog.h"
#include "check/facts.h"
#include "check/pci_config.h"
#include "check/pci_list.h"

#define DEVICES "/sys/bus/pci/devices"

static bool matters(const struct pit_pci *d)
{
	return pit_pci_is_gpu(d, 0) || pit_pci_is_nic(d) || pit_pci_is_nvme(d);
}

static bool is_given_away(struct pit_root *root, const struct pit_pci *d)
{
	char driver[32];

	pit_pci_driver(root, d, driver, sizeof(driver));
	return !strcmp(driver, "vfio-pci");
}

/* Bridges above the GPUs; *ret_given: a GPU belongs to a virtual machine, which needs the isolation. */
static int bridges_of_gpus(struct pit_root *root, const struct pit_pcis *pcis, struct pit_strv *ret, bool *ret_given)
{
	int rc = 0;

	*ret_given = false;
	for (size_t i = 0; i < pcis->count && !rc; i++) {
		pit_auto_strv struct pit_strv above = {0};

		if (!pit_pci_is_gpu(&pcis->item[i], 0))
			continue;
		*ret_given |= is_given_away(root, &pcis->item[i]);
		if (pit_pci_above(root, pcis->item[i].address, &above))
			continue;
		for (size_t j = 0; j < above.count && !rc; j++)
			if (!pit_strv_has(ret, above.item[j]))
				rc = pit_strv_add(ret, above.item[j]);
	}
	return rc;
}

/* ACS control of a bridge; -ENOENT it has none, -EPERM only root may see. */
static int acs_of(struct pit_root *root, const char *address)
{
	struct pit_text config;
	size_t at;
	int rc = pit_root_read(root, &config, DEVICES "/%s/config", address);

	if (!rc)
		rc = pit_config_extended(&config, PIT_EXT_ACS, &at);
	return rc ? rc : (int)pit_config_u16(&config, at + PIT_ACS_CONTROL);
}

static int judge_acs(struct pit_root *root, const struct pit_strv *bridges, struct pit_finding *out,
		     struct pit_error *err)
{
	size_t seen = 0, redirecting = 0;
	int refused = 0;

	for (size_t i = 0; i < bridges->count; i++) {
		int control = acs_of(root, bridges->item[i]);

		refused = control < 0 && control != -ENOENT ? control : refused;
		seen += control >= 0 || control == -ENOENT;
		if (control <= 0 || !(control & PIT_ACS_REDIRECT))
			continue;
		redirecting++;
		pit_evidence(out, bridges->item[i], "ACS control 0x%04x redirects peer traffic", (unsigned)control);
	}
	pit_want(out, "no redirection on the bridges above GPUs");
	if (redirecting)
		return pit_bad(out, "redirects on %zu of %zu bridges", redirecting, bridges->count);
	if (refused)
		return pit_fail(err, -refused, "the configuration space of bridges (only root sees ACS)");
	return pit_pass(out, "no redirection on %zu bridge%s", seen, seen == 1 ? "" : "s");
}

static int probe_acs(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	pit_auto_strv struct pit_strv bridges = {0};
	bool given;
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	rc = bridges_of_gpus(root, &pcis, &bridges, &given);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	if (!pit_pcis_count_gpus(&pcis, 0) || !bridges.count)
		return pit_skip(out, "no GPU behind a bridge");
	if (given)
		return pit_skip(out, "GPUs are given to virtual machines, which need ACS");
	return judge_acs(root, &bridges, out, err);
}

/* Name of the IOMMU group's domain type; false when the device is in no group or it is unknown. */
static bool domain_of(struct pit_root *root, const struct pit_pci *d, char *type, size_t size)
{
	const char *target;

	if (pit_root_link(root, &target, DEVICES "/%s/iommu_group", d->address))
		return false;
	return !pit_root_str(root, type, size, "/sys/kernel/iommu_groups/%s/type", pit_base_name(target));
}

static int probe_iommu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t known = 0, translated = 0;
	char type[32];
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char label[48];

		if (!matters(&pcis.item[i]) || is_given_away(root, &pcis.item[i]) ||
		    !domain_of(root, &pcis.item[i], type, sizeof(type)))
			continue;
		known++;
		if (strncmp(type, "DMA", 3) != 0)
			continue;
		translated++;
		pit_evidence(out, pit_pci_label(&pcis.item[i], label, sizeof(label)), "IOMMU domain %s", type);
	}
	pit_want(out, "identity (passthrough)");
	if (!known)
		return pit_pass(out, "no device is behind an IOMMU");
	if (translated)
		return pit_bad(out, "DMA is translated for %zu of %zu devices", translated, known);
	return pit_pass(out, "passthrough for %zu devices", known);
}

static int probe_realloc(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const struct pit_strv *cmdline;
	bool on = false;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < cmdline->count; i++) {
		pit_auto_strv struct pit_strv words = {0};

		if (strncmp(cmdline->item[i], "pci=", 4) != 0 || pit_strv_split(&words, cmdline->item[i] + 4, ","))
			continue;
		pit_evidence(out, "/proc/cmdline", "%s", cmdline->item[i]);
		for (size_t j = 0; j < words.count; j++)
			if (!strncmp(words.item[j], "realloc", 7))
				on = strcmp(words.item[j], "realloc=off") != 0;
	}
	pit_want(out, "pci=realloc=off, or not set");
	return on ? pit_bad(out, "pci=realloc is on") : pit_pass(out, "not forced");
}

/* Lines of the log that hold one of the words of a list; row->arg. */
struct pattern {
	const char *all[3]; /* each must be there */
	const char *none;   /* must not; NULL */
};
struct patterns {
	const struct pattern *item;
	size_t count;
	const char *good;
};

static bool is_like(const char *line, const struct pattern *p)
{
	for (size_t i = 0; i < PIT_COUNT(p->all) && p->all[i]; i++)
		if (!strstr(line, p->all[i]))
			return false;
	return !p->none || !strstr(line, p->none);
}

static bool is_any(const char *line, const struct patterns *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (is_like(line, &p->item[i]))
			return true;
	return false;
}

static int probe_log(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const struct patterns *p = row->arg;
	const struct pit_strv *devices;
	const struct pit_kmsg *log;
	const char *last = NULL;
	size_t found = 0;
	int rc = pit_facts_kmsg(facts, &log, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < log->count; i++) {
		if (!is_any(log->item[i].text, p))
			continue;
		found++;
		last = log->item[i].text;
		pit_evidence(out, log->source, "%.300s", last);
	}
	/* Silence says something only of a bus that is there. */
	rc = found ? 0 : pit_root_list(pit_facts_root(facts), &devices, DEVICES);
	if (rc)
		return pit_fail(err, -rc, DEVICES);
	if (!found)
		return pit_pass(out, "%s", p->good);
	return pit_bad(out, "%zu line%s: %.80s", found, found == 1 ? "" : "s", last);
}

/* The kernel's sentence of __pcie_print_link_status. */
static const struct pattern limited_lines[] = {{.all = {"available PCIe bandwidth, limited by"}}};
static const struct patterns limited = {
	.item = limited_lines,
	.count = PIT_COUNT(limited_lines),
	.good = "the kernel found no limited link",
};

/* Windows for I/O ports, which nothing here uses, are often missing. */
static const struct pattern space_lines[] = {
	{.all = {"BAR ", "no space for"}, .none = "[io "},
	{.all = {"BAR ", "can't assign; no space"}, .none = "[io "},
	{.all = {"BAR ", "failed to assign"}, .none = "[io "},
	{.all = {"NVRM: This PCI I/O region assigned to your NVIDIA device is invalid"}},
};
static const struct patterns space = {
	.item = space_lines,
	.count = PIT_COUNT(space_lines),
	.good = "every device got its memory windows",
};

static const struct pattern down_lines[] = {
	{.all = {"pciehp", "Link Down"}},
	{.all = {"pciehp", "Card not present"}},
	{.all = {"device lost from bus"}},
	{.all = {"Unable to change power state", "device inaccessible"}},
};
static const struct patterns down = {
	.item = down_lines,
	.count = PIT_COUNT(down_lines),
	.good = "no device disappeared",
};

static int probe_enabled(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t seen = 0, off = 0;
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char driver[32], label[48];
		int64_t enabled;

		pit_pci_driver(root, &pcis.item[i], driver, sizeof(driver));
		if (!matters(&pcis.item[i]) || !driver[0] || !strcmp(driver, "vfio-pci") ||
		    pit_root_i64(root, &enabled, DEVICES "/%s/enable", pcis.item[i].address))
			continue;
		seen++;
		off += enabled == 0;
		if (!enabled)
			pit_evidence(out, pit_pci_label(&pcis.item[i], label, sizeof(label)), "enable is 0, driver %s",
				     driver);
	}
	pit_want(out, "enabled");
	if (!seen)
		return pit_skip(out, "no GPU, NIC or NVMe with a driver");
	if (off)
		return pit_bad(out, "%zu of %zu devices are disabled", off, seen);
	return pit_pass(out, "%zu device%s enabled", seen, seen == 1 ? " is" : "s are");
}

static bool sleeps(struct pit_root *root, const struct pit_pci *d)
{
	char control[16], status[24];

	return !pit_root_str(root, control, sizeof(control), DEVICES "/%s/power/control", d->address) &&
	       !strcmp(control, "auto") &&
	       !pit_root_str(root, status, sizeof(status), DEVICES "/%s/power/runtime_status", d->address) &&
	       !strcmp(status, "suspended");
}

/* "auto" alone is the default of many drivers and costs nothing while the device works. */
static int probe_power(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t seen = 0, asleep = 0;
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char label[48];

		if (!matters(&pcis.item[i]))
			continue;
		seen++;
		if (!sleeps(root, &pcis.item[i]))
			continue;
		asleep++;
		pit_evidence(out, pit_pci_label(&pcis.item[i], label, sizeof(label)),
			     "suspended, power/control is auto");
		pit_command(out, "echo on > " DEVICES "/%s/power/control", pcis.item[i].address);
	}
	pit_want(out, "none is suspended");
	if (!seen)
		return pit_skip(out, "no GPU, NIC or NVMe here");
	if (asleep)
		return pit_bad(out, "%zu of %zu devices are suspended", asleep, seen);
	return pit_pass(out, "none of %zu is suspended", seen);
}

/* The largest of the lines "start end flags"; 0 unknown. */
static uint64_t largest_window(const char *text)
{
	uint64_t start, end, largest = 0;

	for (int i = 0; text && i < 6; i++) {
		if (sscanf(text, "%" SCNx64 " %" SCNx64, &start, &end) == 2 && end > start && end - start >= largest)
			largest = end - start + 1;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return largest;
}

static uint64_t memory_of(const json_t *gpu)
{
	json_int_t total = json_integer_value(json_object_get(json_object_get(gpu, "memory"), "total"));

	return total > 0 ? (uint64_t)total : 0;
}

static int probe_window(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	const json_t *nvml, *gpu;
	size_t i, known = 0, small = 0;
	char window[32] = "", memory[32];
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		const char *pci = json_string_value(json_object_get(gpu, "pci"));
		struct pit_text text;
		uint64_t size = 0;

		if (pci && memory_of(gpu) && !pit_root_read(pit_facts_root(facts), &text, DEVICES "/%s/resource", pci))
			size = largest_window(text.data);
		known += size > 0;
		if (!size || size * 10 >= memory_of(gpu) * 9)
			continue;
		small++;
		pit_format_size(size, window, sizeof(window));
		pit_evidence(out, pci, "window of %s for %s", window,
			     pit_format_size(memory_of(gpu), memory, sizeof(memory)));
	}
	pit_want(out, "a window as large as the GPU's memory");
	if (!known)
		return pit_skip(out, "no GPU whose windows are known");
	if (small)
		return pit_bad(out, "only %s on %zu of %zu GPUs", window, small, known);
	return pit_pass(out, "all memory of %zu GPU%s", known, known == 1 ? "" : "s");
}

const struct pit_check pit_check_pci[] = {
	{
		.id = "pci.acs",
		.title = "ACS does not redirect traffic between GPUs",
		.why = "With ACS redirection GPUs, NICs and disks behind one switch talk to each other through the CPU's root "
		       "port, at a fraction of the speed. Bare metal wants it off; a host that gives GPUs to virtual machines "
		       "needs it.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = probe_acs,
		.knob = "cmdline.pci",
		.remedy = "Switch ACS off in the firmware, or boot with pci=disable_acs_redir= for these bridges.",
		.reboot = true,
		.source = "NVIDIA nvidia-acs-disable profile, ROCm cvs, leptonai/gpud (not in VMs)",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html",
	},
	{
		.id = "pci.iommu",
		.title = "The IOMMU passes DMA through",
		.why = "With translation every DMA of NICs, disks and GPUs takes table lookups, and peer traffic can break or "
		       "slow down. Bare metal wants passthrough; in a virtual machine the host decides.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU | PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = probe_iommu,
		.knob = "cmdline.iommu cmdline.iommu.passthrough",
		.remedy = "Boot with iommu=pt (x86) or iommu.passthrough=1 (arm64).",
		.reboot = true,
		.source = "NVIDIA h100 and gb200 profiles, ROCm cvs, hotsos",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "pci.realloc",
		.title = "The kernel does not redistribute PCI windows",
		.why = "pci=realloc lets the kernel move the windows that the firmware laid out, which can leave large GPUs "
		       "without one. It is copied from recipes for other machines.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_realloc,
		.knob = "cmdline.pci",
		.remedy = "Remove pci=realloc, or set pci=realloc=off.",
		.reboot = true,
		.source = "NVIDIA h100-performance profile: pci=realloc=off",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "pci.space",
		.title = "Every PCI device got its memory windows",
		.why = "A device without its window does not work, or works without peer access. Large GPUs need 64-bit windows "
		       "(above 4G decoding) from the firmware or hypervisor.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_log,
		.arg = &space,
		.remedy =
			"Enable above 4G decoding and resizable BAR in the firmware, or a larger 64-bit window in the "
			"hypervisor.",
		.reboot = true,
		.source = "Linux PCI core messages",
	},
	{
		.id = "pci.limited",
		.title = "No device on a narrower link than it could use",
		.why = "The kernel itself says at boot that a device could do more than its link. A NIC or NVMe on half its lanes "
		       "moves half the data.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL,
		.probe = probe_log,
		.arg = &limited,
		.remedy = "Put the device into a slot with the full link, or reseat it.",
		.source = "imbue cluster-health dmesg check",
	},
	{
		.id = "pci.link-down",
		.title = "No PCI device disappeared",
		.why = "A device that left the bus took its jobs with it, and may do so again. Power, heat, cables or the device "
		       "itself are the cause.",
		.area = PIT_AREA_PCI,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_log,
		.arg = &down,
		.remedy = "Check power, seating and temperature of that slot; power-cycle the host to get it back.",
		.source = "Linux PCI hotplug and PCI core messages",
	},
	{
		.id = "pci.enabled",
		.title = "PCI devices with a driver are enabled",
		.why = "A disabled device cannot be used although its driver is bound. It stays so after a failed start of the "
		       "driver or a manual write.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_enabled,
		.remedy = "Look for the driver's error in the kernel log and rebind the driver.",
		.source = "Linux sysfs-bus-pci",
		.refs = "https://docs.kernel.org/PCI/sysfs-pci.html",
	},
	{
		.id = "pci.runtime-power",
		.title = "GPUs, NICs and disks do not sleep",
		.why = "A suspended device takes milliseconds to seconds to wake up, and some do not come back. That hurts the "
		       "first use after each pause.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_power,
		.knob = "pci.runtime-power",
		.remedy = "Set power/control of the device to on, with a udev rule to keep it.",
		.source = "NVIDIA Grace benchmarking guide: power/control = on",
		.refs = "https://docs.kernel.org/power/runtime_pm.html",
	},
	{
		.id = "pci.bar-size",
		.title = "The CPU and peers can reach all GPU memory",
		.why = "With a small window (256 MiB) peer transfers and GPUDirect map only a part of GPU memory at a time or not "
		       "at all. Resizable BAR must be on in the firmware, and for a VM in the hypervisor.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_window,
		.remedy = "Enable resizable BAR and above 4G decoding in the firmware.",
		.reboot = true,
		.source = "PCI Express resizable BAR; NVIDIA GPUDirect RDMA documentation",
		.refs = "https://docs.nvidia.com/cuda/gpudirect-rdma/",
	},
	{
		.id = "pci.aspm",
		.title = "PCIe power saving",
		.why = "A link that saves power takes microseconds to wake up, which every small transfer pays. powersave and "
		       "powersupersave are for laptops.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL,
		.path = "/sys/module/pcie_aspm/parameters/policy",
		.op = PIT_OP_CHOICE,
		.want = "performance default",
		.absent = "this kernel has no PCIe power saving",
		.origin_arg = "pcie_aspm.policy",
		.knob = "pci.aspm",
		.remedy = "Set the policy to performance.",
		.source = "Linux PCI ASPM; default leaves the firmware's choice",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{.id = NULL},
};
