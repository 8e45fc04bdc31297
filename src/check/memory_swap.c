/* SPDX-License-Identifier: MIT
 *
 * Swap: whether there is some, how eagerly it is used, and whether it is used now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/devices.h"
#include "check/counters.h"

/* One device of /proc/swaps. */
struct swap {
	char name[128], type[32];
	uint64_t size_kb, used_kb;
};

/* The next device from *at on; false at the end. The head line holds no number and is left out. */
static bool next_swap(const char **at, struct swap *ret)
{
	while (**at) {
		const char *line = *at;
		size_t len = strcspn(line, "\n");

		*at = line + len + (line[len] == '\n');
		if (sscanf(line, "%127s %31s %" SCNu64 " %" SCNu64, ret->name, ret->type, &ret->size_kb,
			   &ret->used_kb) == 4)
			return true;
	}
	return false;
}

static int probe_present(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_text text;
	uint64_t kb = 0;
	size_t devices = 0;
	struct swap s;
	char size[32];
	int rc = pit_root_read(pit_facts_root(facts), &text, "/proc/swaps");

	if (rc)
		return pit_fail(err, -rc, "/proc/swaps");
	pit_want(out, "none but compressed memory");
	for (const char *at = text.data; next_swap(&at, &s);) {
		if (strstr(s.name, "zram"))
			continue;
		devices++;
		kb += s.size_kb < (UINT64_C(1) << 50) ? s.size_kb : 0;
		pit_evidence(out, "/proc/swaps", "%s (%s) %s", s.name, s.type,
			     pit_format_size(s.size_kb << 10, size, sizeof(size)));
	}
	if (!devices)
		return pit_pass(out, "none");
	return pit_bad(out, "%s on %zu devices", pit_format_size(kb << 10, size, sizeof(size)), devices);
}

static int probe_swappiness(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	const char *want = inference ? row->want_inference : row->want;
	uint64_t value, limit = 0, swap = 0;
	char text[32];
	int rc = pit_root_u64(pit_facts_root(facts), &value, "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "%s", row->path);
	(void)pit_parse_u64(want, &limit);
	pit_want(out, "at most %s", want);
	pit_evidence(out, row->path, "%" PRIu64, value);
	if (value <= limit)
		return pit_pass(out, "%" PRIu64, value);
	if (!pit_meminfo(facts, "SwapTotal", &swap, NULL) && !swap) {
		pit_evidence(out, "/proc/meminfo", "SwapTotal 0 kB");
		return pit_pass(out, "%" PRIu64 ", and no swap", value);
	}
	snprintf(text, sizeof(text), "%" PRIu64, value);
	pit_origin_of(facts, row->path, text, NULL, out);
	pit_command(out, "sysctl -w vm.swappiness='%s'", want);
	return pit_judge(out, row->otherwise, pit_gpu_count(facts) ? row->impact : PIT_STYLE, "%" PRIu64, value);
}

static int probe_swapping(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	double in, from;
	char size[32];
	int rc = pit_facts_rate(facts, "/proc/vmstat", "pswpin", &in, err);

	if (!rc)
		rc = pit_facts_rate(facts, "/proc/vmstat", "pswpout", &from, err);
	if (rc)
		return rc;
	pit_want(out, "none");
	pit_evidence(out, "/proc/vmstat", "pswpin grows by %.0f and pswpout by %.0f pages a second", in, from);
	pit_format_size((uint64_t)((in + from) * (double)pit_page_size(facts)), size, sizeof(size));
	if (in + from >= 2560)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%s a second", size);
	if (in + from >= 10)
		return pit_bad(out, "%s a second", size);
	return pit_pass(out, "none");
}

static int probe_used(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	uint64_t total, left;
	char used[32], all[32];
	int rc = pit_meminfo(facts, "SwapTotal", &total, err);

	if (!rc)
		rc = pit_meminfo(facts, "SwapFree", &left, err);
	if (rc)
		return rc;
	pit_want(out, "less than a tenth");
	if (!total)
		return pit_pass(out, "no swap");
	if (left > total)
		return pit_fail(err, EBADMSG, "SwapFree exceeds SwapTotal");
	pit_format_size(total - left, used, sizeof(used));
	pit_format_size(total, all, sizeof(all));
	pit_evidence(out, "/proc/meminfo", "SwapTotal %s, SwapFree %" PRIu64 " kB", all, left / 1024);
	if ((total - left) / (total / 10 + 1) >= 1)
		return pit_bad(out, "%s of %s in use", used, all);
	return pit_pass(out, "%s of %s in use", used, all);
}

static int probe_zswap(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	uint64_t total = 0, stored = 0;
	char value[16], size[32];
	bool on;
	int rc = pit_root_str(pit_facts_root(facts), value, sizeof(value), "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no zswap");
	if (pit_parse_bool(value, &on))
		return pit_fail(err, EBADMSG, "%s", row->path);
	(void)pit_meminfo(facts, "SwapTotal", &total, NULL);
	(void)pit_meminfo(facts, "Zswapped", &stored, NULL);
	pit_want(out, "off, or no swap behind it");
	pit_evidence(out, row->path, "%s; Zswapped %s", value, pit_format_size(stored, size, sizeof(size)));
	if (!on)
		return pit_pass(out, "off");
	if (!total)
		return pit_pass(out, "on, and no swap behind it");
	pit_origin_of(facts, row->path, value, "zswap.enabled", out);
	return pit_bad(out, "on, %s compressed", size);
}

/* Adds the fill of one zram device; false when it is not in use. */
static bool add_zram(struct pit_root *root, const char *name, uint64_t *size, uint64_t *used, struct pit_finding *out)
{
	uint64_t disk, data;
	char line[256], path[96], a[32], b[32];

	if (pit_root_u64(root, &disk, "/sys/block/%s/disksize", name) || !disk ||
	    pit_root_str(root, line, sizeof(line), "/sys/block/%s/mm_stat", name) ||
	    sscanf(line, "%" SCNu64, &data) != 1)
		return false;
	snprintf(path, sizeof(path), "/sys/block/%.32s/mm_stat", name);
	pit_evidence(out, path, "%s of %s", pit_format_size(data, a, sizeof(a)), pit_format_size(disk, b, sizeof(b)));
	*size += disk;
	*used += data;
	return true;
}

static int probe_zram(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	uint64_t size = 0, used = 0;
	size_t devices = 0;
	int rc = pit_root_list(root, &names, "/sys/block");

	if (rc)
		return pit_fail(err, -rc, "/sys/block");
	for (size_t i = 0; i < names->count; i++)
		if (!strncmp(names->item[i], "zram", 4))
			devices += add_zram(root, names->item[i], &size, &used, out);
	pit_want(out, "less than a tenth in use");
	if (!devices)
		return pit_pass(out, "no compressed memory in use");
	if (used > size / 10)
		return pit_bad(out, "%.0f%% in use", 100.0 * (double)used / (double)size);
	return pit_pass(out, "%.0f%% in use", 100.0 * (double)used / (double)size);
}

const struct pit_check pit_check_memory_swap[] = {
	{
		.id = "memory.swap-present",
		.title = "Swap space",
		.why = "With swap a leak does not end in a clean kill but in minutes of thrashing that stalls all ranks. Machines "
		       "for GPU jobs are therefore run without.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU | PIT_NEED_HOST,
		.probe = probe_present,
		.knob = "swap",
		.remedy = "Turn swap off and remove it from /etc/fstab.",
		.command = "swapoff -a",
		.source = "azurehpc-health-checks check_hw_swap 0 on all GPU machines; imbue cluster-health",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.swappiness",
		.title = "Swappiness",
		.why = "A high value makes the kernel swap out idle memory of a job to keep more page cache, and "
		       "what comes back from disk stalls loading and checkpoints. Profiles ask for 10 (throughput), "
		       "30 (virtual machines) or 1 (NVIDIA for inference), so training is held to 10 and inference "
		       "to 1, where there is swap at all.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/swappiness",
		.want = "10",
		.want_inference = "1",
		.probe = probe_swappiness,
		.knob = "vm.swappiness",
		.remedy = "Lower vm.swappiness.",
		.source = "tuned throughput-performance 10; NVIDIA h100-inference 1",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.swapping",
		.title = "Swapping now",
		.why = "Pages move to and from disk this moment, thousands of times slower than memory. Every rank waits for the one "
		       "whose pages are out.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_swapping,
		.remedy = "Stop or shrink the process that uses the memory (ps -eo pid,rss,comm --sort -rss).",
		.source = "kernel counters; 10 pages and 10 MiB a second are pitcrew's thresholds",
		.refs = "https://docs.kernel.org/admin-guide/mm/concepts.html",
	},
	{
		.id = "memory.swap-used",
		.title = "Swap in use",
		.why = "What lies in swap comes back slowly when it is needed, for example a model or shell that was idle over night. "
		       "It also shows that memory was short at some time.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_used,
		.remedy = "Bring the pages back while memory is free (swapoff -a && swapon -a).",
		.source = "azurehpc-health-checks allows 3%; a tenth is pitcrew's threshold",
	},
	{
		.id = "memory.zswap",
		.title = "Compressed cache in front of swap (zswap)",
		.why = "Compressing pages takes CPU time from loaders and hides that memory is short. It is made for desktops with "
		       "slow disks.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/sys/module/zswap/parameters/enabled",
		.probe = probe_zswap,
		.knob = "memory.zswap",
		.remedy = "Turn zswap off together with swap.",
		.command = "echo 0 > /sys/module/zswap/parameters/enabled",
		.source = "azurehpc-health-checks: no swap on GPU machines",
		.refs = "https://docs.kernel.org/admin-guide/mm/zswap.html",
	},
	{
		.id = "memory.zram",
		.title = "Swap in compressed memory (zram)",
		.why = "A filling zram device means that memory is short already, and it takes memory and CPU time itself. Jobs slow "
		       "down before anything is killed.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_zram,
		.remedy = "Let jobs use less memory, and remove zram from GPU machines.",
		.source = "eks-node-monitoring-agent: more than 10% of disksize",
		.refs = "https://docs.kernel.org/admin-guide/blockdev/zram.html",
	},
	{.id = NULL},
};
