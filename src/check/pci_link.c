/* SPDX-License-Identifier: MIT
 *
 * How well NICs, NVMe disks and GPUs are linked: lanes, speed, errors, packet sizes, who shares a switch.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/facts.h"
#include "check/pci_config.h"
#include "check/pci_list.h"

#define DEVICES "/sys/bus/pci/devices"

/* Intel's X722 sits in the chipset and reports PCIe gen 1 x1 whatever it does; the kernel's i40e does not look at its
 * link either. */
static bool has_no_link(const struct pit_pci *d)
{
	return d->vendor == PIT_PCI_INTEL && d->device >= 0x37cc && d->device <= 0x37d9;
}

/* Drives have a row of their own that knows when they are busy: storage.nvme-link. */
static bool is_judged(const struct pit_pci *d)
{
	return pit_pci_is_nic(d) && !has_no_link(d);
}

/* "16.0 GT/s PCIe" in tenths, "16" lanes; 0 unknown. Virtual devices say "Unknown", 0 or 255. */
static int64_t link_value(struct pit_root *root, const char *address, const char *file, bool speed)
{
	char text[32];
	double value;

	if (pit_root_str(root, text, sizeof(text), DEVICES "/%s/%s", address, file))
		return 0;
	text[strcspn(text, " ")] = '\0';
	if (pit_parse_double(text, &value) || value <= 0 || value > 1000 || (!speed && value > 32))
		return 0;
	return (int64_t)(speed ? value * 10 + .5 : value);
}

/* What the port above can do; 0 unknown. */
static int64_t port_value(struct pit_root *root, const char *address, const char *file, bool speed)
{
	pit_auto_strv struct pit_strv above = {0};

	if (pit_pci_above(root, address, &above) || !above.count)
		return 0;
	return link_value(root, above.item[above.count - 1], file, speed);
}

struct link {
	int64_t now, max, port;
};

static void print_value(int64_t value, bool speed, char *ret, size_t size)
{
	if (speed)
		snprintf(ret, size, "%" PRId64 ".%" PRId64 " GT/s", value / 10, value % 10);
	else
		snprintf(ret, size, "x%" PRId64, value);
}

/* 0 fine, 1 the slot does less than the device, 2 the link does less than both. */
static int judge_link(struct pit_root *root, const struct pit_pci *d, bool speed, char *text, size_t size)
{
	const char *current = speed ? "current_link_speed" : "current_link_width";
	const char *most = speed ? "max_link_speed" : "max_link_width";
	struct link l = {.now = link_value(root, d->address, current, speed),
			 .max = link_value(root, d->address, most, speed),
			 .port = port_value(root, d->address, most, speed)};
	char now[24], max[24];

	if (!l.now || !l.max)
		return -ENOENT;
	print_value(l.now, speed, now, sizeof(now));
	print_value(l.max, speed, max, sizeof(max));
	snprintf(text, size, "%s of %s", now, max);
	if (l.now >= l.max)
		return 0;
	if (!l.port || l.now < l.port)
		return 2;
	snprintf(text, size, "%s of %s: the slot does no more", now, max);
	return 1;
}

struct links {
	size_t seen[3]; /* by what judge_link() says */
	char first[3][128];
};

static void tally_link(struct pit_root *root, const struct pit_pci *d, bool speed, struct links *t,
		       struct pit_finding *out)
{
	char text[96], label[48];
	int rc = judge_link(root, d, speed, text, sizeof(text));

	if (rc < 0)
		return;
	pit_pci_label(d, label, sizeof(label));
	if (!t->seen[rc]++)
		snprintf(t->first[rc], sizeof(t->first[rc]), "%s: %s", label, text);
	if (rc)
		pit_evidence(out, label, "%s", text);
}

/* row->arg not NULL: speed. */
static int probe_link(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	bool speed = row->arg != NULL;
	pit_auto_pcis struct pit_pcis pcis = {0};
	struct links t = {0};
	int rc = pit_pcis_load(pit_facts_root(facts), &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++)
		if (is_judged(&pcis.item[i]))
			tally_link(pit_facts_root(facts), &pcis.item[i], speed, &t, out);
	pit_want(out, speed ? "the highest speed of device and slot" : "all lanes of the device");
	if (!t.seen[0] && !t.seen[1] && !t.seen[2])
		return pit_skip(out, "no NIC tells its link");
	if (t.seen[2])
		return pit_bad(out, "%s", t.first[2]);
	if (t.seen[1])
		return pit_judge(out, PIT_WARN, PIT_STYLE, "%s", t.first[1]);
	return pit_pass(out, "%zu link%s as good as can be", t.seen[0], t.seen[0] == 1 ? " is" : "s are");
}

#define CORRECTABLE_PER_HOUR 100

/* The last line of the file, "TOTAL_ERR_COR 5". */
static uint64_t total_of(struct pit_root *root, const struct pit_pci *d, const char *file, const char *key, bool *known)
{
	struct pit_text text;
	uint64_t total = 0;

	if (pit_root_read(root, &text, DEVICES "/%s/%s", d->address, file) || pit_kv_u64(text.data, key, &total))
		return 0;
	*known = true;
	return total;
}

struct aer {
	size_t known, uncorrected, noisy;
	double hours;
};

static void count_errors(struct pit_root *root, const struct pit_pci *d, struct aer *a, struct pit_finding *out)
{
	bool known = false;
	uint64_t fatal = total_of(root, d, "aer_dev_fatal", "TOTAL_ERR_FATAL", &known);
	uint64_t nonfatal = total_of(root, d, "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL", &known);
	uint64_t correctable = total_of(root, d, "aer_dev_correctable", "TOTAL_ERR_COR", &known);
	bool noisy = correctable > CORRECTABLE_PER_HOUR && (double)correctable / a->hours > CORRECTABLE_PER_HOUR;
	char label[48];

	a->known += known;
	a->uncorrected += fatal || nonfatal;
	a->noisy += noisy;
	if (fatal || nonfatal || noisy)
		pit_evidence(out, pit_pci_label(d, label, sizeof(label)),
			     "%" PRIu64 " fatal, %" PRIu64 " non-fatal, %" PRIu64 " correctable in %.0f hours", fatal,
			     nonfatal, correctable, a->hours);
}

static int probe_aer(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	struct aer a = {.hours = 1};
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	if (pit_uptime_or_0(facts) > 3600)
		a.hours = pit_uptime_or_0(facts) / 3600;
	for (size_t i = 0; i < pcis.count; i++)
		count_errors(root, &pcis.item[i], &a, out);
	pit_want(out, "no uncorrected errors, at most %d correctable an hour", CORRECTABLE_PER_HOUR);
	if (!a.known)
		return pit_skip(out, "no device counts PCIe errors");
	if (a.uncorrected)
		return pit_bad(out, "uncorrected errors on %zu device%s", a.uncorrected, a.uncorrected == 1 ? "" : "s");
	if (a.noisy)
		return pit_bad(out, "many corrected errors on %zu device%s", a.noisy, a.noisy == 1 ? "" : "s");
	return pit_pass(out, "few or none on %zu devices", a.known);
}

static bool has_rdma(struct pit_root *root, const struct pit_pci *d)
{
	return pit_pci_is_nic(d) && !pit_root_exists(root, DEVICES "/%s/infiniband", d->address);
}

/* The device control word of each RDMA NIC goes to `judge`, which returns whether it is bad. */
struct word {
	bool (*judge)(unsigned devcap, unsigned devctl, char *text, size_t size);
	const char *wanted, *good;
};

static int word_of(struct pit_root *root, const struct pit_pci *d, unsigned *ret_cap, unsigned *ret_ctl)
{
	struct pit_text config;
	size_t at;
	int rc = pit_root_read(root, &config, DEVICES "/%s/config", d->address);

	if (!rc)
		rc = pit_config_capability(&config, PIT_CAP_EXPRESS, &at);
	if (rc)
		return rc;
	*ret_cap = pit_config_u32(&config, at + PIT_EXPRESS_DEVCAP);
	*ret_ctl = pit_config_u16(&config, at + PIT_EXPRESS_DEVCTL);
	return 0;
}

static int probe_word(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct word *w = row->arg;
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t seen = 0, bad = 0;
	char text[96] = "", first[96] = "";
	int rc = pit_pcis_load(root, &pcis, err), refused = 0;

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		unsigned cap, ctl;

		if (!has_rdma(root, &pcis.item[i]))
			continue;
		rc = word_of(root, &pcis.item[i], &cap, &ctl);
		refused = rc ? rc : refused;
		seen += !rc;
		if (rc || !w->judge(cap, ctl, text, sizeof(text)))
			continue;
		if (!bad++)
			memcpy(first, text, sizeof(first));
		pit_evidence(out, pcis.item[i].address, "%s (device control 0x%04x)", text, ctl);
	}
	pit_want(out, "%s", w->wanted);
	if (bad)
		return pit_bad(out, "%s on %zu of %zu RDMA NICs", first, bad, seen);
	if (seen)
		return pit_pass(out, "%s", w->good);
	if (refused)
		return pit_fail(err, -refused, "the configuration space of NICs (only root sees it)");
	return pit_skip(out, "no RDMA NIC on the PCI bus");
}

static bool judge_relaxed(unsigned devcap, unsigned devctl, char *text, size_t size)
{
	snprintf(text, size, "relaxed ordering is off");
	return !pit_express_relaxed(devctl);
}
static const struct word relaxed = {
	.judge = judge_relaxed,
	.wanted = "relaxed ordering allowed",
	.good = "relaxed ordering is allowed",
};

#define READ_REQUEST_LEAST 1024

static bool judge_read_request(unsigned devcap, unsigned devctl, char *text, size_t size)
{
	snprintf(text, size, "read requests of %u bytes", pit_express_read_request(devctl));
	return pit_express_read_request(devctl) < READ_REQUEST_LEAST;
}
static const struct word read_request = {
	.judge = judge_read_request,
	.wanted = "at least 1024 bytes, better 4096",
	.good = "read requests of 1024 bytes or more",
};

static bool judge_payload(unsigned devcap, unsigned devctl, char *text, size_t size)
{
	snprintf(text, size, "payload %u of %u bytes", pit_express_payload(devctl), pit_express_payload_max(devcap));
	return pit_express_payload(devctl) < 256 && pit_express_payload_max(devcap) >= 256;
}
static const struct word payload = {
	.judge = judge_payload,
	.wanted = "at least 256 bytes",
	.good = "payload of 256 bytes or more",
};

static size_t shared(const struct pit_strv *a, const struct pit_strv *b)
{
	size_t n = 0;

	while (n < a->count && n < b->count && !strcmp(a->item[n], b->item[n]))
		n++;
	return n;
}

/* Bridges that the GPU shares with the NIC nearest to it. */
static size_t nearest(struct pit_root *root, const struct pit_pcis *pcis, const struct pit_pci *gpu, size_t *ret_nics)
{
	pit_auto_strv struct pit_strv path = {0};
	size_t most = 0;

	*ret_nics = 0;
	(void)pit_pci_above(root, gpu->address, &path);
	for (size_t i = 0; i < pcis->count; i++) {
		pit_auto_strv struct pit_strv other = {0};
		size_t n;

		if (!has_rdma(root, &pcis->item[i]) || pit_pci_above(root, pcis->item[i].address, &other))
			continue;
		n = shared(&path, &other);
		most = n > most ? n : most;
		++*ret_nics;
	}
	return most;
}

static int probe_near(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t gpus = 0, far = 0, nics = 0;
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		size_t n;

		if (!pit_pci_is_gpu(&pcis.item[i], PIT_PCI_NVIDIA) && !pit_pci_is_gpu(&pcis.item[i], PIT_PCI_AMD))
			continue;
		n = nearest(root, &pcis, &pcis.item[i], &nics);
		gpus++;
		far += n == 0;
		if (!n)
			pit_evidence(out, pcis.item[i].address, "no bridge in common with any of %zu RDMA NICs", nics);
	}
	pit_want(out, "an RDMA NIC behind the same switch for each GPU");
	if (!gpus || !nics)
		return pit_skip(out, "no GPU or no RDMA NIC on the PCI bus");
	if (far)
		return pit_bad(out, "%zu of %zu GPUs share no switch with a NIC", far, gpus);
	return pit_pass(out, "each of %zu GPUs shares a bridge with a NIC", gpus);
}

const struct pit_check pit_check_pci_link[] = {
	{
		.id = "pci.link-width",
		.title = "PCIe lanes of NICs",
		.why = "With half the lanes a NIC moves half the data, for every job. Dirt, a riser or a slot with fewer lanes "
		       "causes it.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_link,
		.remedy = "Reseat the device or put it into a slot with all lanes.",
		.command = "lspci -vv",
		.source = "ROCm cvs, imbue cluster-health",
		.refs = "https://docs.kernel.org/PCI/sysfs-pci.html",
	},
	{
		.id = "pci.link-speed",
		.title = "PCIe speed of NICs",
		.why = "Each generation less halves the bandwidth of the NIC. A link that fell back has signal problems and may get "
		       "worse.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_link,
		.arg = "speed",
		.remedy = "Check the firmware's setting for that slot, riser and cable; look at PCIe errors.",
		.command = "lspci -vv",
		.source = "ROCm cvs, imbue cluster-health",
		.refs = "https://docs.kernel.org/PCI/sysfs-pci.html",
	},
	{
		.id = "pci.errors",
		.title = "PCIe error counters",
		.why = "Uncorrected errors lose packets and end in failed jobs or lost devices; many corrected ones cost bandwidth "
		       "and announce worse. They point at the slot, riser or device.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_aer,
		.remedy = "Reseat the device, swap riser or slot, and watch whether the counters grow.",
		.command = "grep -H TOTAL " DEVICES "/*/aer_dev_*",
		.source = "Linux AER counters; AWS NvidiaPCIeError; 100 an hour is our figure",
		.refs = "https://docs.kernel.org/PCI/pcieaer-howto.html",
	},
	{
		.id = "pci.relaxed-ordering",
		.title = "RDMA NICs may use relaxed ordering",
		.why = "Without relaxed ordering writes of a NIC wait for each other, which costs up to half the bandwidth on many "
		       "AMD and Intel hosts. The firmware or a kernel quirk takes the permission away.",
		.area = PIT_AREA_PCI,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_RDMA | PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = probe_word,
		.arg = &relaxed,
		.remedy = "Enable relaxed ordering for the NIC in the firmware (mlxconfig PCI_WR_ORDERING).",
		.source = "ROCm single-node guide; Azure HPC images (NCCL_IB_PCI_RELAXED_ORDERING=1)",
		.refs = "https://rocm.docs.amd.com/",
	},
	{
		.id = "pci.read-request",
		.title = "Read request size of RDMA NICs",
		.why = "Small read requests need more round trips to memory and limit what a fast NIC can send. The default of 512 "
		       "bytes is felt from 100 Gb/s on.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_RDMA | PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = probe_word,
		.arg = &read_request,
		.remedy = "Raise the maximum read request size to 4096 in the firmware or with setpci.",
		.source = "ROCm single-node guide",
		.refs = "https://rocm.docs.amd.com/",
	},
	{
		.id = "pci.payload",
		.title = "Payload size of RDMA NICs",
		.why = "Packets of 128 bytes carry a fifth of overhead. The smallest device behind a root port sets the size for "
		       "all, unless the kernel is told otherwise.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_RDMA | PIT_NEED_METAL | PIT_NEED_HOST,
		.probe = probe_word,
		.arg = &payload,
		.knob = "cmdline.pci",
		.remedy = "Set the payload in the firmware, or boot with pci=pcie_bus_perf.",
		.reboot = true,
		.source = "PCI Express Base Specification; Linux pci=pcie_bus_perf",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "pci.gpu-nic",
		.title = "Each GPU has an RDMA NIC behind the same switch",
		.why = "GPUDirect RDMA is fast only below a common PCIe switch; across the CPU's root ports it reaches a fraction. "
		       "A NIC in the wrong slot causes it.",
		.area = PIT_AREA_PCI,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_RDMA | PIT_NEED_METAL,
		.probe = probe_near,
		.remedy = "Move the NICs into slots below the GPUs' switches where the machine has such.",
		.command = "nvidia-smi topo -m",
		.source = "azurehpc-health-checks check_hw_topology; NVIDIA GPUDirect RDMA",
		.refs = "https://docs.nvidia.com/cuda/gpudirect-rdma/",
	},
	{.id = NULL},
};
