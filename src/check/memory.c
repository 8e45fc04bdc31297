/* SPDX-License-Identifier: MIT
 *
 * Settings of the memory manager.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"

#define SMALL_MACHINE (UINT64_C(16) << 30) /* below it the kernel's own reserve is right */
#define RESERVE_KB 65536

static int probe_min_free(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	uint64_t kb, total;
	char value[32];
	int rc = pit_root_u64(pit_facts_root(facts), &kb, "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "%s", row->path);
	rc = pit_meminfo(facts, "MemTotal", &total, err);
	if (rc)
		return rc;
	snprintf(value, sizeof(value), "%" PRIu64, kb);
	pit_want(out, "%d kB to 5%% of memory", total >= SMALL_MACHINE ? RESERVE_KB : 0);
	pit_evidence(out, row->path, "%" PRIu64 " of %" PRIu64 " kB", kb, total / 1024);
	if (kb > total / 1024 / 20) {
		pit_origin_of(facts, row->path, value, NULL, out);
		return pit_judge(out, PIT_WARN, PIT_RISK, "%" PRIu64 " kB, over 5%% of memory", kb);
	}
	if (total < SMALL_MACHINE || kb >= RESERVE_KB)
		return pit_pass(out, "%" PRIu64 " kB", kb);
	pit_origin_of(facts, row->path, value, NULL, out);
	pit_command(out, "sysctl -w vm.min_free_kbytes=%d", RESERVE_KB);
	return pit_bad(out, "%" PRIu64 " kB", kb);
}

/* The size given to mem= or the like, when it cuts memory. */
static int probe_cut(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	static const char *const names[] = {"mem", "movablecore", "kernelcore"};
	const struct pit_strv *cmdline;
	size_t found = 0;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	pit_want(out, "no argument that takes memory away");
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		const char *value = pit_cmdline_get(cmdline, names[i]);

		if (!value || (!strcmp(names[i], "mem") && !strcmp(value, "nopentium")))
			continue;
		pit_evidence(out, "/proc/cmdline", "%s=%s", names[i], value);
		found++;
	}
	return found ? pit_bad(out, "%zu such arguments", found) : pit_pass(out, "none");
}

/* "mem auto-init: stack:off, heap alloc:on, heap free:off": 1 on, 0 off, -1 not said. */
static int auto_init(struct pit_facts *facts, const char *what, struct pit_finding *out)
{
	const struct pit_kmsg *log;

	if (pit_facts_kmsg(facts, &log, NULL))
		return -1;
	for (size_t i = 0; i < log->count; i++) {
		const char *text = log->item[i].text, *at;

		if (strncmp(text, "mem auto-init:", 14) != 0)
			continue;
		at = strstr(text, what);
		if (!at)
			return -1;
		pit_evidence(out, log->source, "%s", text);
		return !strncmp(at + strlen(what), "on", 2);
	}
	return -1;
}

struct init_want {
	const char *argument, *message;
};

static int probe_init(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const struct init_want *want = row->arg;
	const struct pit_strv *cmdline;
	const char *value;
	bool given = false;
	int on, rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	pit_want(out, "off");
	value = pit_cmdline_get(cmdline, want->argument);
	on = auto_init(facts, want->message, out);
	if (value && !pit_parse_bool(value, &given)) {
		pit_origin(out, "/proc/cmdline (%s=%s)", want->argument, value);
		on = on < 0 ? given : on;
	}
	if (on < 0)
		return pit_fail(err, ENOENT, "neither the command line nor the kernel log says");
	return on ? pit_bad(out, "on") : pit_pass(out, "off");
}

static const struct init_want on_alloc = {.argument = "init_on_alloc", .message = "heap alloc:"};
static const struct init_want on_free = {.argument = "init_on_free", .message = "heap free:"};

const struct pit_check pit_check_memory[] = {
	{
		.id = "memory.overcommit",
		.title = "Overcommit of memory",
		.why = "In strict mode (2) each mapping counts in full, and CUDA alone reserves more address space "
		       "than a machine has memory, so programs fail with 'Cannot allocate memory' while memory is "
		       "free. Some images set 1 and the kernel's default is 0; both suit jobs and pass.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/overcommit_memory",
		.op = PIT_OP_ONE_OF,
		.want = "1 0",
		.knob = "vm.overcommit_memory",
		.remedy = "Set vm.overcommit_memory to 1, or to the default 0.",
		.source = "NVIDIA gb200 profile 1; amazon-eks-ami 1; kernel default 0",
		.refs = "https://docs.kernel.org/mm/overcommit-accounting.html",
	},
	{
		.id = "memory.min-free",
		.title = "Reserve of free memory",
		.why = "From this reserve the network and RDMA drivers are served when memory is full; when it is small they drop "
		       "packets and tasks stall in reclaim. A reserve of several percent takes memory from jobs instead.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/min_free_kbytes",
		.probe = probe_min_free,
		.knob = "vm.min_free_kbytes",
		.remedy = "Set vm.min_free_kbytes to 65536 or more, and to a few percent of memory at most.",
		.source = "NVIDIA gb200 profile 65536; tuned hpc-compute 135168",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.watermark-scale",
		.title = "Distance between reclaim watermarks",
		.why = "A wide distance makes the kernel reclaim page cache long before memory is short, up to a tenth of it at 1000. "
		       "Training data are then read again from storage.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/watermark_scale_factor",
		.op = PIT_OP_RANGE,
		.want = "10 500",
		.knob = "vm.watermark_scale_factor",
		.remedy = "Bring vm.watermark_scale_factor back towards its default 10.",
		.command = "sysctl -w vm.watermark_scale_factor=10",
		.source = "kernel default 10; 500 is pitcrew's threshold",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.zone-reclaim",
		.title = "Reclaim within a NUMA node",
		.why = "With this on, a full node drops page cache rather than taking memory from its neighbour. HPC profiles want it "
		       "(1) for training; a server that keeps weights in the page cache of all nodes reads them again and again.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.path = "/proc/sys/vm/zone_reclaim_mode",
		.op = PIT_OP_ONE_OF,
		.want = "0 1",
		.want_inference = "0",
		.absent = "this kernel knows one NUMA node only",
		.knob = "vm.zone_reclaim_mode",
		.remedy = "Set vm.zone_reclaim_mode to 0.",
		.source = "kernel default 0; tuned hpc-compute and Azure's HPC images 1",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.writeback-interval",
		.title = "Interval of the writeback threads",
		.why = "At 0 the kernel never writes dirty pages by age, so a crash loses all that was written since long ago. A long "
		       "interval lets a checkpoint sit in memory while its writer believes it safe.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.path = "/proc/sys/vm/dirty_writeback_centisecs",
		.op = PIT_OP_RANGE,
		.want = "1 6000",
		.unit = "cs",
		.knob = "vm.dirty_writeback_centisecs",
		.remedy = "Set vm.dirty_writeback_centisecs back to 500.",
		.command = "sysctl -w vm.dirty_writeback_centisecs=500",
		.source = "kernel default 500; NVIDIA Grace benchmarking guide 6000",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.max-map-count",
		.title = "Memory maps per process",
		.why = "A process that reaches the limit gets 'Cannot allocate memory' with memory free. Loaders that map many files, "
		       "large models and allocators with small segments come near the old default of 65530.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/vm/max_map_count",
		.op = PIT_OP_GE,
		.want = "262144",
		.knob = "vm.max_map_count",
		.remedy = "Raise vm.max_map_count.",
		.source = "NVIDIA gb200 profile; tuned openshift",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.ksm",
		.title = "Merging of equal pages (KSM)",
		.why = "The scanner takes CPU time and memory bandwidth, and a write to a merged page has to copy it first. Jobs have few "
		       "equal pages; hosts of many virtual machines do.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.path = "/sys/kernel/mm/ksm/run",
		.op = PIT_OP_ONE_OF,
		.want = "0 2",
		.absent = "this kernel cannot merge pages",
		.knob = "memory.ksm",
		.remedy = "Stop the scanner unless this host runs virtual machines.",
		.source = "kernel default 0",
		.refs = "https://docs.kernel.org/admin-guide/mm/ksm.html",
	},
	{
		.id = "memory.stat-interval",
		.title = "Interval of memory statistics",
		.why = "Each second every CPU folds its counters, also those that serve requests. Low-latency profiles do it every ten "
		       "seconds; training does not notice.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_INFERENCE,
		.needs = PIT_NEED_GPU,
		.path = "/proc/sys/vm/stat_interval",
		.op = PIT_OP_GE,
		.want = "10",
		.unit = "s",
		.knob = "vm.stat_interval",
		.remedy = "Set vm.stat_interval to 10 on machines that serve.",
		.source = "tuned network-latency",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.panic-on-oom",
		.title = "Panic instead of a kill when memory is short",
		.why = "The whole machine stops when memory runs out, and with 2 also when one job reaches the limits of its cpuset. All "
		       "jobs are lost for one that asked too much.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.path = "/proc/sys/vm/panic_on_oom",
		.op = PIT_OP_EQ,
		.want = "0",
		.knob = "vm.panic_on_oom",
		.remedy = "Let the kernel kill one process instead.",
		.source = "kernel default 0",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/vm.html",
	},
	{
		.id = "memory.cut-at-boot",
		.title = "Memory taken away on the kernel command line",
		.why = "mem= and its kin hide memory from the system for good, mostly left from a test. Jobs get less than the machine "
		       "has, and nobody looks there.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_cut,
		.knob = "cmdline.mem cmdline.movablecore cmdline.kernelcore",
		.remedy = "Remove the argument unless it is there on purpose.",
		.reboot = true,
		.source = "kernel documentation of its parameters",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "memory.init-on-alloc",
		.title = "Zeroing of memory when it is handed out",
		.why = "The kernel then clears each page and buffer it gives out, which costs in page faults and network buffers. It is "
		       "a protection against leaks of old data, so a machine of many users may keep it.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU | PIT_NEED_HOST,
		.probe = probe_init,
		.arg = &on_alloc,
		.knob = "cmdline.init_on_alloc",
		.remedy = "Boot with init_on_alloc=0 where the users trust each other.",
		.reboot = true,
		.source = "NVIDIA nvidia-base profile; NVIDIA Grace guide",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "memory.init-on-free",
		.title = "Zeroing of memory when it is given back",
		.why = "Clearing freed memory costs more than clearing it when handed out, because it is out of the caches by then. "
		       "Hardened images have it on.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_init,
		.arg = &on_free,
		.knob = "cmdline.init_on_free",
		.remedy = "Boot with init_on_free=0 where the users trust each other.",
		.reboot = true,
		.source = "kernel documentation of its parameters",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{.id = NULL},
};
