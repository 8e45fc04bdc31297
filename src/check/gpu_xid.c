/* SPDX-License-Identifier: MIT
 *
 * Xids and SXids of the kernel log, judged.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"
#include "check/log_rows.h"
#include "check/xid.h"

static bool is_same_gpu(const json_t *gpu, const char *pci)
{
	const char *have = pit_gpu_text(gpu, "pci");
	size_t len = strcspn(pci, ".");

	return *have && len >= 5 && !strncmp(have, pci, len);
}

/* NVML has the GPU, it answers, and the driver asks for nothing: it was reset since, or the host recovered. */
static bool works_again(struct pit_facts *facts, const struct pit_xid_event *e)
{
	const json_t *nvml, *gpu;
	int64_t recovery = 0;
	double age = pit_log_age(facts, e->last_usec);
	size_t i;

	if ((age >= 0 && age < PIT_LOG_RECENT) || pit_facts_nvml(facts, &nvml, NULL))
		return false;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		if (!is_same_gpu(gpu, e->first.pci) || json_object_get(gpu, "error"))
			continue;
		pit_gpu_number(gpu, NULL, "recovery", &recovery);
		return !recovery;
	}
	return false;
}

static void name_event(const struct pit_xid_event *e, char *ret, size_t size)
{
	const struct pit_xid_meaning *m = pit_xid_meaning(e->first.code);
	const char *pci = e->first.pci[0] ? e->first.pci : "an unknown GPU";

	if (e->first.kind == PIT_XID_LOST)
		snprintf(ret, size, "%s: the GPU has fallen off the bus", pci);
	else if (e->first.kind == PIT_XID_SWITCH)
		snprintf(ret, size, "SXid %u on NVSwitch %s%s", e->first.code, pci,
			 e->first.fatal == 1 ? ", fatal" : "");
	else
		snprintf(ret, size, "Xid %u on %s: %s", e->first.code, pci, m ? m->meaning : "not in our table");
}

static void show_event(const struct pit_kmsg *log, const struct pit_xid_event *e, struct pit_finding *out)
{
	const char *follows = e->follows ? " (a consequence)" : "";

	if (e->count == 1)
		pit_evidence(out, log->source, "%.300s%s", e->line, follows);
	else
		pit_evidence(out, log->source, "%zu times: %.300s%s", e->count, e->line, follows);
}

static const struct pit_xid_event *worst_of(const struct pit_xid_events *events, bool switches)
{
	const struct pit_xid_event *worst = NULL;

	for (size_t i = 0; i < events->count; i++) {
		const struct pit_xid_event *e = &events->item[i];

		if ((e->first.kind == PIT_XID_SWITCH) != switches || e->follows)
			continue;
		if (!worst || e->cls > worst->cls)
			worst = e;
	}
	return worst;
}

static bool has_nvidia(struct pit_root *root)
{
	pit_auto_pcis struct pit_pcis pcis = {0};

	return !pit_root_exists(root, "/proc/driver/nvidia/version") ||
	       (!pit_pcis_load(root, &pcis, NULL) && pit_pcis_count_gpus(&pcis, PIT_PCI_NVIDIA));
}

/* Neither GPU nor switch, as far as can be seen: a bus that is hidden may hold one. */
static bool is_without_nvidia(struct pit_facts *facts)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	const json_t *nvml;
	int rc = pit_pcis_load(root, &pcis, NULL);

	if (rc && (pit_root_state(rc) != PIT_STATE_ABSENT || pit_root_exists(root, "/sys/bus")))
		return false; /* not seen; a machine without PCI still has other buses */
	for (size_t i = 0; i < pcis.count; i++)
		if (pit_pci_is_gpu(&pcis.item[i], PIT_PCI_NVIDIA) || pit_pci_is_nvswitch(&pcis.item[i]))
			return false;
	return pit_root_state(pit_root_exists(root, "/proc/driver/nvidia")) == PIT_STATE_ABSENT &&
	       pit_facts_nvml(facts, &nvml, NULL);
}

static int judge_worst(struct pit_facts *facts, const struct pit_xid_event *worst, struct pit_finding *out)
{
	const struct pit_xid_meaning *m = worst->first.kind == PIT_XID_GPU ? pit_xid_meaning(worst->first.code) : NULL;
	char name[256];

	name_event(worst, name, sizeof(name));
	if (m)
		pit_remedy(out, "%s.", m->action);
	if (worst->cls == PIT_XID_NOTE)
		return pit_pass(out, "%s", name);
	if (worst->cls < PIT_XID_RESET)
		return pit_judge(out, PIT_WARN, PIT_RISK, "%s", name);
	if (works_again(facts, worst))
		return pit_judge(out, PIT_WARN, PIT_RISK, "%s; it works again", name);
	return pit_judge(out, PIT_FAIL, PIT_HURTING, "%s", name);
}

/* row->arg: not NULL for the switches. */
static int probe_log(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	bool switches = row->arg != NULL;
	struct pit_xid_events events = {0};
	const struct pit_xid_event *worst;
	const struct pit_kmsg *log;
	int rc = pit_facts_kmsg(facts, &log, err);

	/* Without the log nobody knows of a GPU that was lost; one that was never here needs no log. */
	if (rc && rc != -EAGAIN && is_without_nvidia(facts))
		return pit_skip(out, "no NVIDIA GPU here");
	if (rc)
		return rc;
	rc = pit_xid_collect(log, &events);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	pit_want(out, switches ? "no SXid" : "no Xid");
	for (size_t i = 0; i < events.count; i++)
		if ((events.item[i].first.kind == PIT_XID_SWITCH) == switches)
			show_event(log, &events.item[i], out);
	worst = worst_of(&events, switches);
	if (worst)
		rc = judge_worst(facts, worst, out);
	else if (has_nvidia(pit_facts_root(facts)))
		rc = pit_pass(out, switches ? "no SXid in %zu lines" : "no Xid in %zu lines", log->count);
	else
		rc = pit_skip(out, "no NVIDIA GPU here");
	pit_xid_events_free(&events);
	return rc;
}

const struct pit_check pit_check_gpu_xid[] = {
	{
		.id = "gpu.xid",
		.title = "Xid errors of GPUs in the kernel log",
		.why = "The driver reports each GPU error as an Xid; some mean that a job has a bug, others that "
		       "the GPU must be reset or replaced and fails the next job too. Lists of critical codes "
		       "differ from tool to tool, so each code is judged by its own meaning and action, and lines "
		       "that only follow from another are not counted.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_log,
		.remedy = "Look the code up in NVIDIA's Xid catalog and drain the GPU when it repeats.",
		.command = "dmesg -T | grep -E 'NVRM|SXid'",
		.source = "NVIDIA Xid catalog; azurehpc-health-checks, gcm, AWS and gpud lists, which differ",
		.refs = "https://docs.nvidia.com/deploy/xid-errors/",
	},
	{
		.id = "gpu.sxid",
		.title = "SXid errors of NVSwitches in the kernel log",
		.why = "An NVSwitch error breaks or slows the links of all GPUs behind it. Fatal ones stop every job on them "
		       "until the GPUs and switches are reset together.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_log,
		.arg = "switches",
		.remedy =
			"For a fatal one stop all jobs, reset all GPUs and NVSwitches together, and restart the fabric manager.",
		.command = "dmesg -T | grep SXid",
		.source = "leptonai/gpud sxid, imbue",
		.refs = "https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/",
	},
	{.id = NULL},
};
