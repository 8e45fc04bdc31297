/* SPDX-License-Identifier: MIT
 *
 * What can be judged without control groups; tests/vm/launch.d/leaf has the real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "launch/leaf.h"
#include "launch/leaf_group.h"
#include "launch/leaf_inside.h"
#include "launch/leaf_move.h"
#include "launch/leaf_place.h"
#include "tempdir.h"
#include "tree.h"

#define MOUNT(type) "30 20 0:26 / /sys/fs/cgroup rw - " type " cgroup rw\n"

/* ---- which group ---- */

#define SPOTS_MOST 4
static const struct {
	const char *what;
	struct pit_leaf_spot spot[SPOTS_MOST];
	size_t count;
	int want;
	const char *words;
} choices[] = {
	{
		.what = "alone in a delegated group",
		.spot = {{.path = (char[]){"/g"}, .own = true, .memory = true, .ours = 2}},
		.count = 1,
		.want = 0,
	},
	{
		.what = "root in a session with a shell: the slice above has no processes",
		.spot = {{.path = (char[]){"/u/s"}, .own = true, .memory = true, .ours = 2, .others = 1},
			 {.path = (char[]){"/u"}, .memory = true},
			 {.path = (char[]){"/"}, .top = true, .memory = true}},
		.count = 3,
		.want = 1,
	},
	{
		.what = "a group above without the memory controller is passed over",
		.spot = {{.path = (char[]){"/u/s"}, .own = true, .others = 1},
			 {.path = (char[]){"/u"}},
			 {.path = (char[]){"/"}, .top = true, .memory = true}},
		.count = 3,
		.want = 2,
	},
	{
		.what = "no memory controller anywhere: killing and counting still work",
		.spot = {{.path = (char[]){"/u/s"}, .own = true, .others = 1}, {.path = (char[]){"/u"}}},
		.count = 2,
		.want = 1,
	},
	{
		.what = "the root may hold processes",
		.spot = {{.path = (char[]){"/"}, .own = true, .top = true, .memory = true, .others = 90}},
		.count = 1,
		.want = 0,
	},
	{
		.what = "a process of ours above is in the way, too",
		.spot = {{.path = (char[]){"/a/b"}, .own = true, .others = 1, .other = "bash 7"},
			 {.path = (char[]){"/a"}, .ours = 1}},
		.count = 2,
		.want = -EBUSY,
		.words = "others (bash 7) live in /a/b",
	},
	{
		.what = "a service with a limit and a shell: ranks must not leave the limit behind",
		.spot = {{.path = (char[]){"/s/x"},
			  .own = true,
			  .memory = true,
			  .limited = true,
			  .others = 1,
			  .other = "sh 8"},
			 {.path = (char[]){"/s"}, .memory = true},
			 {.path = (char[]){"/"}, .top = true, .memory = true}},
		.count = 3,
		.want = -EBUSY,
		.words = "the limits of /s/x",
	},
	{
		.what = "a limit further up holds in the groups below it",
		.spot = {{.path = (char[]){"/s/x"}, .own = true, .memory = true, .others = 1},
			 {.path = (char[]){"/s"}, .memory = true, .limited = true},
			 {.path = (char[]){"/"}, .top = true, .memory = true}},
		.count = 3,
		.want = 1,
	},
	{
		.what = "a limit is no hindrance to who is alone",
		.spot = {{.path = (char[]){"/g"}, .own = true, .memory = true, .limited = true, .ours = 2}},
		.count = 1,
		.want = 0,
	},
	{
		.what = "a container whose shell is beside us",
		.spot = {{.path = (char[]){"/"}, .own = true, .memory = true, .others = 1, .other = "sh 1"}},
		.count = 1,
		.want = -EBUSY,
		.words = "(sh 1)",
	},
	{
		.what = "a login session of a user",
		.spot = {{.path = (char[]){"/u/s"}, .own = true, .memory = true, .denied = EACCES},
			 {.path = (char[]){"/"}, .top = true, .memory = true, .denied = EACCES}},
		.count = 2,
		.want = -EACCES,
		.words = "systemd-run --user --scope -p Delegate=yes",
	},
	{
		.what = "a task of Slurm, as root: scancel would not find us below it, nor would limits hold above it",
		.spot = {{.path = (char[]){"/s/job_7/step_0/user/task_0"},
			  .own = true,
			  .memory = true,
			  .scheduler = true},
			 {.path = (char[]){"/s/job_7/step_0/user"}, .memory = true, .scheduler = true},
			 {.path = (char[]){"/"}, .top = true, .memory = true}},
		.count = 3,
		.want = -EBUSY,
		.words = "is Slurm's",
	},
	{
		.what = "a container with a read-only tree",
		.spot = {{.path = (char[]){"/"}, .own = true, .memory = true, .denied = EROFS}},
		.count = 1,
		.want = -EROFS,
		.words = "mounted read-only",
	},
	{
		.what = "a group of threads",
		.spot = {{.path = (char[]){"/t"}, .own = true, .denied = EOPNOTSUPP}},
		.count = 1,
		.want = -EOPNOTSUPP,
		.words = "/t",
	},
};

static void chooses_a_place(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(choices); i++) {
		struct pit_leaf_spot copy[SPOTS_MOST];
		struct pit_leaf_spots s = {.item = copy, .count = choices[i].count};
		struct pit_error err = PIT_ERROR_INIT;
		int got;

		memcpy(copy, choices[i].spot, sizeof(copy));
		got = pit_leaf_choose(&s, &err);
		if (got != choices[i].want)
			fail_msg("%s: %d", choices[i].what, got);
		if (got < 0 && !strstr(err.text, choices[i].words))
			fail_msg("%s: %s", choices[i].what, err.text);
	}
}

/* A session of root with a shell in it. */
static void looks_at_the_way_up(void **state)
{
	char own[64];
	const struct tree_file files[] = {
		{.path = "/proc/self/mountinfo", .text = MOUNT("cgroup2")},
		{.path = "/proc/self/cgroup", .text = "0::/user.slice/s.scope\n"},
		{.path = "/proc/77/stat", .text = "77 (bash) S 1 77 77 0 -1 0"},
		{.path = "/proc/77/comm", .text = "bash\n"},
		{.path = "/sys/fs/cgroup/cgroup.procs", .text = "1\n"},
		{.path = "/sys/fs/cgroup/cgroup.subtree_control", .text = "memory\n"},
		{.path = "/sys/fs/cgroup/cgroup.controllers", .text = "cpu memory\n"},
		{.path = "/sys/fs/cgroup/user.slice/cgroup.type", .text = "domain\n"},
		{.path = "/sys/fs/cgroup/user.slice/cgroup.procs", .text = ""},
		{.path = "/sys/fs/cgroup/user.slice/cpu.max", .text = "50000 100000\n"},
		{.path = "/sys/fs/cgroup/user.slice/cgroup.subtree_control", .text = "\n"},
		{.path = "/sys/fs/cgroup/user.slice/cgroup.controllers", .text = "memory\n"},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/cgroup.type", .text = "threaded\n"},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/cgroup.procs", .text = own},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/memory.max", .text = "max\n"},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/cpu.max", .text = "max 100000\n"},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/cpuset.cpus", .text = "\n"},
		{.path = "/sys/fs/cgroup/user.slice/s.scope/cgroup.subtree_control", .text = ""},
		{.path = NULL},
	};
	struct pit_leaf_spots s = {0};
	struct tree t;

	snprintf(own, sizeof(own), "%d\n77\n0\n", (int)getpid());
	t = tree_open(files);
	assert_int_equal(pit_leaf_spots_load(t.root, &s, NULL), 0);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.item[0].path, "/sys/fs/cgroup/user.slice/s.scope");
	assert_true(s.item[0].own && !s.item[0].top && !s.item[0].memory);
	assert_int_equal(s.item[0].ours, 1);
	assert_int_equal(s.item[0].others, 2); /* the shell, and one of another PID namespace */
	assert_string_equal(s.item[0].other, "bash 77");
	assert_int_equal(s.item[0].denied, EOPNOTSUPP);
	assert_true(!s.item[1].own && !s.item[1].top && s.item[1].memory && !s.item[1].denied);
	assert_int_equal(s.item[1].others + s.item[1].ours, 0);
	assert_true(!s.item[0].limited && s.item[1].limited && !s.item[2].limited);
	assert_true(s.item[2].top && s.item[2].memory);
	assert_string_equal(s.item[2].path, "/sys/fs/cgroup");
	assert_int_equal(pit_leaf_choose(&s, NULL), 1);
	pit_leaf_spots_free(&s);
	tree_close(&t);
}

static void says_what_is_lost(void **state)
{
	static const struct {
		const char *mounts, *groups, *words;
	} rows[] = {
		{.mounts = "30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
		 .groups = "3:memory:/x\n",
		 .words = "control groups are v1 here"},
		{.mounts = "30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			   "31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		 .groups = "3:memory:/x\n0::/\n",
		 .words = "control groups are hybrid here"},
		{.mounts = "30 20 0:26 / /x rw - ext4 /dev/sda rw\n", .groups = "0::/\n", .words = "no control groups"},
		{.mounts = "30 20 0:26 /job /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		 .groups = "0::/other\n",
		 .words = "/other lies outside"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		const struct tree_file files[] = {
			{.path = "/proc/self/mountinfo", .text = rows[i].mounts},
			{.path = "/proc/self/cgroup", .text = rows[i].groups},
			{.path = NULL},
		};
		struct pit_error err = PIT_ERROR_INIT;
		struct tree t = tree_open(files);
		struct pit_leaf_spots s = {0};

		assert_int_equal(pit_leaf_spots_load(t.root, &s, &err), -EOPNOTSUPP);
		assert_int_equal(s.count, 0);
		if (!strstr(err.text, rows[i].words))
			fail_msg("%s", err.text);
		tree_close(&t);
	}
}

static void a_recording_takes_no_groups(void **state)
{
	const struct tree_file files[] = {{.path = "/proc/self/cgroup", .text = "0::/\n"}, {.path = NULL}};
	struct pit_leaves *l = (struct pit_leaves *)&l;
	const struct pit_leaf_limits none = {0};
	struct pit_error err = PIT_ERROR_INIT;
	struct tree t = tree_open(files);
	struct pit_strv notes = {0};

	assert_int_equal(pit_leaves_open(t.root, &none, &l, &notes, &err), -EROFS);
	assert_ptr_equal(l, &l);
	assert_int_equal(notes.count, 0);
	tree_close(&t);
}

static void knows_its_own(void **state)
{
	struct pit_root *root = NULL;
	pid_t child;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	assert_true(pit_leaf_is_ours(root, getpid()));
	assert_true(pit_leaf_is_ours(root, child));
	assert_false(pit_leaf_is_ours(root, 1));
	assert_false(pit_leaf_is_ours(root, 0));
	assert_false(pit_leaf_is_ours(root, getppid())); /* another program */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	pit_root_close(root);
}

static void knows_names_of_jobs(void **state)
{
	assert_int_equal(pit_leaf_owner("pitcrew-123"), 123);
	assert_int_equal(pit_leaf_owner("pitcrew-123.4"), 123);
	assert_int_equal(pit_leaf_owner("pitcrew-123-supervisor"), 123);
	assert_int_equal(pit_leaf_owner("pitcrew-123.99-supervisor"), 123);
	assert_int_equal(pit_leaf_owner("pitcrew-"), 0);
	assert_int_equal(pit_leaf_owner("pitcrew-0"), 0);
	assert_int_equal(pit_leaf_owner("pitcrew-12x"), 0);
	assert_int_equal(pit_leaf_owner("pitcrew-99999999999"), 0);
	assert_int_equal(pit_leaf_owner("pitcrew--5"), 0);
	assert_int_equal(pit_leaf_owner("xpitcrew-5"), 0);
	assert_int_equal(pit_leaf_owner("pitcrew-5-supervisors"), 0);
}

/* ---- files ---- */

static char dir[64];
static int top;

static void reads_and_writes_files(void **state)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	uint64_t n = 7;

	tempdir_file(dir, "max", "max\n");
	tempdir_file(dir, "some", "1234\n");
	tempdir_file(dir, "junk", "12 34\n");
	tempdir_file(dir, "empty", "");
	assert_int_equal(pit_group_u64(top, "max", &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(pit_group_u64(top, "some", &n), 0);
	assert_int_equal(n, 1234);
	n = 7;
	assert_int_equal(pit_group_u64(top, "junk", &n), -EBADMSG);
	assert_int_equal(pit_group_u64(top, "empty", &n), -EBADMSG);
	assert_int_equal(pit_group_u64(top, "absent", &n), -ENOENT);
	assert_int_equal(n, 7);
	assert_int_equal(pit_group_write(top, "absent", "x"), -ENOENT); /* and makes none */
	assert_int_equal(pit_group_write(top, "some", "99"), 0);
	assert_int_equal(pit_group_read(top, "some", &text), 0);
	assert_string_equal(text.data, "9934\n");
	tempdir_file(dir, "words", "cpu memory_hog memory\n");
	assert_true(pit_group_lists(top, "words", "memory"));
	assert_true(pit_group_lists(top, "words", "cpu"));
	assert_false(pit_group_lists(top, "words", "mem"));
	assert_false(pit_group_lists(top, "absent", "cpu"));
}

static void reads_keys(void **state)
{
	static const char text[] = "low 0\nhigh 5\nmax 17\noom 2\noom_kill 1\nbad x\nhuge 99999999999999999999\nlast 8";

	assert_int_equal(pit_group_key(text, "low"), 0);
	assert_int_equal(pit_group_key(text, "oom"), 2);
	assert_int_equal(pit_group_key(text, "oom_kill"), 1);
	assert_int_equal(pit_group_key(text, "last"), 8);
	assert_true(pit_group_key(text, "bad") == UINT64_MAX);
	assert_true(pit_group_key(text, "huge") == UINT64_MAX);
	assert_true(pit_group_key(text, "kill") == UINT64_MAX);
	assert_true(pit_group_key("", "low") == UINT64_MAX);
}

static void counts_below(void **state)
{
	tempdir_file(dir, "job/cgroup.procs", "");
	tempdir_file(dir, "job/rank-0/cgroup.procs", "5\n6\n");
	tempdir_file(dir, "job/rank-1/cgroup.procs", "7\n");
	tempdir_file(dir, "job/rank-1/nested/deep/cgroup.procs", "8\n0\n");
	tempdir_file(dir, "job/rank-1/nested/cgroup.procs", "\n");
	tempdir_file(dir, "job/broken", "");
	{
		pit_auto_close int job = pit_group_open(top, "job");

		assert_int_equal(pit_group_count(job), -EBADMSG); /* a blank line is no process */
		tempdir_file(dir, "job/rank-1/nested/cgroup.procs", "");
		assert_int_equal(pit_group_count(job), 5);
		assert_int_equal(pit_group_count(top), -ENOENT); /* it is no group */
	}
}

static void waits_no_longer_than_told(void **state)
{
	tempdir_file(dir, "full/cgroup.events", "populated 1\nfrozen 0\n");
	tempdir_file(dir, "left/cgroup.events", "populated 0\nfrozen 0\n");
	{
		pit_auto_close int full = pit_group_open(top, "full"), left = pit_group_open(top, "left");

		assert_int_equal(pit_group_wait_empty(left, 0), 0);
		assert_int_equal(pit_group_wait_empty(full, 0), -EBUSY);
		assert_int_equal(pit_group_wait_empty(full, 20), -EBUSY);
	}
}

static void removes_what_is_empty(void **state)
{
	char path[128];

	tempdir_parents(dir, "old/a/b/c/x", path, sizeof(path));
	assert_int_equal(pit_group_remove(top, "old"), 0);
	assert_int_equal(faccessat(top, "old", F_OK, 0), -1);
	assert_int_equal(pit_group_remove(top, "old"), 0);
	tempdir_file(dir, "used/a/file", "");
	assert_int_equal(pit_group_remove(top, "used"), -ENOTEMPTY);
}

/* ---- limits ---- */

static void formats_limits(void **state)
{
	static const struct {
		const char *line, *want;
		int rc;
	} rows[] = {
		{.line = "259:0 rbps=1000 wbps=max", .want = "259:0 rbps=1000 wbps=max"},
		{.line = "8:16\t riops=5", .want = "8:16 riops=5"},
		{.line = "259:0", .rc = -EINVAL},
		{.line = "259:0 ", .rc = -EINVAL},
		{.line = "259 rbps=1", .rc = -EINVAL},
		{.line = "259:0x rbps=1", .rc = -EINVAL},
		{.line = "-1:0 rbps=1", .rc = -EINVAL},
		{.line = "nvme0n1 rbps=1", .rc = -EINVAL},
		{.line = "/dev/null rbps=1", .rc = -ENOTBLK},
		{.line = "/dev/no-such-disk rbps=1", .rc = -ENOENT},
		{.line = "", .rc = -EINVAL},
	};
	char text[64];

	assert_string_equal(pit_leaf_cpu_max(1.5, text, sizeof(text)), "150000 100000");
	assert_string_equal(pit_leaf_cpu_max(256, text, sizeof(text)), "25600000 100000");
	assert_string_equal(pit_leaf_cpu_max(0.01, text, sizeof(text)), "1000 100000");
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		strcpy(text, "untouched");
		assert_int_equal(pit_leaf_io_line(rows[i].line, text, sizeof(text)), rows[i].rc);
		assert_string_equal(text, rows[i].rc ? "untouched" : rows[i].want);
	}
	assert_int_equal(pit_leaf_io_line("259:0 rbps=1000000000", text, 8), -ENAMETOOLONG);
	for (const char *const *c = pit_leaf_controllers; *c; c++)
		assert_true(strlen(pit_leaf_lost(*c)) > 10);
	assert_string_equal(pit_leaf_lost("hugetlb"), "");
}

/* A group of plain files, which has all controllers but cpuset. */
static void writes_limits(void **state)
{
	char io_line[] = "259:0 rbps=5";
	char *io_lines[] = {io_line};
	const struct pit_strv io = {.item = io_lines, .count = 1};
	pit_auto_idset struct pit_idset cpus = {0};
	struct pit_leaf_limits limits = {
		.memory_max = 4096,
		.memory_high = PIT_UNLIMITED,
		.cpu_max = 2,
		.io = &io,
		.cpus = &cpus,
		.oom_group = true,
	};
	struct pit_leaves l = {0};
	struct pit_strv notes = {0};
	struct pit_error err = PIT_ERROR_INIT;
	char text[32] = "";

	assert_int_equal(pit_idset_add(&cpus, 1), 0);
	tempdir_file(dir, "cgroup.controllers", "cpu io memory\n");
	tempdir_file(dir, "memory.max", "");
	tempdir_file(dir, "cpu.max", "");
	tempdir_file(dir, "io.max", "");
	assert_int_equal(pit_leaf_limit(&l, top, "/the/group", &limits, &notes, &err), 0);
	assert_int_equal(notes.count, 2); /* no memory.oom.group, no cpuset */
	assert_non_null(strstr(notes.item[0], "memory.oom.group"));
	assert_non_null(strstr(notes.item[1], "cpuset"));
	{
		pit_auto_close int fd = pit_leaves_file(&(struct pit_leaves){.dir = top}, NULL, "io.max", O_RDONLY);

		assert_int_equal(read(fd, text, sizeof(text) - 1), 12);
		assert_string_equal(text, "259:0 rbps=5");
	}
	limits.memory_high = 12345;
	assert_int_equal(pit_leaf_limit(&l, top, "/the/group", &limits, &notes, &err), -ENOENT);
	assert_string_equal(err.text, "/the/group/memory.high: cannot write '12345': No such file or directory");
	assert_int_equal(notes.count, 2);
	pit_strv_free(&notes);
	pit_strv_free(&l.told);
	pit_strv_free(&l.why);
}

static void reads_memory(void **state)
{
	struct pit_leaves l = {.dir = top};
	struct pit_leaf_memory m = {.anon = 77};

	tempdir_file(dir, "memory.current", "1000\n");
	tempdir_file(dir, "memory.max", "max\n");
	tempdir_file(dir, "memory.high", "junk\n");
	tempdir_file(dir, "memory.stat",
		     "anon 10\nfile 20\nshmem 30\nslab_reclaimable 5\nslab_unreclaimable 40\nslab 45\n");
	assert_int_equal(pit_leaves_memory(&l, "rank-0", &m), -ENOENT);
	assert_int_equal(m.anon, 77);
	assert_int_equal(pit_leaves_memory(&l, NULL, &m), 0);
	assert_int_equal(m.current, 1000);
	assert_true(m.max == UINT64_MAX && m.high == UINT64_MAX);
	assert_true(m.peak == UINT64_MAX && m.oom_kill == UINT64_MAX); /* not there: unknown */
	assert_int_equal(m.anon, 10);
	assert_int_equal(m.file, 20);
	assert_int_equal(m.shmem, 30);
	assert_int_equal(m.slab, 40);
	assert_int_equal(pit_leaves_file(&l, NULL, "../secret", O_RDONLY), -EINVAL);
	assert_int_equal(pit_leaves_file(&l, "rank-0", "memory.max", O_RDONLY), -ENOENT);
	assert_int_equal(pit_leaves_kill(&l, "rank-0"), -ENOENT);
	assert_int_equal(pit_leaves_count(&l, "rank-0"), -ENOENT);
}

static int make_dir(void **state)
{
	tempdir_new(dir, sizeof(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0;
}

static int remove_dir(void **state)
{
	close(top);
	tempdir_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_a_place),        cmocka_unit_test(looks_at_the_way_up),
		cmocka_unit_test(says_what_is_lost),      cmocka_unit_test(a_recording_takes_no_groups),
		cmocka_unit_test(knows_its_own),          cmocka_unit_test(knows_names_of_jobs),
		cmocka_unit_test(reads_and_writes_files), cmocka_unit_test(reads_keys),
		cmocka_unit_test(counts_below),           cmocka_unit_test(waits_no_longer_than_told),
		cmocka_unit_test(removes_what_is_empty),  cmocka_unit_test(formats_limits),
		cmocka_unit_test(writes_limits),          cmocka_unit_test(reads_memory),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
