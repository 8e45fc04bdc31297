/* SPDX-License-Identifier: MIT */
#include "check/catalog.h"
#include "check/facts.h"

const struct pit_check pit_check_memory[] = {
	{
		.id = "memory.swappiness",
		.title = "Swappiness",
		.why = "A high value makes the kernel swap out idle memory of a job to keep more page cache. Pages that come "
		       "back from disk stall data loading and checkpoints.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/swappiness",
		.op = PIT_OP_LE,
		.want = "10",
		.want_inference = "1",
		.knob = "vm.swappiness",
		.remedy = "Lower vm.swappiness.",
		.source = "tuned throughput-performance 10; NVIDIA h100-inference 1",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{.id = NULL},
};
