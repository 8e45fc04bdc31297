/* SPDX-License-Identifier: MIT
 *
 * What keeps GPUs from their full speed: throttling, limits, clocks, the PCIe link.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/counters.h"
#include "check/gpu.h"

/* Clock event reasons that cost speed against the owner's will; idle, power cap and settings are not among them. */
static const struct {
	int64_t bit;
	const char *name;
} slowdowns[] = {
	{0x80, "power brake"},
	{0x40, "hardware thermal slowdown"},
	{0x20, "software thermal slowdown"},
	{0x08, "hardware slowdown"},
};

#define REASON_SETTING 0x2

static enum pit_gpu_verdict judge_throttle(const json_t *gpu, char *text, size_t size)
{
	int64_t mask, sm = 0, max = 0;

	if (!pit_gpu_number(gpu, NULL, "throttle", &mask))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, "clocks", "sm", &sm);
	pit_gpu_number(gpu, "clocks", "sm_max", &max);
	for (size_t i = 0; i < PIT_COUNT(slowdowns); i++) {
		if (!(mask & slowdowns[i].bit))
			continue;
		snprintf(text, size, "%s, %" PRId64 " of %" PRId64 " MHz", slowdowns[i].name, sm, max);
		return PIT_GPU_BAD;
	}
	snprintf(text, size, "no slowdown (reasons 0x%" PRIx64 ")", mask);
	return PIT_GPU_FINE;
}
static const struct pit_gpu_rule throttle = {
	.judge = judge_throttle,
	.fine = "no slowdown",
	.wanted = "no hardware slowdown, thermal slowdown or power brake",
	.unknown = "these GPUs do not tell why their clocks are low",
};

static enum pit_gpu_verdict judge_power(const json_t *gpu, char *text, size_t size)
{
	int64_t limit, usual, enforced;

	if (!pit_gpu_number(gpu, "power", "limit", &limit) || !pit_gpu_number(gpu, "power", "default", &usual) ||
	    pit_gpu_is_mobile(gpu))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "limit %" PRId64 " W, default %" PRId64 " W", limit / 1000, usual / 1000);
	if (limit < usual)
		return PIT_GPU_BAD;
	if (!pit_gpu_number(gpu, "power", "enforced", &enforced) || enforced >= usual)
		return PIT_GPU_FINE;
	snprintf(text, size, "limit %" PRId64 " W, but %" PRId64 " W are enforced", limit / 1000, enforced / 1000);
	return PIT_GPU_BAD;
}
static const struct pit_gpu_rule power = {
	.judge = judge_power,
	.wanted = "at least the default",
	.unknown = "these GPUs do not tell their power limit",
};

/* A GPU at work: judged by what it does, not by one reading alone. */
static bool is_busy(const json_t *gpu, int64_t percent)
{
	int64_t use, state;

	return pit_gpu_number(gpu, "utilization", "gpu", &use) && use >= percent &&
	       (!pit_gpu_number(gpu, NULL, "pstate", &state) || state <= 2);
}

static enum pit_gpu_verdict judge_clocks(const json_t *gpu, char *text, size_t size)
{
	int64_t app, usual, mask = 0, sm, max;

	if (pit_gpu_number(gpu, "clocks", "sm_app", &app) && pit_gpu_number(gpu, "clocks", "sm_app_default", &usual) &&
	    app && app < usual) {
		snprintf(text, size, "application clock %" PRId64 " MHz, default %" PRId64 " MHz", app, usual);
		return PIT_GPU_BAD;
	}
	if (!pit_gpu_number(gpu, "clocks", "sm", &sm) || !pit_gpu_number(gpu, "clocks", "sm_max", &max))
		return PIT_GPU_UNKNOWN;
	pit_gpu_number(gpu, NULL, "throttle", &mask);
	snprintf(text, size, "%" PRId64 " of %" PRId64 " MHz", sm, max);
	if (!(mask & REASON_SETTING) || !is_busy(gpu, 50) || sm * 10 >= max * 9)
		return PIT_GPU_FINE;
	snprintf(text, size, "held at %" PRId64 " of %" PRId64 " MHz by a setting", sm, max);
	return PIT_GPU_HURTS;
}
static const struct pit_gpu_rule clocks = {
	.judge = judge_clocks,
	.fine = "no setting holds the clocks down",
	.wanted = "not below the default",
	.unknown = "these GPUs do not tell their clocks",
};

static enum pit_gpu_verdict judge_boost(const json_t *gpu, char *text, size_t size)
{
	int64_t on;

	if (!pit_gpu_number(gpu, NULL, "auto_boost", &on))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "auto boost is %s", on ? "on" : "off");
	return on ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule boost = {
	.judge = judge_boost,
	.wanted = "off",
	.unknown = "these GPUs have no auto boost setting",
};

static enum pit_gpu_verdict judge_width(const json_t *gpu, char *text, size_t size)
{
	int64_t width, max;

	if (!pit_gpu_number(gpu, "link", "width", &width) || !pit_gpu_number(gpu, "link", "width_max", &max) ||
	    !width || pit_gpu_is_mobile(gpu))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "PCIe x%" PRId64 " of x%" PRId64, width, max);
	if (width >= max)
		return PIT_GPU_FINE;
	return is_busy(gpu, 1) ? PIT_GPU_HURTS : PIT_GPU_BAD;
}
static const struct pit_gpu_rule width = {
	.judge = judge_width,
	.wanted = "all lanes",
	.unknown = "these GPUs do not tell their link width",
};

/* An idle link rests at a low speed; that says nothing. */
static enum pit_gpu_verdict judge_speed(const json_t *gpu, char *text, size_t size)
{
	int64_t gen, max, own;

	if (!pit_gpu_number(gpu, "link", "gen", &gen) || !pit_gpu_number(gpu, "link", "gen_max", &max) || !gen)
		return PIT_GPU_UNKNOWN;
	if (pit_gpu_number(gpu, "link", "gen_gpu_max", &own) && max < own) {
		snprintf(text, size, "the slot does PCIe gen %" PRId64 ", the GPU gen %" PRId64, max, own);
		return PIT_GPU_BAD;
	}
	if (is_busy(gpu, 10) && gen < max) {
		snprintf(text, size, "PCIe gen %" PRId64 " of %" PRId64 " under load", gen, max);
		return PIT_GPU_HURTS;
	}
	snprintf(text, size, "PCIe gen %" PRId64 " of %" PRId64 "%s", gen, max, gen < max ? ", idle" : "");
	return PIT_GPU_FINE;
}
static const struct pit_gpu_rule speed = {
	.judge = judge_speed,
	.wanted = "the highest that GPU and slot can do, under load",
	.unknown = "these GPUs do not tell their link speed",
};

#define REPLAYS_PER_HOUR 10
#define REPLAYS_FEW 100

static int probe_replays(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const json_t *nvml, *gpu;
	int64_t worst = -1;
	double hours = 1;
	size_t i;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	if (pit_uptime_or_0(facts) > 3600)
		hours = pit_uptime_or_0(facts) / 3600;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		int64_t replays;

		if (!pit_gpu_number(gpu, "link", "replays", &replays))
			continue;
		worst = replays > worst ? replays : worst;
		if (replays)
			pit_evidence(out, pit_gpu_text(gpu, "pci"), "%" PRId64 " PCIe replays in at most %.0f hours",
				     replays, hours);
	}
	pit_want(out, "at most %d an hour", REPLAYS_PER_HOUR);
	if (worst < 0)
		return pit_skip(out, "these GPUs do not count PCIe replays");
	if (worst > REPLAYS_FEW && (double)worst / hours > REPLAYS_PER_HOUR)
		return pit_bad(out, "%" PRId64 " PCIe replays on one GPU", worst);
	return pit_pass(out, "at most %" PRId64 " PCIe replays on a GPU", worst);
}

static enum pit_gpu_verdict judge_gsp(const json_t *gpu, char *text, size_t size)
{
	int64_t enabled, usual;

	if (!pit_gpu_number(gpu, "gsp", "enabled", &enabled) || !pit_gpu_number(gpu, "gsp", "default", &usual))
		return PIT_GPU_UNKNOWN;
	snprintf(text, size, "GSP firmware is %s", enabled ? "on" : "off");
	return !enabled && usual ? PIT_GPU_BAD : PIT_GPU_FINE;
}
static const struct pit_gpu_rule gsp = {
	.judge = judge_gsp,
	.wanted = "as the driver's default",
	.unknown = "this driver does not tell the GSP firmware's state",
};

const struct pit_check pit_check_gpu_speed[] = {
	{
		.id = "gpu.throttle",
		.title = "GPUs are not slowed down",
		.why = "Heat, a power supply at its limit or an external power brake cut the clocks by half or more. In a "
		       "synchronous job every other GPU waits for the slow one.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &throttle,
		.remedy = "Check cooling, inlet temperature, power supplies and power cables.",
		.command = "nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER",
		.source = "leptonai/gpud, azurehpc-health-checks (idle and power cap do not count)",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.power-limit",
		.title = "Power limit of GPUs",
		.why = "A limit below the default caps the clocks as soon as the GPU works hard. That can be wanted for "
		       "inference or for a weak rack, and is a slow node in training when nobody remembers it.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &power,
		.knob = "gpu.power-limit",
		.remedy = "Set the power limit of each such GPU back to the default that is named.",
		.command = "nvidia-smi -i <INDEX> -pl <WATTS>",
		.source = "NVML default power limit",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.clocks",
		.title = "Clocks are not held down by a setting",
		.why = "Application clocks or locked clocks that somebody left behind make each step slower. It shows only "
		       "under load, and only as a node that is slower than its neighbours.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &clocks,
		.knob = "gpu.clocks",
		.remedy = "Reset application clocks and locked clocks.",
		.command = "nvidia-smi -rac; nvidia-smi -rgc; nvidia-smi -rmc",
		.source = "EKS AMI and azurehpc-health-checks set the maximum",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.auto-boost",
		.title = "Auto boost is off",
		.why = "On GPUs of the Kepler and Maxwell generations auto boost lets clocks wander with temperature, so ranks "
		       "differ in speed. Fixed application clocks are faster in the mean there.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &boost,
		.remedy = "Switch auto boost off and set application clocks.",
		.command = "nvidia-smi --auto-boost-default=0",
		.source = "EKS AMI set-nvidia-clocks",
	},
	{
		.id = "gpu.link-width",
		.title = "PCIe lanes of GPUs",
		.why = "With half the lanes every copy between host and GPU takes twice as long. Dirt, a bent pin or a riser "
		       "causes it, and it stays until the card is reseated.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &width,
		.remedy = "Reseat the card or riser and check the slot's lanes in the firmware setup.",
		.source = "NVIDIA deepops check_nv_pcie_link_width, ROCm cvs, DCGM",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.link-speed",
		.title = "PCIe speed of GPUs under load",
		.why = "A link that trained to a lower generation halves the bandwidth for each step down. An idle GPU rests at "
		       "a low speed, so only a busy one is judged, and the slot against the GPU.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &speed,
		.remedy =
			"Check the slot, riser and firmware setting of the link speed; look at PCIe errors of the device.",
		.source = "NVIDIA DCGM PCIE_GENERATION, ROCm cvs",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.pcie-replays",
		.title = "PCIe replays of GPUs",
		.why = "Each replay is a packet that had to be sent again, so many of them cost bandwidth. A growing count "
		       "announces a link that will fall to fewer lanes or off the bus.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_replays,
		.remedy = "Reseat card, riser and cables; watch whether the count grows under load.",
		.command = "nvidia-smi --query-gpu=pci.bus_id,pcie.link.gen.current --format=csv",
		.source = "NVIDIA DCGM_FR_PCI_REPLAY_RATE (a rate); 10 an hour is our figure",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.gsp",
		.title = "GSP firmware",
		.why = "Newer GPUs are managed by their own processor; without its firmware some features and speed are lost. It "
		       "is switched off to get round bugs, and forgotten.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = pit_gpu_probe,
		.arg = &gsp,
		.remedy = "Remove NVreg_EnableGpuFirmware=0 from /etc/modprobe.d unless a known bug needs it.",
		.reboot = true,
		.source = "EKS AMI (off for some instance types only), leptonai/gpud gsp-firmware",
	},
	{.id = NULL},
};
