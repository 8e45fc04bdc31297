/* SPDX-License-Identifier: MIT
 *
 * Reports of the out-of-memory killer: our own texts in the forms of all kernels, and kept reports of real machines
 * where the cases directory (environment variable PITCREW_CASES) is there.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/oom.h"
#include "tree.h"

static const struct {
	const char *name, *text;
	size_t count; /* reports; the rest is about the last */
	enum pit_oom_constraint constraint;
	bool killed, manual;
	const char *task;
	int pid, order, adj;
	uint64_t anon_kb, limit_kb;
	const char *mems, *limited, *group, *invoker;
} vectors[] = {
	{.name = "nothing", .text = "[ 1.0] Linux version 6.1\n", .count = 0},
	{
		.name = "host, 6.x",
		.text = "[ 10.000001] my job invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE), order=0, "
			"oom_score_adj=0\n"
			"[ 10.000002] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,4,"
			"global_oom,task_memcg=/user.slice/a,b,task=my job,pid=4242,uid=504\n"
			"[ 10.000003] Out of memory: Killed process 4242 (my job) total-vm:300kB, anon-rss:200kB, "
			"file-rss:4kB, shmem-rss:0kB, UID:504 pgtables:5kB oom_score_adj:12\n"
			"[ 10.000004] oom_reaper: reaped process 4242 (my job), now anon-rss:0kB\n",
		.count = 1,
		.constraint = PIT_OOM_NONE,
		.killed = true,
		.task = "my job",
		.pid = 4242,
		.adj = 12,
		.anon_kb = 200,
		.mems = "0-1,4",
		.limited = "",
		.group = "/user.slice/a,b",
		.invoker = "my job",
	},
	{
		.name = "parentheses in the name",
		.text = "[ 1.0] Out of memory: Killed process 15925 ((resolved))\n",
		.count = 1,
		.constraint = PIT_OOM_UNKNOWN,
		.killed = true,
		.task = "(resolved)",
		.pid = 15925,
		.adj = INT_MIN,
	},
	{
		.name = "a name that looks like the end of one",
		.text = "[ 1.0] Out of memory: Killed process 7 (a) total-vm:b) total-vm:12kB, anon-rss:3kB, "
			"file-rss:0kB, shmem-rss:0kB\n",
		.count = 1,
		.killed = true,
		.task = "a) total-vm:b",
		.pid = 7,
		.adj = INT_MIN,
		.anon_kb = 3,
	},
	{
		.name = "by hand",
		.text = "[ 1.0] kworker/0:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n"
			"[ 1.1] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
			"task_memcg=/x,task=y,pid=651,uid=0\n"
			"[ 1.2] Out of memory: Killed process 651 (y) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB\n",
		.count = 1,
		.constraint = PIT_OOM_NONE,
		.killed = true,
		.manual = true,
		.task = "y",
		.pid = 651,
		.order = -1,
		.adj = INT_MIN,
		.anon_kb = 2,
		.mems = "0",
		.invoker = "kworker/0:2",
	},
	{
		.name = "group limit, 5.x",
		.text = "[ 1.0] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-997\n"
			"[ 1.1] memory: usage 1048576kB, limit 1048576kB, failcnt 141\n"
			"[ 1.2] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=c,mems_allowed=0,"
			"oom_memcg=/kubepods.slice/p,task_memcg=/kubepods.slice/p/c,task=mount,pid=9,uid=0\n"
			"[ 1.3] Memory cgroup out of memory: Killed process 9 (mount) total-vm:1kB, anon-rss:20kB, "
			"file-rss:3kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:-997\n",
		.count = 1,
		.constraint = PIT_OOM_MEMCG,
		.killed = true,
		.task = "mount",
		.pid = 9,
		.adj = -997,
		.anon_kb = 20,
		.limit_kb = 1048576,
		.mems = "0",
		.limited = "/kubepods.slice/p",
		.group = "/kubepods.slice/p/c",
		.invoker = "python3",
	},
	{
		.name = "group limit, 3.10",
		.text = "[ 1.0] java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
			"[ 1.1] java cpuset=/ mems_allowed=0-1\n"
			"[ 1.2] Task in /docker/a killed as a result of limit of /docker\n"
			"[ 1.3] memory: usage 500kB, limit 600kB, failcnt 3\n"
			"[ 1.4] Memory cgroup out of memory: Kill process 55 (java) score 990 or sacrifice child\n"
			"[ 1.5] Killed process 55 (java) total-vm:700kB, anon-rss:400kB, file-rss:0kB, shmem-rss:0kB\n",
		.count = 1,
		.constraint = PIT_OOM_MEMCG,
		.killed = true,
		.task = "java",
		.pid = 55,
		.adj = INT_MIN,
		.anon_kb = 400,
		.limit_kb = 600,
		.mems = "0-1",
		.limited = "/docker",
		.group = "/docker/a",
		.invoker = "java",
	},
	{
		.name = "binding to a node",
		.text = "[ 1.0] qemu invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
			"[ 1.1] oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=0,cpuset=vcpu1,mems_allowed=0,"
			"global_oom,task_memcg=/m,task=qemu,pid=3,uid=0\n"
			"[ 1.2] Out of memory: Killed process 3 (qemu) total-vm:1kB, anon-rss:14235148kB, file-rss:0kB, "
			"shmem-rss:0kB\n",
		.count = 1,
		.constraint = PIT_OOM_MEMPOLICY,
		.killed = true,
		.task = "qemu",
		.pid = 3,
		.adj = INT_MIN,
		.anon_kb = 14235148,
		.mems = "0",
		.invoker = "qemu",
	},
	{
		.name = "a cut report, and later another without its beginning",
		.text = "[ 1.0] a invoked oom-killer: gfp_mask=0xcc0, order=2, oom_score_adj=0\n"
			"[ 999.0] Memory cgroup out of memory: Killed process 8 (b) total-vm:1kB, anon-rss:2kB, "
			"file-rss:0kB, shmem-rss:0kB\n",
		.count = 2,
		.constraint = PIT_OOM_MEMCG,
		.killed = true,
		.task = "b",
		.pid = 8,
		.adj = INT_MIN,
		.anon_kb = 2,
	},
	{
		.name = "the whole group is killed",
		.text = "[ 1.0] a invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0\n"
			"[ 1.1] Memory cgroup out of memory: Killed process 8 (b) total-vm:1kB, anon-rss:2kB, "
			"file-rss:0kB, shmem-rss:0kB\n"
			"[ 1.2] Tasks in /pod are going to be killed due to memory.oom.group set\n"
			"[ 1.3] Memory cgroup out of memory: Killed process 9 (c) total-vm:1kB, anon-rss:3kB, "
			"file-rss:0kB, shmem-rss:0kB\n",
		.count = 2,
		.constraint = PIT_OOM_MEMCG,
		.killed = true,
		.task = "c",
		.pid = 9,
		.adj = INT_MIN,
		.anon_kb = 3,
	},
	{
		.name = "a process that prints such words kills nobody",
		.text = "[ 1.0] audit: comm=\"x\" msg=Killed process 12 (y)\n",
		.count = 0,
	},
	{.name = "junk",
	 .text = "[ 1.0]  invoked oom-killer\n[ 1.1] oom-kill:constraint=\n[ 1.2] Out of memory: Killed process \n",
	 .count = 1,
	 .killed = true,
	 .task = "",
	 .adj = INT_MIN,
	 .constraint = PIT_OOM_UNKNOWN},
};

static void same_text(const char *got, const char *wanted)
{
	assert_string_equal(got, wanted ? wanted : "");
}

static void reads_reports(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		pit_auto_ooms struct pit_ooms o = {0};
		struct pit_kmsg log = {0};
		const struct pit_oom *last;

		assert_int_equal(pit_kmsg_parse(vectors[i].text, &log), 0);
		assert_int_equal(pit_oom_parse(&log, &o), 0);
		pit_kmsg_free(&log);
		print_message("# %s\n", vectors[i].name);
		assert_int_equal(o.count, vectors[i].count);
		if (!o.count)
			continue;
		last = &o.item[o.count - 1];
		assert_int_equal(last->constraint, vectors[i].constraint);
		assert_int_equal(last->killed, vectors[i].killed);
		assert_int_equal(last->manual, vectors[i].manual);
		assert_int_equal(last->pid, vectors[i].pid);
		assert_int_equal(last->order, vectors[i].order);
		assert_int_equal(last->adj, vectors[i].adj);
		assert_int_equal(last->anon_kb, vectors[i].anon_kb);
		assert_int_equal(last->limit_kb, vectors[i].limit_kb);
		same_text(last->task, vectors[i].task);
		if (vectors[i].mems)
			assert_string_equal(last->mems, vectors[i].mems);
		if (vectors[i].limited)
			assert_string_equal(last->limited, vectors[i].limited);
		if (vectors[i].group)
			assert_string_equal(last->group, vectors[i].group);
		same_text(last->invoker, vectors[i].invoker);
	}
}

/* What each kept report says; names and numbers only. */
static const struct {
	const char *path, *task;
	int pid;
	enum pit_oom_constraint constraint;
	bool manual;
	uint64_t anon_kb;
} kept[] = {
	{.path = "OOMAnalyser/example_rhel7.txt",
	 .task = "mysqld",
	 .pid = 6576,
	 .constraint = PIT_OOM_NONE,
	 .anon_kb = 20629004},
	{.path = "OOMAnalyser/example_archlinux_6_1_1.txt",
	 .task = "doxygen",
	 .pid = 473206,
	 .constraint = PIT_OOM_NONE,
	 .anon_kb = 9234320},
	{.path = "OOMAnalyser/example_ubuntu2110.txt",
	 .task = "unattended-upgr",
	 .pid = 651,
	 .constraint = PIT_OOM_NONE,
	 .manual = true,
	 .anon_kb = 8380},
	{.path = "lkml/cpuset-useless-kill-excerpt.txt",
	 .task = "mem_on_node1",
	 .pid = 13432,
	 .constraint = PIT_OOM_CPUSET},
};

/* A skip() of cmocka speaks "not ok", which TAP readers take for a failure: without the cases the test just says so. */
static void reads_kept_reports(void **state)
{
	char dir[4096];

	if (!tree_cases("outputs/dmesg-oom", dir, sizeof(dir)))
		return;
	for (size_t i = 0; i < PIT_COUNT(kept); i++) {
		pit_auto_free char *text = tree_slurp("%s/%s", dir, kept[i].path);
		pit_auto_ooms struct pit_ooms o = {0};
		struct pit_kmsg log = {0};

		assert_non_null(text);
		assert_int_equal(pit_kmsg_parse(text, &log), 0);
		assert_int_equal(pit_oom_parse(&log, &o), 0);
		pit_kmsg_free(&log);
		assert_int_equal(o.count, 1);
		assert_string_equal(o.item[0].task, kept[i].task);
		assert_int_equal(o.item[0].pid, kept[i].pid);
		assert_int_equal(o.item[0].constraint, kept[i].constraint);
		assert_int_equal(o.item[0].manual, kept[i].manual);
		assert_int_equal(o.item[0].anon_kb, kept[i].anon_kb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_reports),
		cmocka_unit_test(reads_kept_reports),
	};

	return cmocka_run_group_tests_name("oom", tests, NULL, NULL);
}
