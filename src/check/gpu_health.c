/* SPDX-License-Identifier: MIT
 *
 * Whether the GPUs are healthy: memory errors, retirements, temperature, persistence.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"
#include "host/unit.h"

static const char *error_text(int64_t code)
{
	switch (code) {
	case 15:
		return "lost";
	case 16:
		return "needs a reset";
	case 14:
		return "its InfoROM is corrupted";
	case 11:
		return "its interrupts do not arrive";
	default:
		return "cannot be asked";
	}
}

static int judge_silence(int rc, struct pit_finding *out, struct pit_error *err)
{
	if (rc != -ETIMEDOUT && rc != -EIO)
		return rc;
	pit_want(out, "NVML answers for every GPU");
	pit_evidence(out, "NVML", "%s", err->text);
	return pit_judge(out, PIT_FAIL, PIT_HURTING, "%s",
			 rc == -ETIMEDOUT ? "the driver does not answer" : "the driver reports an error");
}

static int probe_responds(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	const json_t *nvml, *gpus, *gpu;
	const char *incomplete;
	size_t i, bad = 0;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return judge_silence(rc, out, err);
	gpus = json_object_get(nvml, "gpus");
	incomplete = pit_gpu_text(nvml, "incomplete");
	json_array_foreach(gpus, i, gpu)
	{
		int64_t code, index = (int64_t)i;

		if (!pit_gpu_number(gpu, NULL, "error", &code))
			continue;
		bad++;
		pit_gpu_number(gpu, NULL, "index", &index);
		pit_evidence(out, "NVML", "GPU %" PRId64 " %s (error %" PRId64 ")", index, error_text(code), code);
	}
	if (incomplete[0])
		pit_evidence(out, "NVML", "%s", incomplete);
	pit_want(out, "NVML answers for every GPU");
	if (incomplete[0])
		return pit_bad(out, "%s", incomplete);
	if (bad)
		return pit_bad(out, "%zu of %zu GPUs do not work", bad, json_array_size(gpus));
	return pit_pass(out, "all %zu GPUs answer", json_array_size(gpus));
}

static enum pit_gpu_verdict judge_recovery(const json_t *gpu, char *text, size_t size)
{
	static const char *const actions[] = {"none", "reset", "reboot of the host", "drain", "drain and reset"};
	int64_t action;

	if (!pit_gpu_number(gpu, NULL, "recovery", &action))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "the driver asks for: %s",
		 action >= 0 && action < (int64_t)PIT_COUNT(actions) ? actions[action] : "another action");
	return action ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule recovery = {
	.judge = judge_recovery,
	.fine = "no recovery action is asked for",
	.wanted = "none",
	.unknown = "this driver does not tell recovery actions",
};

static enum pit_gpu_verdict judge_persistence(const json_t *gpu, char *text, size_t size)
{
	int64_t on;

	if (!pit_gpu_number(gpu, NULL, "persistence", &on) || pit_gpu_is_mobile(gpu))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "persistence mode is %s", on ? "on" : "off");
	return on ? PIT_GPU_FINE : PIT_GPU_BAD;
}
static const struct pit_gpu_rule persistence = {
	.judge = judge_persistence,
	.wanted = "on",
	.unknown = "these GPUs have no persistence mode, or save power in a laptop",
};

static bool is_mode_off(const json_t *nvml)
{
	const json_t *gpu;
	int64_t on;
	size_t i, off = 0;

	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		off += pit_gpu_number(gpu, NULL, "persistence", &on) && !on;
	}
	return off > 0;
}

/* Who keeps persistence mode over a restart of the driver. */
static int probe_persistenced(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_procs *procs;
	const json_t *nvml;
	char value[256], where[256];
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	if (pit_gpu_is_wsl(facts))
		return pit_skip(out, "under WSL the Windows host decides");
	rc = pit_facts_nvml(facts, &nvml, err);
	if (rc)
		return rc;
	if (is_mode_off(nvml))
		return pit_skip(out, "persistence mode is off: gpu.persistence tells");
	pit_want(out, "nvidia-persistenced runs with persistence mode");
	if (!pit_unit_get(root, "nvidia-persistenced.service", "Service", "ExecStart", value, sizeof(value), where,
			  sizeof(where)) &&
	    strstr(value, "--no-persistence-mode")) {
		pit_evidence(out, where, "ExecStart=%s", value);
		pit_origin(out, "%s", where);
		return pit_bad(out, "it is started with --no-persistence-mode");
	}
	if (pit_facts_process(facts, "nvidia-persistenced")) {
		pit_evidence(out, "/proc", "nvidia-persistenced runs");
		return pit_pass(out, "nvidia-persistenced runs");
	}
	pit_evidence(out, "/proc", "no process nvidia-persistenced");
	return pit_bad(out, "nvidia-persistenced does not run");
}

static enum pit_gpu_verdict judge_ecc_mode(const json_t *gpu, char *text, size_t size)
{
	int64_t current, pending;

	if (!pit_gpu_number(gpu, "ecc", "current", &current) || !pit_gpu_number(gpu, "ecc", "pending", &pending))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "ECC is %s%s", current ? "on" : "off",
		 current == pending ? "" : (pending ? ", on after a reset" : ", off after a reset"));
	return current && pending ? PIT_GPU_FINE : PIT_GPU_BAD;
}
static const struct pit_gpu_rule ecc_mode = {
	.judge = judge_ecc_mode,
	.wanted = "on",
	.unknown = "these GPUs have no ECC that can be switched",
};

static enum pit_gpu_verdict judge_ecc_errors(const json_t *gpu, char *text, size_t size)
{
	int64_t uncorrected, corrected = 0;

	if (!pit_gpu_number(gpu, "ecc", "uncorrected", &uncorrected))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "ecc", "corrected", &corrected);
	snprintf(text, size, "%" PRId64 " uncorrectable, %" PRId64 " corrected errors since the driver started",
		 uncorrected, corrected);
	return uncorrected ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule ecc_errors = {
	.judge = judge_ecc_errors,
	.fine = "no uncorrectable memory error",
	.wanted = "0 uncorrectable",
	.unknown = "these GPUs do not count memory errors",
};

static enum pit_gpu_verdict judge_sram(const json_t *gpu, char *text, size_t size)
{
	int64_t ever;

	if (!pit_gpu_number(gpu, "ecc", "sram_uncorrected_ever", &ever))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "%" PRId64 " uncorrectable SRAM errors in its life", ever);
	return ever ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule sram = {
	.judge = judge_sram,
	.fine = "no uncorrectable SRAM error",
	.wanted = "0",
	.unknown = "these GPUs do not count SRAM errors",
};

#define REMAPPED_MAX 512 /* Azure azurehpc-health-checks */

static enum pit_gpu_verdict judge_remap(const json_t *gpu, char *text, size_t size)
{
	int64_t pending = 0, failure = 0, rows = 0;

	if (!pit_gpu_number(gpu, "remapped", "pending", &pending) ||
	    !pit_gpu_number(gpu, "remapped", "failure", &failure))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "remapped", "uncorrected", &rows);
	snprintf(text, size, "%s, %" PRId64 " rows remapped",
		 failure   ? "remapping failed"
		 : pending ? "remapping waits for a reset"
			   : "nothing waits",
		 rows);
	if (failure)
		return PIT_GPU_BROKEN;
	return pending || rows > REMAPPED_MAX ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule remap = {
	.judge = judge_remap,
	.fine = "no remapping waits or failed",
	.wanted = "nothing pending, no failure",
	.unknown = "these GPUs do not remap rows",
};

#define RETIRED_MAX 10 /* gcm's limit; NVIDIA replaces boards at 60 */

static enum pit_gpu_verdict judge_retired(const json_t *gpu, char *text, size_t size)
{
	int64_t single = 0, twice = 0, pending = 0;

	if (!pit_gpu_number(gpu, "retired", "sbe", &single) || !pit_gpu_number(gpu, "retired", "dbe", &twice))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "retired", "pending", &pending);
	snprintf(text, size, "%" PRId64 " pages retired%s", single + twice, pending ? ", more wait for a reset" : "");
	return pending || single + twice > RETIRED_MAX ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule retired = {
	.judge = judge_retired,
	.wanted = "none pending, at most 10",
	.unknown = "these GPUs do not retire pages",
};

#define MARGIN_CELSIUS 5 /* gpud's example: alert at 82 when slowdown is at 87 */

static enum pit_gpu_verdict judge_temperature(const json_t *gpu, char *text, size_t size)
{
	int64_t now, limit, memory, memory_limit;

	if (!pit_gpu_number(gpu, "temperature", "gpu", &now) ||
	    !pit_gpu_number(gpu, "temperature", "slowdown", &limit) || limit < 50 || limit > 150)
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "%" PRId64 " C, slows down at %" PRId64 " C", now, limit);
	if (now >= limit)
		return PIT_GPU_HURTS;
	if (now > limit - MARGIN_CELSIUS)
		return PIT_GPU_BAD;
	if (!pit_gpu_number(gpu, "temperature", "memory", &memory) || memory <= 0 ||
	    !pit_gpu_number(gpu, "temperature", "memory_max", &memory_limit) || memory_limit < 50 ||
	    memory < memory_limit)
		return PIT_GPU_FINE;
	snprintf(text, size, "memory %" PRId64 " C, limit %" PRId64 " C", memory, memory_limit);
	return PIT_GPU_HURTS;
}
static const struct pit_gpu_rule temperature = {
	.judge = judge_temperature,
	.wanted = "more than 5 C below the slowdown temperature",
	.unknown = "these GPUs do not tell their slowdown temperature",
};

/* Names the first GPU that differs from GPU 0 in `key` although it has the same name; NULL none. */
static const json_t *first_other(const json_t *gpus, const char *key)
{
	const json_t *first = json_array_get(gpus, 0), *gpu;
	size_t i;

	json_array_foreach(gpus, i, gpu)
	{
		const char *a = pit_gpu_text(first, key), *b = pit_gpu_text(gpu, key);

		if (a[0] && b[0] && strcmp(a, b) != 0 &&
		    !strcmp(pit_gpu_text(first, "name"), pit_gpu_text(gpu, "name")))
			return gpu;
	}
	return NULL;
}

static int probe_firmware(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	static const char *const keys[] = {"vbios", "inforom"};
	const json_t *nvml, *gpus, *other = NULL;
	const char *differs = NULL;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	gpus = json_object_get(nvml, "gpus");
	if (json_array_size(gpus) < 2)
		return pit_skip(out, "fewer than two GPUs");
	for (size_t i = 0; i < PIT_COUNT(keys) && !other; i++) {
		other = first_other(gpus, keys[i]);
		differs = keys[i];
	}
	if (!other)
		return pit_pass(out, "the same on all %zu GPUs", json_array_size(gpus));
	pit_want(out, "the same on all GPUs of a kind");
	pit_evidence(out, "NVML GPU 0", "%s %s", differs, pit_gpu_text(json_array_get(gpus, 0), differs));
	pit_evidence(out, "NVML", "%s has %s %s", pit_gpu_text(other, "pci"), differs, pit_gpu_text(other, differs));
	return pit_bad(out, "%s differs between GPUs of one kind", differs);
}

const struct pit_check pit_check_gpu_health[] = {
	{
		.id = "gpu.responds",
		.title = "Driver and GPUs answer",
		.why = "A driver that hangs or a GPU that reports itself lost stops every job that touches it. Such jobs "
		       "often cannot even be killed.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_responds,
		.remedy =
			"Drain the host, look at the Xids in the kernel log, reset the GPU, and reboot when that fails.",
		.command = "nvidia-smi --gpu-reset -i <INDEX>",
		.source = "NVML error codes 11, 14, 15, 16; leptonai/gpud",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.recovery",
		.title = "The driver asks for no recovery of a GPU",
		.why = "The driver says itself that the GPU must be reset or the host restarted. Until then jobs on it fail or "
		       "run with broken links.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &recovery,
		.remedy = "Drain the GPU and do what the driver asks for.",
		.command = "nvidia-smi --gpu-reset -i <INDEX>",
		.source = "NVML GPU recovery action; DCGM gpu_recovery_state",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.persistence",
		.title = "Persistence mode",
		.why = "Without it the driver shuts a GPU down when its last user leaves, and the next start takes seconds per "
		       "GPU and forgets clocks and limits. It costs at every start of a short job and in every health check.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &persistence,
		.knob = "gpu.persistence",
		.remedy = "Enable and start nvidia-persistenced, or switch the mode on.",
		.command = "nvidia-smi -pm 1",
		.source = "NVIDIA DCGM requires it; EKS AMI, azurehpc-health-checks, gpud",
		.refs = "https://docs.nvidia.com/deploy/driver-persistence/",
	},
	{
		.id = "gpu.persistenced",
		.title = "The persistence daemon runs",
		.why = "nvidia-smi -pm 1 lasts until the driver is reloaded; the daemon keeps the mode over reboots. Some "
		       "distributions start it with --no-persistence-mode, which makes it useless.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML | PIT_NEED_HOST,
		.probe = probe_persistenced,
		.knob = "service.nvidia-persistenced",
		.remedy = "Enable nvidia-persistenced with persistence mode.",
		.command = "systemctl enable --now nvidia-persistenced",
		.source = "NVIDIA deepops, Google cluster-toolkit",
		.refs = "https://docs.nvidia.com/deploy/driver-persistence/",
	},
	{
		.id = "gpu.ecc-mode",
		.title = "ECC of GPU memory",
		.why = "Without ECC a flipped bit in GPU memory changes weights or gradients without a trace. Long training "
		       "runs on many GPUs will meet it; switching it needs a reset of the GPU.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &ecc_mode,
		.knob = "gpu.ecc",
		.remedy = "Switch ECC on and reset the GPU when it is idle.",
		.command = "nvidia-smi -e 1",
		.reboot = true,
		.source = "imbue cluster-health; NVIDIA data centre default",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.ecc-errors",
		.title = "Uncorrectable memory errors of GPUs",
		.why = "Each uncorrectable error kills the jobs on that GPU. The bad cells stay in use until the GPU is reset, "
		       "so the next job may die of them too.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &ecc_errors,
		.remedy = "Drain the GPU, reset it, run a memory test, and have it replaced when errors return.",
		.command = "nvidia-smi --gpu-reset -i <INDEX>",
		.source = "facebookresearch/gcm, imbue, DCGM: 0",
		.refs = "https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/",
	},
	{
		.id = "gpu.sram-errors",
		.title = "Uncorrectable SRAM errors in a GPU's life",
		.why = "SRAM has no spare rows, so its errors come back and kill jobs again. A GPU that has had some is a "
		       "candidate for replacement.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &sram,
		.remedy = "Run the vendor's field diagnostics and watch whether the count grows.",
		.source = "azurehpc-health-checks check_gpu_ecc: 0",
		.refs = "https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/",
	},
	{
		.id = "gpu.row-remap",
		.title = "Row remapping of GPU memory",
		.why = "A remapping that waits leaves a bad row in use until the GPU is reset; one that failed means that the "
		       "spare rows are used up. Jobs on that GPU die of memory errors.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &remap,
		.remedy = "Reset the GPU when it is idle; have it replaced when remapping failed.",
		.command = "nvidia-smi --gpu-reset -i <INDEX>",
		.source = "leptonai/gpud, gcm, azurehpc-health-checks (at most 512)",
		.refs = "https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/",
	},
	{
		.id = "gpu.retired-pages",
		.title = "Retired pages of GPU memory",
		.why = "Pages that wait for retirement are still in use and can kill a job. GPUs before Ampere have few pages to "
		       "retire, and a growing count announces their end.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &retired,
		.remedy = "Reset the GPU so that the pages are retired; have it replaced when the count keeps growing.",
		.source = "facebookresearch/gcm: at most 10",
		.refs = "https://docs.nvidia.com/deploy/dynamic-page-retirement/",
	},
	{
		.id = "gpu.temperature",
		.title = "Distance to the slowdown temperature",
		.why = "At the slowdown temperature the GPU halves its clocks, and in a training job all others wait for it. "
		       "Little margin under load means that a warm day or a blocked fan will do it.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &temperature,
		.remedy =
			"Check air flow, fans, filters and inlet temperature; lower the power limit until that is done.",
		.source = "NVML thresholds; leptonai/gpud (5 C margin)",
	},
	{
		.id = "gpu.firmware",
		.title = "The same firmware on all GPUs",
		.why = "GPUs of one kind with different VBIOS or InfoROM can differ in power, clocks and bugs. In a synchronous "
		       "job the slowest sets the pace.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_firmware,
		.remedy = "Bring all GPUs to one firmware with the vendor's update package.",
		.source = "imbue, facebookresearch/gcm vbios_mismatch",
	},
	{.id = NULL},
};
