/* SPDX-License-Identifier: MIT
 *
 * What memory is used for, and how much there is against the GPUs'.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/memory_use.h"

#define SMALL (UINT64_C(1) << 30) /* below it a share of memory tells nothing */

/* A line of /proc/meminfo that may take up to `percent` of memory. */
struct share_want {
	const char *key, *also; /* `also` is added when the kernel has it; NULL none */
	unsigned percent;
};

static int probe_share(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct share_want *want = row->arg;
	uint64_t total, part, more = 0;
	double share;
	char size[32];
	int rc = pit_meminfo(facts, "MemTotal", &total, err);

	if (!rc)
		rc = pit_meminfo(facts, want->key, &part, err);
	if (rc)
		return rc;
	if (want->also && !pit_meminfo(facts, want->also, &more, NULL) && __builtin_add_overflow(part, more, &part))
		return pit_fail(err, EBADMSG, "%s in /proc/meminfo", want->also);
	share = total ? 100.0 * (double)part / (double)total : 0;
	pit_format_size(part, size, sizeof(size));
	pit_want(out, "below %u%% of memory", want->percent);
	pit_evidence(out, "/proc/meminfo", "%s%s%s %" PRIu64 " of %" PRIu64 " kB", want->key, more ? " + " : "",
		     more ? want->also : "", part / 1024, total / 1024);
	if (part >= SMALL && share >= want->percent)
		return pit_bad(out, "%s, %.0f%% of memory", size, share);
	return pit_pass(out, "%s, %.1f%% of memory", size, share);
}

static int probe_commit(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	uint64_t mode, limit, used;
	char a[32], b[32];
	int rc = pit_root_u64(pit_facts_root(facts), &mode, "/proc/sys/vm/overcommit_memory");

	if (rc)
		return pit_fail(err, -rc, "/proc/sys/vm/overcommit_memory");
	rc = pit_meminfo(facts, "CommitLimit", &limit, err);
	if (!rc)
		rc = pit_meminfo(facts, "Committed_AS", &used, err);
	if (rc)
		return rc;
	pit_format_size(used, a, sizeof(a));
	pit_format_size(limit, b, sizeof(b));
	pit_want(out, "below 90%% of CommitLimit where that is enforced");
	pit_evidence(out, "/proc/meminfo", "Committed_AS %s, CommitLimit %s; vm.overcommit_memory %" PRIu64, a, b,
		     mode);
	if (mode != 2)
		return pit_pass(out, "%s, no limit enforced", a);
	if (used >= limit / 10 * 9)
		return pit_bad(out, "%s of %s", a, b);
	return pit_pass(out, "%s of %s", a, b);
}

static int probe_balloon(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	uint64_t total, taken, given, size;
	char text[32];
	int rc = pit_meminfo(facts, "MemTotal", &total, err);

	if (rc)
		return rc;
	rc = pit_vmstat(facts, "balloon_inflate", &taken, err);
	if (!rc)
		rc = pit_vmstat(facts, "balloon_deflate", &given, err);
	if (rc)
		return pit_fail(err, -rc, "this kernel has no memory balloon");
	taken = taken > given ? taken - given : 0;
	if (__builtin_mul_overflow(taken, pit_page_size(facts), &size))
		return pit_fail(err, EBADMSG, "balloon_inflate in /proc/vmstat");
	pit_format_size(size, text, sizeof(text));
	pit_want(out, "below 5%% of memory");
	pit_evidence(out, "/proc/vmstat", "balloon_inflate less balloon_deflate: %s", text);
	if (size > total / 20)
		return pit_bad(out, "%s taken back by the hypervisor", text);
	return pit_pass(out, "%s taken back", text);
}

/* Bytes of one AMD GPU; 0 not one, or it does not say. */
static uint64_t amd_memory(struct pit_root *root, const char *card)
{
	uint64_t bytes = 0;

	if (strncmp(card, "card", 4) != 0 || strchr(card, '-') ||
	    pit_root_u64(root, &bytes, "/sys/class/drm/%s/device/mem_info_vram_total", card))
		return 0;
	return bytes < UINT64_C(1) << 50 ? bytes : 0;
}

int pit_gpu_memory(struct pit_facts *f, uint64_t *ret_bytes, struct pit_error *err)
{
	const struct pit_strv *cards;
	const json_t *nvml;
	uint64_t sum = 0;
	size_t i;
	json_t *gpu;

	if (!pit_facts_nvml(f, &nvml, NULL)) {
		json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
		{
			json_int_t bytes = json_integer_value(json_object_get(json_object_get(gpu, "memory"), "total"));

			sum += bytes > 0 && bytes < INT64_C(1) << 50 ? (uint64_t)bytes : 0;
		}
	}
	if (!pit_root_list(pit_facts_root(f), &cards, "/sys/class/drm"))
		for (i = 0; i < cards->count; i++)
			sum += amd_memory(pit_facts_root(f), cards->item[i]);
	if (!sum)
		return pit_fail(err, ENOENT, "the size of GPU memory is unknown (no NVML, no AMD driver)");
	*ret_bytes = sum;
	return 0;
}

static int probe_gpu_ratio(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	const struct pit_cgroup *group;
	uint64_t ram, gpu, limit = UINT64_MAX;
	char a[32], b[32], file[256] = "";
	int rc = pit_meminfo(facts, "MemTotal", &ram, err);

	if (!rc)
		rc = pit_gpu_memory(facts, &gpu, err);
	if (rc)
		return rc;
	pit_format_size(ram, a, sizeof(a));
	pit_format_size(gpu, b, sizeof(b));
	pit_want(out, "at least as much as all GPUs have");
	pit_evidence(out, "/proc/meminfo", "MemTotal %s; GPU memory %s", a, b);
	if (!pit_facts_cgroup(facts, &group, NULL) &&
	    !pit_cgroup_limit(pit_facts_root(facts), group, "memory", "memory.max", "memory.limit_in_bytes", &limit,
			      file, sizeof(file)) &&
	    limit < ram) {
		ram = limit;
		pit_evidence(out, file, "%s", pit_format_size(limit, a, sizeof(a)));
	}
	/* What the firmware keeps makes MemTotal a few percent smaller than the modules. */
	if (ram < gpu - gpu / 16)
		return pit_bad(out, "%s for %s of GPU memory", a, b);
	return pit_pass(out, "%s for %s of GPU memory", a, b);
}

static int probe_dying(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_text text;
	uint64_t dying, living = 0;
	int rc = pit_root_read(pit_facts_root(facts), &text, "%s", row->path);

	if (!rc)
		rc = pit_kv_u64(text.data, "nr_dying_descendants", &dying);
	if (rc)
		return pit_fail(err, -rc, "no control group v2 that counts its dying groups");
	(void)pit_kv_u64(text.data, "nr_descendants", &living);
	pit_want(out, "below 10000");
	pit_evidence(out, row->path, "nr_dying_descendants %" PRIu64 ", nr_descendants %" PRIu64, dying, living);
	if (dying >= 10000)
		return pit_bad(out, "%" PRIu64 " removed groups still hold memory", dying);
	return pit_pass(out, "%" PRIu64, dying);
}

static const struct share_want slab = {.key = "SUnreclaim", .percent = 15};
static const struct share_want page_tables = {.key = "PageTables", .also = "SecPageTables", .percent = 5};
static const struct share_want percpu = {.key = "Percpu", .percent = 3};
static const struct share_want pinned = {.key = "Unevictable", .percent = 80};

const struct pit_check pit_check_memory_use[] = {
	{
		.id = "memory.slab",
		.title = "Kernel memory that cannot be freed",
		.why = "The kernel holds much memory in objects that it cannot drop, which is mostly a leak in a driver or file "
		       "system. It grows until jobs are killed.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_share,
		.arg = &slab,
		.remedy = "See which cache grows (slabtop -s c), and update or unload its driver.",
		.source = "kernel documentation of meminfo; 15% is pitcrew's threshold",
		.refs = "https://man7.org/linux/man-pages/man5/proc_meminfo.5.html",
	},
	{
		.id = "memory.page-tables",
		.title = "Memory for page tables",
		.why = "Many processes that map the same large data with small pages pay for the tables in each of them. It happens with "
		       "loader workers that fork from a large parent, or map a data set each.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_share,
		.arg = &page_tables,
		.remedy = "Use huge pages for the shared data, or fewer workers.",
		.source = "kernel documentation of meminfo; 5% is pitcrew's threshold",
		.refs = "https://man7.org/linux/man-pages/man5/proc_meminfo.5.html",
	},
	{
		.id = "memory.percpu",
		.title = "Memory of per-CPU counters",
		.why = "Each control group and network interface keeps counters on every CPU, and removed ones may keep them. Machines "
		       "with hundreds of CPUs lose gigabytes that way.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_share,
		.arg = &percpu,
		.remedy =
			"See how many control groups and containers there are, and whether removed ones stay (memory.dying-cgroups).",
		.source = "kernel documentation of meminfo; 3% is pitcrew's threshold",
		.refs = "https://man7.org/linux/man-pages/man5/proc_meminfo.5.html",
	},
	{
		.id = "memory.pinned",
		.title = "Memory that is locked",
		.why = "Locked memory (pinned loader buffers, mlock, tmpfs without swap) is out of the kernel's reach when memory gets "
		       "short. All else has to live in what is left.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_share,
		.arg = &pinned,
		.remedy = "Pin fewer buffers, and empty tmpfs.",
		.source = "kernel documentation of meminfo; 80% is pitcrew's threshold",
		.refs = "https://man7.org/linux/man-pages/man5/proc_meminfo.5.html",
	},
	{
		.id = "memory.commit",
		.title = "Memory promised in strict mode",
		.why = "Under strict overcommit no promise beyond CommitLimit is made, whatever is free. Programs fail with 'Cannot "
		       "allocate memory' when it is reached.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_commit,
		.knob = "vm.overcommit_memory",
		.remedy = "Leave strict overcommit, or raise vm.overcommit_ratio.",
		.source = "kernel documentation of overcommit",
		.refs = "https://docs.kernel.org/mm/overcommit-accounting.html",
	},
	{
		.id = "memory.balloon",
		.title = "Memory taken back by the hypervisor",
		.why = "The host took memory away from this virtual machine through its balloon. Jobs that were sized by the "
		       "instance's memory get killed.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_balloon,
		.remedy = "Turn ballooning off for this virtual machine, or reserve its memory on the host.",
		.source = "kernel counters balloon_*; 5% is pitcrew's threshold",
	},
	{
		.id = "memory.gpu-ratio",
		.title = "Memory of the host against its GPUs'",
		.why = "Checkpoints, offloaded optimizer state and weights on their way to the GPUs pass through host memory. With less of "
		       "it than the GPUs have, loading and saving are killed or crawl.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_gpu_ratio,
		.remedy = "Add memory, raise the limit of the control group, or load and save in pieces.",
		.source = "stas00 ml-engineering: host memory at least that of all GPUs",
		.refs = "https://github.com/stas00/ml-engineering/tree/master/compute/cpu-memory",
	},
	{
		.id = "memory.dying-cgroups",
		.title = "Removed control groups that hold memory",
		.why = "A control group that was removed lives on while a page of its cache does. Thousands of them slow down every "
		       "reading of memory statistics and hold kernel memory.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/sys/fs/cgroup/cgroup.stat",
		.probe = probe_dying,
		.remedy = "Drop the page cache between jobs (echo 3 > /proc/sys/vm/drop_caches).",
		.source = "kernel documentation of cgroup v2; 10000 is pitcrew's threshold",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{.id = NULL},
};
