/* SPDX-License-Identifier: MIT
 *
 * Errors of memory modules, and memory that comes and goes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/catalog.h"
#include "check/counters.h"

#define EDAC "/sys/devices/system/edac/mc"

/* Adds up `counter` over the memory controllers; names those that are not at 0. -ENOENT: none is watched. */
static int count_errors(struct pit_facts *facts, const char *counter, struct pit_finding *out, uint64_t *ret,
			struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	uint64_t sum = 0;
	size_t controllers = 0;
	int rc = pit_root_list(root, &names, EDAC);

	if (rc)
		return pit_fail(err, -rc, "no driver watches the memory controllers (EDAC)");
	for (size_t i = 0; i < names->count; i++) {
		char path[128];
		uint64_t n;

		snprintf(path, sizeof(path), EDAC "/%.32s/%s", names->item[i], counter);
		if (strncmp(names->item[i], "mc", 2) != 0 || pit_root_u64(root, &n, "%s", path))
			continue;
		controllers++;
		if (n)
			pit_evidence(out, path, "%" PRIu64, n);
		if (__builtin_add_overflow(sum, n, &sum))
			return pit_fail(err, EBADMSG, "%s", path);
	}
	if (!controllers)
		return pit_fail(err, ENOENT, "no driver watches the memory controllers (EDAC)");
	*ret = sum;
	return 0;
}

static int probe_uncorrected(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			     struct pit_error *err)
{
	uint64_t n;
	int rc = count_errors(facts, "ue_count", out, &n, err);

	if (rc)
		return rc;
	pit_want(out, "0");
	return n ? pit_bad(out, "%" PRIu64 " since boot", n) : pit_pass(out, "0 since boot");
}

static int probe_corrected(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	double up = 0, per_day;
	uint64_t n;
	int rc = count_errors(facts, "ce_count", out, &n, err);

	if (!rc)
		rc = pit_uptime(facts, &up, err);
	if (rc)
		return rc;
	pit_want(out, "below 24 a day");
	per_day = (double)n / (up < 86400 ? 1 : up / 86400);
	if (per_day >= 24)
		return pit_bad(out, "%" PRIu64 " since boot, %.0f a day", n, per_day);
	return pit_pass(out, "%" PRIu64 " since boot", n);
}

static int probe_corrupted(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	uint64_t bytes;
	int rc = pit_meminfo(facts, "HardwareCorrupted", &bytes, err);

	if (rc)
		return rc;
	pit_want(out, "0 kB");
	pit_evidence(out, "/proc/meminfo", "HardwareCorrupted %" PRIu64 " kB", bytes / 1024);
	return bytes ? pit_bad(out, "%" PRIu64 " kB out of use", bytes / 1024) : pit_pass(out, "0 kB");
}

static bool has_gpu_node(struct pit_facts *facts)
{
	const struct pit_topo *topo;

	if (pit_facts_topo(facts, &topo, NULL))
		return false;
	for (size_t i = 0; i < topo->nodes; i++)
		if (topo->node[i].kind == PIT_NODE_GPU)
			return true;
	return false;
}

/* Where GPU memory is a NUMA node, kernel memory must not land on it: the driver could never be unloaded. */
static int probe_auto_online(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			     struct pit_error *err)
{
	bool gpu_node = has_gpu_node(facts);
	char mode[32];
	int rc = pit_root_str(pit_facts_root(facts), mode, sizeof(mode), "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "this kernel cannot add memory at run time");
	pit_want(out, gpu_node ? "offline or online_movable" : "any; GPU memory is no NUMA node here");
	pit_evidence(out, row->path, "%s", mode);
	if (gpu_node && (!strcmp(mode, "online") || !strcmp(mode, "online_kernel"))) {
		pit_origin_of(facts, row->path, mode, "memhp_default_state", out);
		return pit_bad(out, "%s", mode);
	}
	return pit_pass(out, "%s", mode);
}

const struct pit_check pit_check_memory_health[] = {
	{
		.id = "memory.ecc-uncorrected",
		.title = "Memory errors that could not be corrected",
		.why = "A memory module returned data that could not be repaired. Whoever used them was killed or computed with wrong "
		       "numbers, and more will follow.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_uncorrected,
		.remedy =
			"Take the machine out of service and replace the module (edac-util -v, or the firmware's event log).",
		.source = "kernel EDAC counters; gcm check of the event log",
		.refs = "https://docs.kernel.org/admin-guide/ras.html",
	},
	{
		.id = "memory.ecc-corrected",
		.title = "Memory errors that were corrected",
		.why = "Single corrected errors are normal in large memories. Dozens a day come from a module that is about to fail, and "
		       "each costs a pause in which the CPU reports it.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_corrected,
		.remedy = "Find the module (edac-util -v) and replace it at the next occasion.",
		.source = "kernel EDAC counters; one an hour is pitcrew's threshold",
		.refs = "https://docs.kernel.org/admin-guide/ras.html",
	},
	{
		.id = "memory.corrupted",
		.title = "Memory out of use after hardware errors",
		.why = "The kernel took pages out of use because the hardware reported that they lost data, or were about to. The module is "
		       "at fault, and whoever used a lost page was killed or computed with wrong numbers.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_corrupted,
		.remedy = "Find the module (edac-util -v, or the firmware's event log) and replace it.",
		.source = "kernel documentation of hwpoison",
		.refs = "https://docs.kernel.org/mm/hwpoison.html",
	},
	{
		.id = "memory.auto-online",
		.title = "Memory added at run time",
		.why = "On Grace Hopper and Grace Blackwell GPU memory appears as a NUMA node when the driver starts. If the kernel brings it "
		       "online for its own use, its objects land in GPU memory and the driver can no longer be unloaded or reset.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/sys/devices/system/memory/auto_online_blocks",
		.probe = probe_auto_online,
		.knob = "memory.auto-online",
		.remedy = "Leave it to the driver: boot with memhp_default_state=offline (or online_movable).",
		.command = "echo offline > /sys/devices/system/memory/auto_online_blocks",
		.reboot = true,
		.source = "NVIDIA driver for Grace Hopper; kernel documentation of memory hotplug",
		.refs = "https://docs.kernel.org/admin-guide/mm/memory-hotplug.html",
	},
	{.id = NULL},
};
