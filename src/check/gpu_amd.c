/* SPDX-License-Identifier: MIT
 *
 * GPUs of other makers, and GPUs under WSL2.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"

/* Calls `fn` for each GPU of `vendor`; returns how many there are, or -errno. */
typedef void (*gpu_fn)(struct pit_root *root, const struct pit_pci *gpu, void *arg);
static int each_gpu(struct pit_facts *facts, unsigned vendor, gpu_fn fn, void *arg, struct pit_error *err)
{
	pit_auto_pcis struct pit_pcis pcis = {0};
	int n = 0, rc = pit_pcis_load(pit_facts_root(facts), &pcis, err);

	for (size_t i = 0; !rc && i < pcis.count; i++) {
		if (!pit_pci_is_gpu(&pcis.item[i], vendor))
			continue;
		fn(pit_facts_root(facts), &pcis.item[i], arg);
		n++;
	}
	return rc ? rc : n;
}

struct tally {
	struct pit_finding *out;
	size_t known, bad;
	bool compute; /* one of the bad is made for computing only */
	int64_t sum;
	char first[64];
};

/* Accelerators, and display controllers without a monitor port. */
static bool is_compute(const struct pit_pci *gpu)
{
	return gpu->cls >> 8 == 0x1200 || gpu->cls >> 8 == 0x0380 || gpu->cls >> 8 == 0x0302;
}

static void look_for_driver(struct pit_root *root, const struct pit_pci *gpu, void *arg)
{
	struct tally *t = arg;
	char driver[32];

	pit_pci_driver(root, gpu, driver, sizeof(driver));
	t->known++;
	if (driver[0]) {
		snprintf(t->first, sizeof(t->first), "%s", driver);
		return;
	}
	t->bad++;
	t->compute |= is_compute(gpu);
	pit_evidence(t->out, "/sys/bus/pci/devices", "%s has no driver", gpu->address);
}

static int probe_amd(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct tally t = {.out = out};
	int n = each_gpu(facts, PIT_PCI_AMD, look_for_driver, &t, err);

	if (n <= 0)
		return n < 0 ? n : pit_skip(out, "no AMD GPU here");
	pit_want(out, "amdgpu on each, and /dev/kfd");
	if (t.bad)
		return pit_judge(out, t.compute ? PIT_FAIL : PIT_WARN, t.compute ? PIT_HURTING : PIT_RISK,
				 "%zu of %d AMD GPUs have no driver", t.bad, n);
	if (strcmp(t.first, "amdgpu") != 0)
		return pit_pass(out, "driver %s", t.first);
	if (pit_root_state(pit_root_exists(pit_facts_root(facts), "/dev/kfd")) != PIT_STATE_ABSENT)
		return pit_pass(out, "amdgpu and /dev/kfd for %d GPUs", n);
	pit_evidence(out, "/dev/kfd", "does not exist");
	return pit_bad(out, "no /dev/kfd: ROCm cannot work");
}

static void sum_errors(struct pit_root *root, const struct pit_pci *gpu, void *arg)
{
	static const char *const blocks[] = {"umc", "gfx", "sdma", "mmhub", "xgmi_wafl"};
	struct tally *t = arg;

	for (size_t i = 0; i < PIT_COUNT(blocks); i++) {
		struct pit_text text;
		uint64_t ue = 0, ce = 0;

		if (pit_root_read(root, &text, "/sys/bus/pci/devices/%s/ras/%s_err_count", gpu->address, blocks[i]) ||
		    pit_kv_u64(text.data, "ue", &ue))
			continue;
		(void)pit_kv_u64(text.data, "ce", &ce);
		t->known++;
		t->bad += ue > 0;
		t->sum += (int64_t)ue;
		if (ue || ce)
			pit_evidence(t->out, gpu->address, "%s: %" PRIu64 " uncorrectable, %" PRIu64 " corrected",
				     blocks[i], ue, ce);
	}
}

static int probe_ras(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct tally t = {.out = out};
	int n = each_gpu(facts, PIT_PCI_AMD, sum_errors, &t, err);

	if (n <= 0)
		return n < 0 ? n : pit_skip(out, "no AMD GPU here");
	if (!t.known)
		return pit_skip(out, "these AMD GPUs do not count memory errors");
	pit_want(out, "0 uncorrectable");
	if (t.sum)
		return pit_bad(out, "%" PRId64 " uncorrectable errors", t.sum);
	return pit_pass(out, "no uncorrectable error");
}

static void look_at_level(struct pit_root *root, const struct pit_pci *gpu, void *arg)
{
	static const char *const good[] = {"auto", "high", "perf_determinism"};
	struct tally *t = arg;
	char level[40];

	if (pit_root_str(root, level, sizeof(level), "/sys/bus/pci/devices/%s/power_dpm_force_performance_level",
			 gpu->address))
		return;
	t->known++;
	for (size_t i = 0; i < PIT_COUNT(good); i++)
		if (!strcmp(level, good[i]))
			return;
	t->bad++;
	snprintf(t->first, sizeof(t->first), "%s", level);
	pit_evidence(t->out, gpu->address, "power_dpm_force_performance_level: %s", level);
}

static int probe_level(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct tally t = {.out = out};
	int n = each_gpu(facts, PIT_PCI_AMD, look_at_level, &t, err);

	if (n <= 0)
		return n < 0 ? n : pit_skip(out, "no AMD GPU here");
	if (!t.known)
		return pit_skip(out, "these AMD GPUs have no performance level");
	pit_want(out, "auto, high or perf_determinism");
	if (t.bad)
		return pit_bad(out, "%s on %zu of %d GPUs", t.first, t.bad, n);
	return pit_pass(out, "not forced low");
}

static void look_at_partition(struct pit_root *root, const struct pit_pci *gpu, void *arg)
{
	struct tally *t = arg;
	char compute[24], memory[24] = "", both[64];

	if (pit_root_str(root, compute, sizeof(compute), "/sys/bus/pci/devices/%s/current_compute_partition",
			 gpu->address))
		return;
	(void)pit_root_str(root, memory, sizeof(memory), "/sys/bus/pci/devices/%s/current_memory_partition",
			   gpu->address);
	snprintf(both, sizeof(both), "%s%s%s", compute, *memory ? "/" : "", memory);
	if (!t->known++)
		snprintf(t->first, sizeof(t->first), "%s", both);
	t->bad += strcmp(t->first, both) != 0;
	pit_evidence(t->out, gpu->address, "partition %s", both);
}

static int probe_partition(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	struct tally t = {.out = out};
	int n = each_gpu(facts, PIT_PCI_AMD, look_at_partition, &t, err);

	if (n <= 0)
		return n < 0 ? n : pit_skip(out, "no AMD GPU here");
	if (!t.known)
		return pit_skip(out, "these AMD GPUs cannot be partitioned");
	pit_want(out, "the same on all GPUs");
	if (t.bad)
		return pit_bad(out, "%zu of %zu GPUs differ from %s", t.bad, t.known, t.first);
	return pit_pass(out, "%s", t.first);
}

static int probe_intel(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct tally t = {.out = out};
	int n = each_gpu(facts, PIT_PCI_INTEL, look_for_driver, &t, err);

	if (n <= 0)
		return n < 0 ? n : pit_skip(out, "no Intel GPU here");
	pit_want(out, "i915 or xe");
	if (!t.bad)
		return pit_pass(out, "driver %s", t.first);
	if (!t.compute)
		return pit_skip(out, "only a built-in display controller without a driver");
	return pit_bad(out, "%zu of %d Intel GPUs have no driver", t.bad, n);
}

/* Under WSL2 the Windows driver serves CUDA through /usr/lib/wsl/lib; a Linux driver beside it hides that. */
static int probe_wsl(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	static const char *const shadows[] = {"/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1"};
	struct pit_root *root = pit_facts_root(facts);

	if (!pit_gpu_is_wsl(facts))
		return pit_skip(out, "not under WSL");
	pit_want(out, "/dev/dxg and libcuda from /usr/lib/wsl/lib only");
	if (pit_root_exists(root, "/dev/dxg")) {
		pit_evidence(out, "/dev/dxg", "does not exist");
		return pit_bad(out, "no /dev/dxg: WSL1, or no GPU passed in");
	}
	for (size_t i = 0; i < PIT_COUNT(shadows); i++) {
		if (pit_root_exists(root, "%s", shadows[i]))
			continue;
		pit_evidence(out, shadows[i], "a Linux driver's library");
		return pit_bad(out, "a Linux driver hides that of WSL");
	}
	if (pit_root_exists(root, "/usr/lib/wsl/lib/libcuda.so.1")) {
		pit_evidence(out, "/usr/lib/wsl/lib", "no libcuda.so.1");
		return pit_bad(out, "no CUDA driver from Windows");
	}
	return pit_pass(out, "the Windows driver serves CUDA");
}

const struct pit_check pit_check_gpu_amd[] = {
	{
		.id = "gpu.amd-driver",
		.title = "AMD GPUs have a driver",
		.why = "Without amdgpu and /dev/kfd ROCm finds no GPU. It happens after a kernel update without the matching "
		       "driver, or in a container without the device.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_amd,
		.remedy = "Install amdgpu for the running kernel, or pass /dev/kfd and /dev/dri into the container.",
		.command = "modprobe amdgpu",
		.source = "ROCm installation guide",
		.refs = "https://rocm.docs.amd.com/",
	},
	{
		.id = "gpu.amd-ras",
		.title = "Uncorrectable errors of AMD GPUs",
		.why = "Each uncorrectable error kills the jobs on that GPU. Errors that come back mean that the GPU wears out.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_ras,
		.remedy = "Drain the GPU, reset it, and have it replaced when errors return.",
		.command = "amd-smi metric --ecc",
		.source = "amdgpu RAS counters: 0",
		.refs = "https://docs.kernel.org/gpu/amdgpu/ras.html",
	},
	{
		.id = "gpu.amd-performance",
		.title = "Performance level of AMD GPUs",
		.why = "A forced low or profiling level keeps the clocks down under load. It is left behind by profilers.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_level,
		.knob = "gpu.amd-performance",
		.remedy = "Set the level to auto.",
		.command = "rocm-smi --setperflevel auto",
		.source = "amdgpu documentation",
		.refs = "https://docs.kernel.org/gpu/amdgpu/thermal.html",
	},
	{
		.id = "gpu.amd-partition",
		.title = "Partitions of AMD GPUs are the same",
		.why = "Cards that are divided in different ways give a job devices of different size and memory. In a "
		       "synchronous job the smallest sets the pace.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_partition,
		.remedy = "Use one compute and memory partition mode for all cards.",
		.command = "amd-smi partition",
		.source = "AMD Instinct partitioning documentation",
		.refs = "https://rocm.docs.amd.com/",
	},
	{
		.id = "gpu.intel-driver",
		.title = "Intel compute GPUs have a driver",
		.why = "Without i915 or xe neither Level Zero nor OpenCL finds the GPU. New cards need a newer kernel or Intel's "
		       "own driver package.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_intel,
		.remedy = "Install a kernel or driver package that knows the card.",
		.source = "Intel data centre GPU installation guide",
		.refs = "https://dgpu-docs.intel.com/",
	},
	{
		.id = "gpu.wsl",
		.title = "CUDA under WSL2",
		.why = "Under WSL2 the GPU comes through the Windows driver; a Linux driver installed beside it breaks CUDA. It "
		       "happens with toolkit packages that pull in the driver.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_wsl,
		.remedy =
			"Install the driver in Windows only, remove Linux driver packages, and use the WSL variant of the "
			"toolkit.",
		.source = "NVIDIA CUDA on WSL user guide",
		.refs = "https://docs.nvidia.com/cuda/wsl-user-guide/",
	},
	{.id = NULL},
};
