/* SPDX-License-Identifier: MIT
 *
 * How GPUs are divided by MIG.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"

static enum pit_gpu_verdict judge_mode(const json_t *gpu, char *text, size_t size)
{
	int64_t current, pending;
	size_t devices;

	if (!pit_gpu_number(gpu, "mig", "current", &current) || !pit_gpu_number(gpu, "mig", "pending", &pending))
		return PIT_GPU_UNKNOWN;
	devices = json_array_size(json_object_get(json_object_get(gpu, "mig"), "devices"));
	snprintf(text, size, current ? "MIG on, %zu instances" : "MIG off", devices);
	if (current != pending) {
		snprintf(text, size, "MIG is %s, %s after a reset", current ? "on" : "off", pending ? "on" : "off");
		return PIT_GPU_BAD;
	}
	if (!current || devices)
		return PIT_GPU_FINE;
	snprintf(text, size, "MIG is on and there is no instance");
	return PIT_GPU_HURTS;
}
static const struct pit_gpu_rule mode = {
	.judge = judge_mode,
	.wanted = "off, or on with instances",
	.unknown = "these GPUs have no MIG",
};

static bool seen_before(const json_t *devices, size_t until, int64_t gi)
{
	for (size_t i = 0; i < until; i++) {
		int64_t other;

		if (pit_gpu_number(json_array_get(devices, i), NULL, "gi", &other) && other == gi)
			return true;
	}
	return false;
}

static int64_t count_gpu_instances(const json_t *devices)
{
	int64_t gi, n = 0;

	for (size_t i = 0; i < json_array_size(devices); i++)
		n += pit_gpu_number(json_array_get(devices, i), NULL, "gi", &gi) && !seen_before(devices, i, gi);
	return n;
}

static enum pit_gpu_verdict judge_slices(const json_t *gpu, char *text, size_t size)
{
	const json_t *mig = json_object_get(gpu, "mig"), *devices = json_object_get(mig, "devices");
	int64_t current = 0, left = 0, instances, used = count_gpu_instances(devices);

	if (!pit_gpu_number(mig, NULL, "current", &current) || !current || !json_array_size(devices))
		return PIT_GPU_UNKNOWN;
	if (pit_gpu_number(mig, NULL, "instances", &instances) && instances > used) {
		snprintf(text, size, "%" PRId64 " GPU instance(s) without a compute instance", instances - used);
		return PIT_GPU_BAD;
	}
	if (!pit_gpu_number(mig, NULL, "free", &left))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "%" PRId64 " GPU instances, room for %" PRId64 " more slices", used, left);
	return left ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule slices = {
	.judge = judge_slices,
	.wanted = "no slice unused",
	.unknown = "no GPU is divided by MIG (or only root may see how)",
};

static int probe_mixed(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const json_t *nvml, *gpu;
	size_t i, on = 0, off = 0;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		int64_t current;

		if (!pit_gpu_number(gpu, "mig", "current", &current))
			continue;
		on += current == 1;
		off += current != 1;
		pit_evidence(out, pit_gpu_text(gpu, "pci"), "MIG is %s", current == 1 ? "on" : "off");
	}
	if (on + off < 2)
		return pit_skip(out, "fewer than two GPUs with MIG");
	pit_want(out, "the same on all GPUs");
	if (on && off)
		return pit_bad(out, "MIG on for %zu GPUs, off for %zu", on, off);
	return pit_pass(out, on ? "on for all" : "off for all");
}

const struct pit_check pit_check_gpu_mig[] = {
	{
		.id = "gpu.mig-mode",
		.title = "MIG mode is complete",
		.why = "A GPU in MIG mode without an instance offers nothing to CUDA programs. A mode that waits for a reset "
		       "surprises whoever reboots the host next.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &mode,
		.knob = "gpu.mig",
		.remedy = "Create instances (nvidia-smi mig -cgi PROFILE -C) or switch MIG off and reset the GPU.",
		.command = "nvidia-smi mig -lgip",
		.source = "NVIDIA MIG user guide",
		.refs = "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/",
	},
	{
		.id = "gpu.mig-slices",
		.title = "No MIG slice is unused",
		.why = "Slices outside of any instance are compute and memory that nobody can use. It comes from layouts that do "
		       "not fill the GPU, or from instances made by hand.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &slices,
		.knob = "gpu.mig",
		.remedy = "Choose a layout that fills the GPU.",
		.command = "nvidia-smi mig -lgi",
		.source = "NVIDIA MIG user guide",
		.refs = "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/",
	},
	{
		.id = "gpu.mig-mixed",
		.title = "MIG is the same on all GPUs",
		.why = "A job over all GPUs of a host with mixed MIG modes gets fewer or unequal devices, and peer access "
		       "between them is lost. On a host that serves many small models it can be meant so.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_NVML,
		.probe = probe_mixed,
		.knob = "gpu.mig",
		.remedy = "Use one MIG mode for all GPUs of a training host.",
		.source = "NVIDIA MIG user guide, CUDA device enumeration",
		.refs = "https://docs.nvidia.com/datacenter/tesla/mig-user-guide/",
	},
	{.id = NULL},
};
