/* SPDX-License-Identifier: MIT
 *
 * Whether memory is short now: pressure, reclaim, refaults, dirty pages and the limits of control groups.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/memory_use.h"
#include "check/pressure.h"

#define FLUSH_MAX (UINT64_C(64) << 30) /* more dirty data than this takes over a minute to write at 1 GB/s */

static int probe_available(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	uint64_t total, left;
	char size[32];
	double share;
	int rc = pit_meminfo(facts, "MemTotal", &total, err);

	if (!rc)
		rc = pit_meminfo(facts, "MemAvailable", &left, err);
	if (rc)
		return rc;
	if (!total || left > total)
		return pit_fail(err, EBADMSG, "MemAvailable exceeds MemTotal");
	share = 100.0 * (double)left / (double)total;
	pit_format_size(left, size, sizeof(size));
	pit_want(out, "more than 3%% and 100 MiB");
	pit_evidence(out, "/proc/meminfo", "MemAvailable %" PRIu64 " of %" PRIu64 " kB", left / 1024, total / 1024);
	if (left < UINT64_C(100) << 20)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "%s left", size);
	if (share < 3)
		return pit_bad(out, "%s left, %.1f%%", size, share);
	return pit_pass(out, "%s left, %.0f%%", size, share);
}

static int probe_direct_reclaim(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
				struct pit_error *err)
{
	struct pit_text text;
	uint64_t ever = 0;
	double rate;
	int rc = pit_vmstat_sum_rate(facts, "allocstall", &rate, err);

	if (rc)
		return rc;
	if (!pit_root_read(pit_facts_root(facts), &text, "/proc/vmstat"))
		(void)pit_vmstat_sum(text.data, "allocstall", &ever);
	pit_want(out, "none now");
	pit_evidence(out, "/proc/vmstat", "allocstall_* %" PRIu64 " since boot, growing by %.0f a second", ever, rate);
	if (rate >= 1)
		return pit_bad(out, "%.0f stalls a second now", rate);
	return pit_pass(out, "none now, %" PRIu64 " since boot", ever);
}

static int probe_refaults(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	char size[32];
	double rate;
	int rc = pit_facts_rate(facts, "/proc/vmstat", "workingset_refault_file", &rate, err);

	if (rc == -ENOENT)
		rc = pit_facts_rate(facts, "/proc/vmstat", "workingset_refault", &rate, err);
	if (rc)
		return rc;
	pit_want(out, "below 64 MiB a second");
	pit_evidence(out, "/proc/vmstat", "workingset_refault_file grows by %.0f pages a second", rate);
	rate *= (double)pit_page_size(facts);
	pit_format_size(rate < 1e18 ? (uint64_t)rate : UINT64_MAX, size, sizeof(size));
	if (rate >= 64.0 * (1 << 20))
		return pit_bad(out, "%s a second read again", size);
	return pit_pass(out, "%s a second read again", size);
}

struct dirty {
	uint64_t limit, background, dirty, writing; /* bytes */
};

static int load_dirty(struct pit_facts *facts, struct dirty *ret, struct pit_error *err)
{
	uint64_t page = pit_page_size(facts);
	const struct {
		const char *key;
		uint64_t *value;
	} parts[] = {
		{.key = "nr_dirty_threshold", .value = &ret->limit},
		{.key = "nr_dirty_background_threshold", .value = &ret->background},
		{.key = "nr_dirty", .value = &ret->dirty},
		{.key = "nr_writeback", .value = &ret->writing},
	};

	for (size_t i = 0; i < PIT_COUNT(parts); i++) {
		int rc = pit_vmstat(facts, parts[i].key, parts[i].value, err);

		if (rc)
			return rc;
		if (__builtin_mul_overflow(*parts[i].value, page, parts[i].value))
			return pit_fail(err, EBADMSG, "%s in /proc/vmstat", parts[i].key);
	}
	return 0;
}

/* The setting that is in force: the one in bytes unless it is 0. */
static void show_dirty(struct pit_facts *facts, const char *which, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(facts);
	uint64_t bytes = 0, percent = 0;
	char path[64], value[32];

	(void)pit_root_u64(root, &bytes, "/proc/sys/vm/%s_bytes", which);
	(void)pit_root_u64(root, &percent, "/proc/sys/vm/%s_ratio", which);
	snprintf(path, sizeof(path), "/proc/sys/vm/%s_%s", which, bytes ? "bytes" : "ratio");
	snprintf(value, sizeof(value), "%" PRIu64, bytes ? bytes : percent);
	pit_evidence(out, path, "%s", value);
	pit_origin_of(facts, path, value, NULL, out);
}

static int probe_dirty_limit(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			     struct pit_error *err)
{
	struct dirty d;
	char size[32];
	int rc = load_dirty(facts, &d, err);

	if (rc)
		return rc;
	pit_format_size(d.limit, size, sizeof(size));
	pit_want(out, "at most 64 GiB");
	pit_evidence(out, "/proc/vmstat", "nr_dirty_threshold is %s", size);
	if (d.limit <= FLUSH_MAX)
		return pit_pass(out, "%s", size);
	show_dirty(facts, "dirty", out);
	return pit_bad(out, "%s", size);
}

static int probe_dirty_background(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
				  struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	uint64_t all, background, bytes = 0, background_bytes = 0;
	int rc = pit_root_u64(root, &all, "/proc/sys/vm/dirty_ratio");

	if (!rc)
		rc = pit_root_u64(root, &background, "/proc/sys/vm/dirty_background_ratio");
	if (rc)
		return pit_fail(err, -rc, "/proc/sys/vm/dirty_ratio or dirty_background_ratio");
	(void)pit_root_u64(root, &bytes, "/proc/sys/vm/dirty_bytes");
	(void)pit_root_u64(root, &background_bytes, "/proc/sys/vm/dirty_background_bytes");
	pit_want(out, "background writing starts below the limit");
	pit_evidence(out, "/proc/sys/vm",
		     "dirty %" PRIu64 "%% or %" PRIu64 " bytes, background %" PRIu64 "%% or %" PRIu64 " bytes", all,
		     bytes, background, background_bytes);
	if (bytes && background_bytes)
		return background_bytes < bytes
			       ? pit_pass(out, "%" PRIu64 " of %" PRIu64 " bytes", background_bytes, bytes)
			       : pit_bad(out, "%" PRIu64 " of %" PRIu64 " bytes", background_bytes, bytes);
	if (bytes || background_bytes)
		return pit_pass(out, "one in bytes, one in percent");
	return background < all ? pit_pass(out, "%" PRIu64 "%% of %" PRIu64 "%%", background, all)
				: pit_bad(out, "%" PRIu64 "%% of %" PRIu64 "%%", background, all);
}

static int probe_dirty_now(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	struct dirty d;
	char a[32], b[32], c[32];
	uint64_t brake;
	int rc = load_dirty(facts, &d, err);

	if (rc)
		return rc;
	brake = d.background / 2 + d.limit / 2;
	pit_format_size(d.dirty, a, sizeof(a));
	pit_format_size(d.writing, b, sizeof(b));
	pit_format_size(brake, c, sizeof(c));
	pit_want(out, "less than half-way from the background limit to the limit");
	pit_evidence(out, "/proc/vmstat", "nr_dirty %s, nr_writeback %s; writers are slowed down from %s on", a, b, c);
	if (brake && d.dirty + d.writing >= brake)
		return pit_bad(out, "%s dirty, %s being written", a, b);
	return pit_pass(out, "%s dirty, %s being written", a, b);
}

/* A checkpoint with optimizer state is about half of what lies in GPU memory. */
static int probe_dirty_checkpoint(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
				  struct pit_error *err)
{
	struct dirty d;
	uint64_t gpu, checkpoint;
	char limit[32], size[32];
	int rc = load_dirty(facts, &d, err);

	if (!rc)
		rc = pit_gpu_memory(facts, &gpu, err);
	if (rc)
		return rc;
	checkpoint = gpu / 2;
	pit_format_size(d.limit, limit, sizeof(limit));
	pit_format_size(checkpoint, size, sizeof(size));
	pit_want(out, "at least a twentieth of a checkpoint of about %s", size);
	pit_evidence(out, "/proc/vmstat", "nr_dirty_threshold is %s; GPU memory of this host %s", limit,
		     pit_format_size(gpu, size, sizeof(size)));
	if (d.limit >= checkpoint / 20)
		return pit_pass(out, "%s", limit);
	show_dirty(facts, "dirty", out);
	return pit_bad(out, "%s", limit);
}

struct headroom {
	struct pit_root *root;
	double share; /* of the limit, in percent; of the tightest group */
	uint64_t used, limit;
	char dir[256];
	bool seen;
	uint64_t high, high_used, high_events; /* of the tightest memory.high */
	char high_dir[256];
};

/* Bytes in use without page cache that can be dropped at once, as kubelet counts it. */
static bool working_set(struct pit_root *root, const char *dir, bool v2, uint64_t *ret)
{
	struct pit_text stat;
	uint64_t used, cache = 0;

	if (pit_root_u64(root, &used, "%s/%s", dir, v2 ? "memory.current" : "memory.usage_in_bytes"))
		return false;
	if (!pit_root_read(root, &stat, "%s/memory.stat", dir))
		(void)pit_kv_u64(stat.data, v2 ? "inactive_file" : "total_inactive_file", &cache);
	*ret = used > cache ? used - cache : 0;
	return true;
}

static int add_headroom(const char *dir, bool v2, void *arg)
{
	struct headroom *h = arg;
	struct pit_text events;
	uint64_t limit, used;
	double share;

	if (!working_set(h->root, dir, v2, &used))
		return 0;
	h->seen = true;
	if (v2 && !pit_root_u64(h->root, &limit, "%s/memory.high", dir) && limit && (!h->high || limit < h->high)) {
		h->high = limit;
		(void)pit_root_u64(h->root, &h->high_used, "%s/memory.current", dir);
		if (!pit_root_read(h->root, &events, "%s/memory.events", dir))
			(void)pit_kv_u64(events.data, "high", &h->high_events);
		snprintf(h->high_dir, sizeof(h->high_dir), "%s/memory.high", dir);
	}
	/* "max" is no number; v1's default is the largest multiple of the page size. */
	if (pit_root_u64(h->root, &limit, "%s/%s", dir, v2 ? "memory.max" : "memory.limit_in_bytes") || !limit ||
	    limit >= UINT64_C(1) << 60)
		return 0;
	share = 100.0 * (double)used / (double)limit;
	if (share < h->share)
		return 0;
	h->share = share;
	h->used = used;
	h->limit = limit;
	snprintf(h->dir, sizeof(h->dir), "%s", dir);
	return 0;
}

static int load_headroom(struct pit_facts *facts, struct headroom *h, struct pit_error *err)
{
	const struct pit_cgroup *group;
	int rc = pit_facts_cgroup(facts, &group, err);

	if (rc)
		return rc;
	h->root = pit_facts_root(facts);
	rc = pit_cgroup_walk_up(group, "memory", add_headroom, h);
	if (rc)
		return pit_fail(err, -rc, "our control group's memory files");
	return h->seen ? 0 : pit_fail(err, ENOENT, "no memory controller above this process");
}

static int probe_headroom(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct headroom h = {0};
	char used[32], limit[32];
	int rc = load_headroom(facts, &h, err);

	if (rc)
		return rc;
	pit_want(out, "below 90%% of the limit");
	if (!h.limit)
		return pit_pass(out, "no limit");
	pit_format_size(h.used, used, sizeof(used));
	pit_format_size(h.limit, limit, sizeof(limit));
	pit_evidence(out, h.dir, "%s of %s without cache that can be dropped", used, limit);
	if (h.share >= 98)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "%s of %s", used, limit);
	if (h.share >= 90)
		return pit_bad(out, "%s of %s", used, limit);
	return pit_pass(out, "%s of %s", used, limit);
}

static int probe_high(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct headroom h = {0};
	char used[32], high[32];
	int rc = load_headroom(facts, &h, err);

	if (rc)
		return rc;
	pit_want(out, "below memory.high");
	if (!h.high || h.high >= UINT64_C(1) << 60)
		return pit_pass(out, "no memory.high");
	pit_format_size(h.high_used, used, sizeof(used));
	pit_format_size(h.high, high, sizeof(high));
	pit_evidence(out, h.high_dir, "%s in use of %s; reached %" PRIu64 " times", used, high, h.high_events);
	if (h.high_used >= h.high)
		return pit_bad(out, "%s of %s, tasks are slowed down", used, high);
	if (h.high_events)
		return pit_judge(out, PIT_WARN, PIT_RISK, "reached %" PRIu64 " times", h.high_events);
	return pit_pass(out, "%s of %s", used, high);
}

static const struct pit_pressure_want memory_pressure = {.path = "/proc/pressure/memory",
							 .controller = "memory",
							 .file = "memory.pressure",
							 .some60 = 10,
							 .full60 = 5,
							 .fail60 = 40};

const struct pit_check pit_check_memory_reclaim[] = {
	{
		.id = "memory.pressure",
		.title = "Tasks waiting for memory (PSI)",
		.why = "Tasks stood still because memory had to be freed or read back for them. Every second of it is lost for the "
		       "job, and kills follow when it gets worse.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_probe_pressure,
		.arg = &memory_pressure,
		.remedy = "Stop or shrink what uses the memory, or raise the limit of the control group.",
		.source = "systemd-oomd kills at 60% over 30 s; 10% and 5% are pitcrew's thresholds",
		.refs = "https://docs.kernel.org/accounting/psi.html",
	},
	{
		.id = "memory.available",
		.title = "Memory available",
		.why = "Little is left that programs could get without swapping. The next large allocation ends in a kill.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_available,
		.remedy = "Stop or shrink what uses the memory (ps -eo pid,rss,comm --sort -rss).",
		.source = "kubelet evicts below 100 MiB; hotsos 3%",
		.refs = "https://man7.org/linux/man-pages/man5/proc_meminfo.5.html",
	},
	{
		.id = "memory.direct-reclaim",
		.title = "Tasks that free memory themselves",
		.why = "Tasks that ask for memory have to free some first because the kernel's own thread cannot keep up. It adds "
		       "milliseconds to page faults and network receives this moment.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_direct_reclaim,
		.knob = "vm.watermark_scale_factor vm.min_free_kbytes",
		.remedy = "Raise vm.watermark_scale_factor or vm.min_free_kbytes, or use less memory.",
		.source = "kernel counters allocstall_*",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.refaults",
		.title = "Page cache that was dropped and is read again",
		.why = "Data that were in the page cache shortly before come from storage again: the data set does not fit beside the "
		       "jobs. Loading then runs at the speed of storage, whatever the cache holds.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_refaults,
		.remedy =
			"Read in large sequential pieces, use O_DIRECT for data that are read once per epoch, or drop stale cache between jobs.",
		.source = "kernel counters; 64 MiB a second is pitcrew's threshold",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "memory.dirty-limit",
		.title = "Dirty data that may pile up",
		.why = "In percent of a large memory the limit is hundreds of gigabytes, and a sync or the next checkpoint waits minutes "
		       "for them. Profiles disagree (40% for throughput, 10% for latency, fixed bytes for databases), so only the "
		       "time to flush is judged.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_dirty_limit,
		.knob = "vm.dirty vm.dirty_background",
		.remedy =
			"Set vm.dirty_bytes to what storage writes in some tens of seconds, and vm.dirty_background_bytes to a quarter of it.",
		.source = "tuned throughput 40%, latency 10%, postgresql 512 MiB; 64 GiB is a minute at 1 GB/s",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.dirty-background",
		.title = "Start of background writing",
		.why = "When background writing starts at the limit or above, the kernel halves it silently, and writers are slowed down "
		       "at once instead of being helped. It comes from setting one of the pair only.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_dirty_background,
		.knob = "vm.dirty_background",
		.remedy = "Set the background limit to about a quarter of the limit.",
		.source = "kernel documentation of vm.dirty_background_ratio",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.dirty-now",
		.title = "Writers slowed down by dirty data",
		.why = "So much is dirty that the kernel makes writers pause. Checkpoints and logs written now go at the speed of "
		       "storage.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_dirty_now,
		.remedy = "See which process writes (iotop) and whether storage is slow; spread checkpoints over time.",
		.source = "kernel: writers are paused from half-way between the two limits",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.dirty-checkpoint",
		.title = "Dirty limit against a checkpoint",
		.why = "With a limit far below a checkpoint's size its writer waits for storage from the first second. A larger limit "
		       "lets the job go on while the kernel writes.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_GPU | PIT_NEED_HOST,
		.probe = probe_dirty_checkpoint,
		.knob = "vm.dirty vm.dirty_background",
		.remedy =
			"Raise vm.dirty_bytes towards the size of a checkpoint of this host, or write checkpoints with O_DIRECT.",
		.source = "pitcrew: weights and optimizer state fill about half of GPU memory",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.cgroup-headroom",
		.title = "Memory left below our control group's limit",
		.why = "The group of this process, or one above it, has hardly any memory left. The next allocation is slow, and then a "
		       "process in it is killed.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_headroom,
		.remedy =
			"Raise the memory limit of the group that is named, or use less; files in /dev/shm count as well.",
		.source = "kubelet's working set; 90% and 98% are pitcrew's thresholds",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "memory.cgroup-high",
		.title = "Control group slowed down at memory.high",
		.why = "Above memory.high the kernel makes each task of the group free memory before it may go on. The job crawls and "
		       "nothing is logged.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_high,
		.remedy = "Raise or remove memory.high of the group that is named (systemd: MemoryHigh=).",
		.source = "kernel documentation of cgroup v2",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{.id = NULL},
};
