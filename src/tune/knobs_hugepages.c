/* SPDX-License-Identifier: MIT
 *
 * Huge pages, reserved and transparent.
 */
#include "tune/knobs.h"

#define THP "/sys/kernel/mm/transparent_hugepage"

const struct pit_knob pit_knobs_hugepages[] = {
	{
		.id = "hugepages",
		.title = "Reserved huge pages of one size, spread over the NUMA nodes",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.resolve = pit_resolve_hugepages,
		.values = "a count, or a share such as 25% memory; the size is the word after the id: hugepages 2M",
		.rounds = true, /* fewer where memory is fragmented */
		.lasts = PIT_LASTS_BOOT,
		.blast = PIT_BLAST_ALL ": this memory is for nothing else",
		.checks = "memory.hugepages-short memory.hugepages-unused memory.hugepages-nodes",
		.source = "kernel documentation of hugetlbpage",
	},
	{
		.id = "thp.enabled",
		.title = "Transparent huge pages",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = THP "/enabled",
		.values = "always madvise never",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = PIT_BLAST_ALL ", for memory that they touch from then on",
		/* khugepaged starts or stops, and the reserve is computed anew (Linux 6.1: 36068, never 3308, and
		 * always again 36656). */
		.disturbs = "vm.min_free_kbytes",
		.checks = "memory.thp-enabled",
		.source = "kernel documentation of transhuge",
	},
	{
		.id = "thp.defrag",
		.title = "Who frees memory for a transparent huge page",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = THP "/defrag",
		.values = "always defer defer+madvise madvise never",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = PIT_BLAST_ALL " at page faults",
		.checks = "memory.thp-defrag",
		.source = "kernel documentation of transhuge",
	},
	{
		.id = "khugepaged.defrag",
		.title = "Compaction by khugepaged",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_BOOL,
		.object = THP "/khugepaged/defrag",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "memory of long-lived processes, in the background",
		.checks = "memory.khugepaged",
		.source = "kernel documentation of transhuge",
	},
	{
		.id = "memory.ksm",
		.title = "Merging of equal pages (KSM): 0 stop, 1 run, 2 stop and unmerge",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_INT,
		.object = "/sys/kernel/mm/ksm/run",
		.most = 2,
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "programs that asked for merging, virtual machines above all",
		.checks = "memory.ksm",
		.source = "kernel documentation of ksm",
	},
	{
		.id = "memory.zswap",
		.title = "Compressed cache in front of swap (zswap)",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_BOOL,
		.object = "/sys/module/zswap/parameters/enabled",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "pages that are swapped out from then on",
		.checks = "memory.zswap",
		.source = "kernel documentation of zswap",
	},
	{
		.id = "memory.auto-online",
		.title = "What becomes of memory that is added at run time",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_CHOICE,
		.object = "/sys/devices/system/memory/auto_online_blocks",
		.values = "offline online online_kernel online_movable",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = "memory that appears later, that of Grace GPUs too",
		.checks = "memory.auto-online",
		.source = "kernel documentation of memory-hotplug",
	},
	{
		.id = "numa.demotion",
		.title = "Demotion of cold pages to slower memory",
		.target = PIT_TARGET_KERNEL,
		.value = PIT_VALUE_BOOL,
		.object = "/sys/kernel/mm/numa/demotion_enabled",
		.lasts = PIT_LASTS_TMPFILES,
		.blast = PIT_BLAST_ALL " when memory is short",
		.checks = "numa.demotion",
		.source = "kernel documentation of sysfs-kernel-mm-numa",
	},
	{.id = NULL},
};
