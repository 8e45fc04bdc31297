/* SPDX-License-Identifier: MIT
 *
 * Transparent huge pages, compaction and fragmentation.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"
#include "check/memory_thp.h"

#define THP "/sys/kernel/mm/transparent_hugepage"
#define TOO_LARGE (UINT64_C(64) << 20) /* kernels with 64 KiB pages have huge pages of 512 MiB */

/* Bytes of one transparent huge page; 2 MiB where the kernel does not say. */
static uint64_t huge_size(struct pit_facts *facts)
{
	uint64_t size;

	return !pit_root_u64(pit_facts_root(facts), &size, THP "/hpage_pmd_size") && size ? size : UINT64_C(2) << 20;
}

static int probe_enabled(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	bool large = huge_size(facts) >= TOO_LARGE;
	char line[128], mode[32], size[32];
	int rc = pit_root_str(pit_facts_root(facts), line, sizeof(line), "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no transparent huge pages");
	pit_bracketed(line, mode, sizeof(mode));
	pit_evidence(out, row->path, "%s", line);
	pit_want(out, large ? "madvise or never" : (inference ? "any; measure" : "always or madvise"));
	if (large && !strcmp(mode, "always")) {
		pit_evidence(out, THP "/hpage_pmd_size", "%s", pit_format_size(huge_size(facts), size, sizeof(size)));
		pit_command(out, "echo madvise > %s", row->path);
		pit_origin_of(facts, row->path, mode, "transparent_hugepage", out);
		return pit_judge(out, PIT_WARN, PIT_RISK, "always, with huge pages of %s", size);
	}
	if (large || inference || strcmp(mode, "never") != 0)
		return pit_pass(out, "%s", mode);
	pit_command(out, "echo madvise > %s", row->path);
	pit_origin_of(facts, row->path, mode, "transparent_hugepage", out);
	return pit_bad(out, "%s", mode);
}

static int probe_fallback(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	uint64_t good, bad;
	double rate = 0, share;
	int rc = pit_vmstat(facts, "thp_fault_alloc", &good, err);

	if (!rc)
		rc = pit_vmstat(facts, "thp_fault_fallback", &bad, err);
	if (rc)
		return rc;
	if (pit_facts_rate(facts, "/proc/vmstat", "thp_fault_fallback", &rate, NULL) == -EAGAIN)
		return -EAGAIN;
	share = good + bad ? 100.0 * (double)bad / ((double)good + (double)bad) : 0;
	pit_want(out, "below a fifth of the attempts");
	pit_evidence(out, "/proc/vmstat",
		     "thp_fault_fallback %" PRIu64 ", thp_fault_alloc %" PRIu64 "; fallback grows by %.0f a second",
		     bad, good, rate);
	if (rate >= 100)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f a second now", rate);
	if (bad >= 10000 && share >= 20)
		return pit_bad(out, "%.0f%% of the attempts since boot", share);
	return pit_pass(out, "%.1f%% of the attempts since boot", share);
}

static int probe_compaction(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	uint64_t stalls, fails = 0, successes = 0;
	double rate = 0, share;
	int rc = pit_vmstat(facts, "compact_stall", &stalls, err);

	if (rc)
		return rc;
	if (pit_facts_rate(facts, "/proc/vmstat", "compact_stall", &rate, NULL) == -EAGAIN)
		return -EAGAIN;
	(void)pit_vmstat(facts, "compact_fail", &fails, NULL);
	(void)pit_vmstat(facts, "compact_success", &successes, NULL);
	share = fails + successes ? 100.0 * (double)fails / ((double)fails + (double)successes) : 0;
	pit_want(out, "no stalls now, and few failures");
	pit_evidence(out, "/proc/vmstat",
		     "compact_stall %" PRIu64 ", compact_fail %" PRIu64 ", compact_success %" PRIu64
		     "; stalls grow by %.0f a second",
		     stalls, fails, successes, rate);
	if (rate >= 10)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f stalls a second now", rate);
	if (stalls >= 10000 && share >= 50)
		return pit_bad(out, "%" PRIu64 " stalls since boot, %.0f%% in vain", stalls, share);
	return pit_pass(out, "%" PRIu64 " stalls since boot", stalls);
}

int pit_blocks_parse(const char *line, struct pit_blocks *ret, struct pit_error *err)
{
	struct pit_blocks b = {0};
	int skip = 0;

	if (sscanf(line, "Node %d, zone %15s%n", &b.node, b.zone, &skip) != 2 || b.node < 0)
		return pit_fail(err, EBADMSG, "'%.40s' is no line of /proc/buddyinfo", line);
	for (const char *at = line + skip; b.orders < PIT_ORDERS_MAX;) {
		int used = 0;

		if (sscanf(at, "%*[ \t]%" SCNu64 "%n", &b.blocks[b.orders], &used) != 1)
			break;
		at += used;
		b.orders++;
	}
	if (!b.orders)
		return pit_fail(err, EBADMSG, "'%.40s' counts no blocks", line);
	*ret = b;
	return 0;
}

#define LARGE_ORDER 8 /* 1 MiB with pages of 4 KiB */
#define NODES_MAX 1024

static void add_zone(const struct pit_blocks *b, uint64_t per_node[NODES_MAX])
{
	/* The few MiB of low memory for old devices say nothing of the rest. */
	if (b->node >= NODES_MAX || !strcmp(b->zone, "DMA") || !strcmp(b->zone, "Device"))
		return;
	for (unsigned order = LARGE_ORDER; order < b->orders; order++)
		if (b->blocks[order] < UINT64_C(1) << 40)
			per_node[b->node] += b->blocks[order] << (order - LARGE_ORDER);
}

static int probe_fragmentation(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			       struct pit_error *err)
{
	uint64_t per_node[NODES_MAX] = {0}, least = UINT64_MAX;
	pit_auto_strv struct pit_strv lines = {0};
	struct pit_text text;
	int node = -1, rc = pit_root_read(pit_facts_root(facts), &text, "/proc/buddyinfo");

	if (rc)
		return pit_fail(err, -rc, "/proc/buddyinfo");
	if (pit_strv_split(&lines, text.data, "\n"))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.count; i++) {
		struct pit_blocks b;

		rc = pit_blocks_parse(lines.item[i], &b, err);
		if (rc)
			return rc;
		add_zone(&b, per_node);
	}
	for (size_t i = 0; i < lines.count; i++) {
		struct pit_blocks b;

		if (pit_blocks_parse(lines.item[i], &b, NULL) || b.node >= NODES_MAX || !strcmp(b.zone, "DMA") ||
		    !strcmp(b.zone, "Device") || per_node[b.node] >= least)
			continue;
		least = per_node[b.node];
		node = b.node;
	}
	if (node < 0)
		return pit_fail(err, ENOENT, "no zone of memory in /proc/buddyinfo");
	pit_want(out, "at least 10 free blocks of order %d on each node", LARGE_ORDER);
	pit_evidence(out, "/proc/buddyinfo", "node %d: %" PRIu64 " free blocks of order %d or the like", node, least,
		     LARGE_ORDER);
	if (least < 10)
		return pit_bad(out, "%" PRIu64 " large free blocks on node %d", least, node);
	return pit_pass(out, "%" PRIu64 " large free blocks on node %d, the fewest", least, node);
}

const struct pit_check pit_check_memory_thp[] = {
	{
		.id = "memory.thp-enabled",
		.title = "Transparent huge pages",
		.why = "Huge pages spare TLB misses in large tensors and loaders; with pages of 64 KiB a huge page is 512 MiB and "
		       "wastes memory instead. The field disagrees for inference (always, madvise and never all have "
		       "advocates), so only training and 64 KiB kernels are judged.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = THP "/enabled",
		.probe = probe_enabled,
		.knob = "thp.enabled",
		.remedy = "Choose madvise (or always for training with pages of 4 KiB).",
		.source =
			"tuned hpc-compute and MLPerf v5.0 always; NVIDIA Grace guide for 64 KiB pages; tuned network-latency never",
		.refs = "https://docs.kernel.org/admin-guide/mm/transhuge.html",
	},
	{
		.id = "memory.thp-defrag",
		.title = "Effort to make huge pages",
		.why = "With always a page fault may stop to compact memory, which inference feels as latency; with never large "
		       "arrays get small pages after some days. Training may have anything but never.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = THP "/defrag",
		.op = PIT_OP_CHOICE,
		.want = "madvise defer+madvise defer always",
		.want_inference = "madvise defer+madvise defer never",
		.absent = "this kernel has no transparent huge pages",
		.knob = "thp.defrag",
		.remedy = "Choose madvise or defer+madvise.",
		.source = "kernel default madvise; MLPerf v5.0 AMD and Dell always",
		.refs = "https://docs.kernel.org/admin-guide/mm/transhuge.html",
	},
	{
		.id = "memory.khugepaged",
		.title = "Background work of khugepaged",
		.why = "khugepaged joins small pages of long-lived memory into huge ones and may compact for it. Without that, "
		       "memory that was touched while huge pages were short stays slow for the whole job.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.path = THP "/khugepaged/defrag",
		.op = PIT_OP_EQ,
		.want = "1",
		.absent = "this kernel has no khugepaged",
		.knob = "khugepaged.defrag",
		.remedy = "Let khugepaged compact memory.",
		.source = "kernel default 1",
		.refs = "https://docs.kernel.org/admin-guide/mm/transhuge.html",
	},
	{
		.id = "memory.thp-fallback",
		.title = "Huge pages that could not be had",
		.why = "Page faults asked for a huge page and got small ones, so jobs run with more TLB misses than measured before. "
		       "Memory is fragmented, or a control group is near its limit.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_fallback,
		.remedy = "Compact memory between jobs, or start the large allocations early.",
		.command = "echo 1 > /proc/sys/vm/compact_memory",
		.source = "kernel counters; thresholds are pitcrew's",
		.refs = "https://docs.kernel.org/admin-guide/mm/transhuge.html",
	},
	{
		.id = "memory.compaction",
		.title = "Stalls in compaction",
		.why = "Tasks stopped to move pages around in search of contiguous memory. It costs milliseconds each time, and most "
		       "when the search fails.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_compaction,
		.remedy = "Choose defer+madvise for THP defrag, keep more memory free, and compact between jobs.",
		.source = "hotsos kernel/memory.yaml; thresholds are pitcrew's",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.fragmentation",
		.title = "Large free blocks of memory",
		.why = "Without free blocks of a MiB drivers, huge pages and RDMA buffers cannot be had at once. It happens after "
		       "days of page cache and many small jobs.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_fragmentation,
		.remedy = "Compact memory between jobs, after dropping the page cache if it fills the node.",
		.command = "echo 1 > /proc/sys/vm/compact_memory",
		.source = "gcm check_buddyinfo: 10 free blocks of order 8",
		.refs = "https://man7.org/linux/man-pages/man5/proc_buddyinfo.5.html",
	},
	{.id = NULL},
};
