/* SPDX-License-Identifier: MIT
 *
 * Who may use the GPUs and who does: compute mode, MPS, processes, memory without an owner.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/gpu.h"

enum { MODE_DEFAULT, MODE_EXCLUSIVE_THREAD, MODE_PROHIBITED, MODE_EXCLUSIVE };

/* Exclusive mode is right below MPS and a trap without it. */
static int probe_compute_mode(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	const json_t *nvml, *gpu;
	size_t i, prohibited = 0, exclusive = 0, known = 0;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		int64_t mode;

		if (!pit_gpu_number(gpu, NULL, "compute_mode", &mode))
			continue;
		known++;
		prohibited += mode == MODE_PROHIBITED;
		exclusive += mode == MODE_EXCLUSIVE || mode == MODE_EXCLUSIVE_THREAD;
		if (mode != MODE_DEFAULT)
			pit_evidence(out, pit_gpu_text(gpu, "pci"), "compute mode %s",
				     mode == MODE_PROHIBITED ? "prohibited" : "exclusive process");
	}
	pit_want(out, "default (exclusive only with MPS)");
	if (!known)
		return pit_skip(out, "these GPUs do not tell their compute mode");
	if (prohibited)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "prohibited on %zu of %zu GPUs", prohibited, known);
	if (!exclusive)
		return pit_pass(out, "default");
	if (pit_facts_process(facts, "nvidia-cuda-mps"))
		return pit_pass(out, "exclusive, with MPS");
	return pit_bad(out, "exclusive process on %zu GPUs, without MPS", exclusive);
}

static int probe_mps(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const char *set = pit_facts_env(facts, "CUDA_MPS_PIPE_DIRECTORY");
	const char *dir = set && *set ? set : "/tmp/nvidia-mps";
	const struct pit_procs *procs;
	bool control = !pit_root_exists(root, "%s/control", dir);
	const struct pit_proc *daemon = pit_facts_process(facts, "nvidia-cuda-mps");
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	pit_evidence(out, dir, control ? "holds a control pipe" : "no control pipe");
	pit_evidence(out, "/proc", daemon ? "MPS daemon runs, pid %d" : "no MPS daemon (%d)", daemon ? daemon->pid : 0);
	pit_want(out, "no pipe without its daemon");
	if (daemon && control)
		return pit_pass(out, "MPS runs on %s", dir);
	if (daemon)
		return pit_pass(out, "MPS runs on another directory");
	if (!control)
		return pit_pass(out, "MPS is not in use");
	if (!set || !*set)
		pit_command(out, "rm -r /tmp/nvidia-mps");
	return pit_bad(out, "%s is left over, no MPS daemon", dir);
}

#define LEFTOVER_BYTES (INT64_C(256) << 20)

/* Memory in use that belongs to no process. Without `reserved` the driver's own part cannot be told apart; GPU memory
 * that is a NUMA node holds the kernel's pages too. */
static enum pit_gpu_verdict judge_leftover(const json_t *gpu, char *text, size_t size)
{
	const json_t *processes = json_object_get(gpu, "processes");
	int64_t used, reserved, mig = 0, node;
	char human[32];

	pit_gpu_number(gpu, "mig", "current", &mig);
	if (!json_is_array(processes) || mig || pit_gpu_number(gpu, NULL, "node", &node) ||
	    !pit_gpu_number(gpu, "memory", "used", &used) || !pit_gpu_number(gpu, "memory", "reserved", &reserved))
		return PIT_GPU_UNKNOWN;
	pit_format_size((uint64_t)used, human, sizeof(human));
	snprintf(text, size, "%s in use, %zu processes", human, json_array_size(processes));
	return !json_array_size(processes) && used > LEFTOVER_BYTES ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule leftover = {
	.judge = judge_leftover,
	.fine = "memory in use belongs to processes",
	.wanted = "at most 256 MiB in use without a process",
	.unknown = "these GPUs do not tell memory and processes",
};

static enum pit_gpu_verdict judge_graphics(const json_t *gpu, char *text, size_t size)
{
	const json_t *processes = json_object_get(gpu, "processes"), *process;
	int64_t display = 0, pid = 0;
	size_t i, count = 0;

	if (!json_is_array(processes) || pit_gpu_is_mobile(gpu))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, NULL, "display", &display);
	json_array_foreach(processes, i, process)
	{
		if (strcmp(pit_gpu_text(process, "type"), "G") != 0)
			continue;
		count++;
		pit_gpu_number(process, NULL, "pid", &pid);
	}
	snprintf(text, size, "%zu graphics process%s (pid %" PRId64 ")%s", count, count == 1 ? "" : "es", pid,
		 display ? ", a monitor is in use" : "");
	if (!count)
		snprintf(text, size, "no graphics process");
	return count && !display ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule graphics = {
	.judge = judge_graphics,
	.wanted = "none on a GPU without a monitor",
	.unknown = "these GPUs do not tell their processes",
};

const struct pit_check pit_check_gpu_share[] = {
	{
		.id = "gpu.compute-mode",
		.title = "Compute mode",
		.why = "In prohibited mode no CUDA program can use the GPU; in exclusive mode the second process fails, such as "
		       "another rank or a worker that touches CUDA. Exclusive mode is right only where MPS shares the GPU.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_compute_mode,
		.knob = "gpu.compute-mode",
		.remedy = "Set the default compute mode, or start MPS.",
		.command = "nvidia-smi -c 0",
		.source = "NVIDIA MPS documentation",
		.refs = "https://docs.nvidia.com/deploy/mps/",
	},
	{
		.id = "gpu.mps",
		.title = "State of MPS",
		.why = "CUDA programs look into the MPS directory first, and one without its daemon makes them fail at start or run "
		       "unshared. It is left behind when the daemon is killed or a job is cancelled.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA | PIT_NEED_HOST,
		.probe = probe_mps,
		.knob = "gpu.mps",
		.remedy = "Remove the directory, or start MPS again (nvidia-cuda-mps-control -d).",
		.source = "NVIDIA MPS documentation",
		.refs = "https://docs.nvidia.com/deploy/mps/",
	},
	{
		.id = "gpu.memory-leftover",
		.title = "No GPU memory without an owner",
		.why = "Memory of a process that died badly, or that runs where it cannot be seen, is missing for the next job, "
		       "which then runs out of memory. A reset of the GPU frees it.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML | PIT_NEED_HOST,
		.probe = pit_gpu_probe,
		.arg = &leftover,
		.remedy = "Find who holds /dev/nvidia* (fuser -v /dev/nvidia*), end it, or reset the GPU.",
		.command = "fuser -v /dev/nvidia*",
		.source = "facebookresearch/gcm mem_usage (15 MiB); 256 MiB leaves room for the driver",
	},
	{
		.id = "gpu.graphics-processes",
		.title = "No graphics processes on compute GPUs",
		.why = "A display server takes memory and time of the GPU, and interrupts long kernels. It starts by itself when "
		       "a desktop package was installed on a server.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &graphics,
		.remedy = "Boot without a desktop, or keep the display server on another GPU.",
		.command = "systemctl set-default multi-user.target",
		.source = "NVIDIA DCGM graphics_processes",
	},
	{.id = NULL},
};
