/* SPDX-License-Identifier: MIT
 *
 * How GPUs reach each other, NICs and disks: NVLink, NVSwitch and its manager, GPUDirect.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"

static size_t count_switches(struct pit_root *root)
{
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t n = 0;

	if (pit_pcis_load(root, &pcis, NULL))
		return 0;
	for (size_t i = 0; i < pcis.count; i++)
		n += pit_pci_is_nvswitch(&pcis.item[i]);
	return n;
}

static int probe_manager(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	size_t switches = count_switches(root);
	const struct pit_procs *procs;
	char version[32] = "the driver's";
	int rc = pit_facts_procs(facts, &procs, err);

	if (!switches)
		return pit_skip(out, "no NVSwitch here");
	if (rc)
		return rc;
	pit_evidence(out, "/sys/bus/pci/devices", "%zu NVSwitches", switches);
	pit_want(out, "nv-fabricmanager runs");
	if (pit_facts_process(facts, "nv-fabricmanager")) {
		pit_evidence(out, "/proc", "nv-fabricmanager runs");
		return pit_pass(out, "runs, for %zu NVSwitches", switches);
	}
	pit_nvidia_module(root, version, sizeof(version), NULL);
	pit_evidence(out, "/proc", "no process nv-fabricmanager; the driver is %s", version);
	pit_remedy(out, "Install the fabric manager in exactly version %s and start it.", version);
	return pit_bad(out, "not running, with %zu NVSwitches", switches);
}

#define HEALTH_DEGRADED(mask) (((mask)&3) == 1)
enum { SUMMARY_UNHEALTHY = 2, SUMMARY_LIMITED = 3 };

static enum pit_gpu_verdict judge_fabric(const json_t *gpu, char *text, size_t size)
{
	static const char *const states[] = {"", "not started", "in progress", "complete"};
	int64_t state, status = 0, health = 0, summary = 0;

	if (!pit_gpu_number(gpu, "fabric", "state", &state) || state < 1 || state > 3)
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "fabric", "status", &status);
	pit_gpu_number(gpu, "fabric", "health", &health);
	pit_gpu_number(gpu, "fabric", "summary", &summary);
	snprintf(text, size, "registration is %s", states[state]);
	if (state < 3)
		return PIT_GPU_BAD;
	if (status)
		snprintf(text, size, "registration failed with NVML code %" PRId64, status);
	else if (summary == SUMMARY_UNHEALTHY)
		snprintf(text, size, "the fabric is unhealthy (mask 0x%" PRIx64 ")", health);
	if (status || summary == SUMMARY_UNHEALTHY)
		return PIT_GPU_BROKEN;
	if (!HEALTH_DEGRADED(health) && summary != SUMMARY_LIMITED)
		return PIT_GPU_FINE;
	snprintf(text, size, "the fabric has less bandwidth (mask 0x%" PRIx64 ")", health);
	return PIT_GPU_HURTS;
}
static const struct pit_gpu_rule fabric = {
	.judge = judge_fabric,
	.wanted = "registration complete and healthy",
	.unknown = "these GPUs are in no NVLink fabric",
};

/* The most links that a GPU of that name has up. */
static int64_t most_links(const json_t *gpus, const char *name)
{
	const json_t *gpu;
	int64_t most = 0, active;
	size_t i;

	json_array_foreach(gpus, i, gpu)
	{
		if (!strcmp(pit_gpu_text(gpu, "name"), name) && pit_gpu_number(gpu, "nvlink", "active", &active) &&
		    active > most)
			most = active;
	}
	return most;
}

/* Cards without a bridge have all links down, cards with one have some: only GPUs behind switches must have all up;
 * others are compared with their like. */
static int probe_nvlink(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	bool switched = count_switches(pit_facts_root(facts)) > 0;
	const json_t *nvml, *gpus, *gpu;
	size_t i, known = 0, bad = 0;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	gpus = json_object_get(nvml, "gpus");
	json_array_foreach(gpus, i, gpu)
	{
		int64_t active, links, want;

		if (!pit_gpu_number(gpu, "nvlink", "active", &active) ||
		    !pit_gpu_number(gpu, "nvlink", "links", &links))
			continue;
		known++;
		want = switched ? links : most_links(gpus, pit_gpu_text(gpu, "name"));
		if (active >= want)
			continue;
		bad++;
		pit_evidence(out, pit_gpu_text(gpu, "pci"), "%" PRId64 " of %" PRId64 " links up; down: %s", active,
			     want, pit_gpu_text(json_object_get(gpu, "nvlink"), "inactive"));
	}
	pit_want(out, switched ? "all links up" : "as many links up as on the other GPUs");
	if (!known)
		return pit_skip(out, "no GPU with NVLink");
	if (bad)
		return pit_bad(out, "links are down on %zu of %zu GPUs", bad, known);
	return pit_pass(out, "%s on %zu GPUs", switched ? "all links are up" : "no GPU has fewer links up", known);
}

static enum pit_gpu_verdict judge_link_errors(const json_t *gpu, char *text, size_t size)
{
	int64_t replay, recovery = 0, crc = 0;

	if (!pit_gpu_number(gpu, "nvlink", "replay", &replay))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "nvlink", "recovery", &recovery);
	pit_gpu_number(gpu, "nvlink", "crc_data", &crc);
	snprintf(text, size, "%" PRId64 " replays, %" PRId64 " recoveries, %" PRId64 " data CRC errors", replay,
		 recovery, crc);
	return replay || recovery ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule link_errors = {
	.judge = judge_link_errors,
	.wanted = "no replay, no recovery",
	.unknown = "these GPUs do not count NVLink errors",
};

static bool has_dmabuf(struct pit_facts *facts, char *version, size_t size)
{
	const struct pit_platform *p;
	bool open = false;

	if (pit_nvidia_module(pit_facts_root(facts), version, size, &open) || !open ||
	    pit_facts_platform(facts, &p, NULL))
		return false;
	return p->kernel_major > 5 || (p->kernel_major == 5 && p->kernel_minor >= 12);
}

/* Amazon's adapters reach GPU memory by a module of their own. */
static bool has_efa_only(struct pit_root *root)
{
	const struct pit_strv *names;
	const char *target;

	if (pit_root_list(root, &names, "/sys/class/infiniband") || !names->count)
		return false;
	for (size_t i = 0; i < names->count; i++) {
		const char *slash;

		if (pit_root_link(root, &target, "/sys/class/infiniband/%s/device/driver", names->item[i]))
			return false;
		slash = strrchr(target, '/');
		if (strcmp(slash ? slash + 1 : target, "efa") != 0)
			return false;
	}
	return true;
}

static int probe_peermem(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	static const char *const modules[] = {"nvidia_peermem", "nv_peer_mem"};
	struct pit_root *root = pit_facts_root(facts);
	char version[32] = "unknown";

	pit_want(out, "nvidia_peermem loaded, or open kernel modules with DMA-BUF");
	for (size_t i = 0; i < PIT_COUNT(modules); i++) {
		if (pit_root_exists(root, "/sys/module/%s", modules[i]))
			continue;
		pit_evidence(out, "/sys/module", "%s is loaded", modules[i]);
		return pit_pass(out, "%s is loaded", modules[i]);
	}
	pit_evidence(out, "/sys/module/nvidia_peermem", "not loaded");
	if (has_dmabuf(facts, version, sizeof(version))) {
		pit_evidence(out, "/proc/driver/nvidia/version", "%s, open kernel modules", version);
		return pit_pass(out, "DMA-BUF (open kernel modules)");
	}
	if (has_efa_only(root))
		return pit_skip(out, "EFA adapters have a module of their own for it");
	return pit_bad(out, "neither nvidia_peermem nor DMA-BUF");
}

static int probe_gdrcopy(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	char path[160];

	if (!pit_root_exists(root, "/sys/module/gdrdrv"))
		return pit_pass(out, "gdrdrv is loaded");
	if (pit_nvidia_find_library(root, "libgdrapi.so.2", path, sizeof(path)))
		return pit_skip(out, "GDRCopy is not installed");
	pit_evidence(out, path, "the library is installed");
	pit_evidence(out, "/sys/module/gdrdrv", "not loaded");
	pit_want(out, "gdrdrv loaded");
	return pit_bad(out, "gdrdrv is not loaded");
}

/* The sources of nvidia-fs lie in /usr/src when GPUDirect Storage is installed. */
static int probe_gds(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	const char *found = NULL;

	if (!pit_root_exists(root, "/sys/module/nvidia_fs"))
		return pit_pass(out, "nvidia_fs is loaded");
	if (!pit_root_list(root, &names, "/usr/src"))
		for (size_t i = 0; i < names->count; i++)
			if (!strncmp(names->item[i], "nvidia-fs-", 10))
				found = names->item[i];
	if (!found)
		return pit_skip(out, "GPUDirect Storage is not installed");
	pit_evidence(out, "/usr/src", "%s is installed", found);
	pit_evidence(out, "/sys/module/nvidia_fs", "not loaded");
	pit_want(out, "nvidia_fs loaded");
	return pit_bad(out, "nvidia_fs is not loaded");
}

const struct pit_check pit_check_gpu_fabric[] = {
	{
		.id = "gpu.fabric-manager",
		.title = "The fabric manager runs where there are NVSwitches",
		.why = "Behind NVSwitches CUDA does not start (error 802) until the fabric manager has set up the links. It "
		       "refuses to start when its version is not exactly the driver's, as after a partial update.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_HOST,
		.probe = probe_manager,
		.knob = "service.nvidia-fabricmanager",
		.remedy = "Install the fabric manager in exactly the driver's version and start it.",
		.command = "systemctl enable --now nvidia-fabricmanager",
		.source = "leptonai/gpud, imbue, AWS FabricManagerNotRunning, deepops",
		.refs = "https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/",
	},
	{
		.id = "gpu.fabric-state",
		.title = "GPUs are registered in the NVLink fabric",
		.why = "A GPU that is not registered cannot be used by CUDA, and an unhealthy fabric makes collectives slow or "
		       "hang. Look at the fabric manager, or at IMEX on multi-node NVLink.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &fabric,
		.remedy =
			"Restart the fabric manager (or the NVLink switch's), then reset the GPUs that stay unregistered.",
		.command = "nvidia-smi -q | grep -A6 Fabric",
		.source = "leptonai/gpud fabric-manager, AWS NvidiaFabricError, DCGM",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.nvlink",
		.title = "NVLinks are up",
		.why = "With a link down peers talk over fewer links, or over PCIe at a tenth of the speed. All-reduce goes at "
		       "the pace of the weakest GPU.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_nvlink,
		.remedy = "Look for Xid 74 and SXids, reset the GPUs, reseat bridge or baseboard.",
		.command = "nvidia-smi nvlink -s",
		.source = "azurehpc-health-checks check_nvlink_status, imbue, gcm",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.nvlink-errors",
		.title = "NVLink error counters",
		.why = "Replays and recoveries are packets sent again, which costs bandwidth in bursts. Growing counts announce "
		       "a link that will go down.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &link_errors,
		.remedy = "Watch whether the counts grow under load; reset the GPU and reseat the bridge or baseboard.",
		.command = "nvidia-smi nvlink -e",
		.source = "facebookresearch/gcm dcgmi nvlink -e: 0",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.peermem",
		.title = "NICs can reach GPU memory directly",
		.why = "Without GPUDirect RDMA each message between hosts takes a detour through host memory. NCCL falls back "
		       "silently, at half the bandwidth or less.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA | PIT_NEED_RDMA | PIT_NEED_HOST,
		.probe = probe_peermem,
		.remedy = "Load nvidia_peermem at boot, or use the open kernel modules on kernel 5.12 or later.",
		.command = "modprobe nvidia_peermem",
		.source = "imbue, Azure HPC images, leptonai/gpud peermem",
		.refs = "https://docs.nvidia.com/cuda/gpudirect-rdma/",
	},
	{
		.id = "gpu.gdrcopy",
		.title = "The GDRCopy driver is loaded",
		.why = "UCX and NVSHMEM copy small messages through GDRCopy when it works and take a slower way when not. A "
		       "kernel update without a rebuilt module loses it.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_gdrcopy,
		.remedy = "Build and load gdrdrv for the running kernel.",
		.command = "modprobe gdrdrv",
		.source = "NVIDIA deepops gdrdrv",
		.refs = "https://github.com/NVIDIA/gdrcopy",
	},
	{
		.id = "gpu.gds",
		.title = "The GPUDirect Storage driver is loaded",
		.why = "Without nvidia_fs cuFile reads go through host memory, at the cost of CPU time and bandwidth. It falls "
		       "back silently when compatibility mode is allowed.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_gds,
		.remedy =
			"Build and load nvidia_fs for the running kernel (not needed where NVMe goes over PCI P2PDMA).",
		.command = "modprobe nvidia_fs",
		.source = "NVIDIA GPUDirect Storage installation guide",
		.refs = "https://docs.nvidia.com/gpudirect-storage/",
	},
	{.id = NULL},
};
