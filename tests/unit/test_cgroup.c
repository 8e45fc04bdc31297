/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/cgroup.h"
#include "tree.h"

static const struct {
	const char *text;
	int rc;
	double cpus;
} quotas[] = {
	{"max 100000", 0, 0},
	{"max 100000\n", 0, 0},
	{"max", 0, 0},
	{"150000 100000", 0, 1.5},
	{"50000 100000", 0, 0.5},
	{"500000", 0, 5},
	{"-1 100000", 0, 0},
	{"", -EBADMSG, 0},
	{"\n", -EBADMSG, 0},
	{"250000 0", -EBADMSG, 0},
	{"0 100000", -EBADMSG, 0},
	{"250000 100000 100", -EBADMSG, 0},
	{"junk 100000", -EBADMSG, 0},
	{"250000 junk", -EBADMSG, 0},
	{"99999999999999999999 100000", -EBADMSG, 0},
};

static void parses_quotas(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(quotas); i++) {
		double cpus = -7;

		assert_int_equal(pit_cgroup_parse_cpu_max(quotas[i].text, &cpus), quotas[i].rc);
		assert_float_equal(cpus, quotas[i].rc ? -7 : quotas[i].cpus, 1e-9);
	}
}

static const struct tree_file v2[] = {
	{"/proc/self/mountinfo", "34 33 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate\n"
				 "35 33 0:30 / /opt/vpn/net_cls rw - cgroup net_cls rw,net_cls\n"},
	{"/proc/self/cgroup", "1:net_cls:/\n0::/a.slice/b.scope\n"},
	{"/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n"},
	{"/sys/fs/cgroup/a.slice/cgroup.controllers", "cpu memory pids\n"},
	{"/sys/fs/cgroup/a.slice/b.scope/cgroup.controllers", "memory pids\n"},
	{"/sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n"},
	{"/sys/fs/cgroup/a.slice/memory.max", "1073741824\n"},
	{"/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n"},
	{"/sys/fs/cgroup/a.slice/b.scope/pids.max", "many\n"},
	{"/sys/fs/cgroup/cpuset.cpus.effective", "0-3,8\n"},
	{"/sys/fs/cgroup/cpuset.mems.effective", "0\n"},
	{NULL, NULL},
};

static void reads_v2(void **state)
{
	struct tree t = tree_open(v2);
	struct pit_cgroup *g = tree_cgroup(&t, 0);
	pit_auto_idset struct pit_idset cpus = {0};
	char dir[256], file[256], text[64];
	uint64_t limit;
	double quota;
	bool is_v2;

	assert_int_equal(pit_cgroup_mode(g), PIT_CGROUP_V2);
	assert_string_equal(pit_cgroup_mode_name(pit_cgroup_mode(g)), "v2");
	assert_string_equal(pit_cgroup_path(g), "/a.slice/b.scope");
	assert_int_equal(pit_cgroup_dir(g, "memory", dir, sizeof(dir), &is_v2), 0);
	assert_string_equal(dir, "/sys/fs/cgroup/a.slice/b.scope");
	assert_true(is_v2);
	assert_int_equal(pit_cgroup_dir(g, "cpu", dir, sizeof(dir), &is_v2), 0);
	assert_string_equal(dir, "/sys/fs/cgroup/a.slice");
	assert_int_equal(pit_cgroup_dir(g, "rdma", dir, sizeof(dir), &is_v2), -ENOENT);
	assert_int_equal(pit_cgroup_dir(g, "memory", dir, 8, &is_v2), -ENAMETOOLONG);
	assert_int_equal(pit_cgroup_limit(t.root, g, "memory", "memory.max", "x", &limit, file, sizeof(file)), 0);
	assert_int_equal(limit, 1 << 30);
	assert_string_equal(file, "/sys/fs/cgroup/a.slice/memory.max");
	assert_int_equal(pit_cgroup_limit(t.root, g, "pids", "pids.max", "x", &limit, NULL, 0), -EBADMSG);
	assert_int_equal(pit_cgroup_cpu_quota(t.root, g, &quota, file, sizeof(file)), 0);
	assert_float_equal(quota, 1.5, 1e-9);
	assert_string_equal(file, "/sys/fs/cgroup/a.slice/cpu.max");
	assert_int_equal(pit_cgroup_cpuset(t.root, g, false, &cpus, file, sizeof(file)), 0);
	assert_string_equal(pit_idset_format(&cpus, text, sizeof(text)), "0-3,8");
	assert_string_equal(file, "/sys/fs/cgroup/cpuset.cpus.effective");
	pit_cgroup_free(g);
	tree_close(&t);
}

/* Docker on v1: the mounts show the container's part only. */
static const struct tree_file v1[] = {
	{"/proc/self/mountinfo", "5 4 0:4 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
				 "6 5 0:5 /docker/c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
				 "7 5 0:6 /docker/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
				 "8 5 0:7 /docker/c2 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
				 "9 5 0:8 /docker/c1 /sys/fs/cgroup/systemd ro - cgroup cgroup rw,name=systemd\n"
				 "10 5 0:9 / /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"},
	{"/proc/self/cgroup", "4:memory:/docker/c1/job:1\n3:cpu,cpuacct:/docker/c1\n2:pids:/docker/c1\n"
			      "5:name=systemd:/docker/c1\n6:cpuset:/\n"},
	{"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n"},
	{"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
	{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
	{"/sys/fs/cgroup/memory/job:1/memory.limit_in_bytes", "4096\n"},
	{"/sys/fs/cgroup/cpuset/cpuset.cpus", "0-7\n"},
	{"/sys/fs/cgroup/cpuset/cpuset.effective_cpus", "0-6\n"},
	{"/sys/fs/cgroup/cpuset/cpuset.mems", "\n"},
	{NULL, NULL},
};

static void reads_v1(void **state)
{
	struct tree t = tree_open(v1);
	struct pit_cgroup *g = tree_cgroup(&t, 0);
	pit_auto_idset struct pit_idset cpus = {0}, mems = {0};
	char dir[256], text[64];
	uint64_t limit;
	double quota;
	bool is_v2;

	assert_int_equal(pit_cgroup_mode(g), PIT_CGROUP_V1);
	assert_string_equal(pit_cgroup_path(g), "/docker/c1/job:1");
	assert_int_equal(pit_cgroup_dir(g, "memory", dir, sizeof(dir), &is_v2), 0);
	assert_string_equal(dir, "/sys/fs/cgroup/memory/job:1");
	assert_false(is_v2);
	assert_int_equal(pit_cgroup_dir(g, "name=systemd", dir, sizeof(dir), NULL), 0);
	assert_string_equal(dir, "/sys/fs/cgroup/systemd");
	assert_int_equal(pit_cgroup_dir(g, "pids", dir, sizeof(dir), &is_v2), -ENOENT);
	assert_int_equal(pit_cgroup_limit(t.root, g, "memory", "x", "memory.limit_in_bytes", &limit, NULL, 0), 0);
	assert_int_equal(limit, 4096);
	assert_int_equal(pit_cgroup_cpu_quota(t.root, g, &quota, NULL, 0), 0);
	assert_float_equal(quota, 2, 1e-9);
	assert_int_equal(pit_cgroup_cpuset(t.root, g, false, &cpus, NULL, 0), 0);
	assert_string_equal(pit_idset_format(&cpus, text, sizeof(text)), "0-6");
	assert_int_equal(pit_cgroup_cpuset(t.root, g, true, &mems, NULL, 0), -ENOENT);
	pit_cgroup_free(g);
	tree_close(&t);
}

static const struct tree_file hybrid[] = {
	{"/proc/self/mountinfo", "31 30 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n"
				 "36 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"},
	{"/proc/7/cgroup", "9:memory:/s/x.service\n0::/s/x.service\n"},
	{"/sys/fs/cgroup/unified/cgroup.controllers", "\n"},
	{"/sys/fs/cgroup/unified/s/x.service/cgroup.controllers", "\n"},
	{"/sys/fs/cgroup/memory/s/x.service/memory.limit_in_bytes", "9223372036854710272\n"},
	{NULL, NULL},
};

static void reads_hybrid(void **state)
{
	struct tree t = tree_open(hybrid);
	struct pit_cgroup *g = tree_cgroup(&t, 7);
	char file[256] = "?";
	uint64_t limit;

	assert_int_equal(pit_cgroup_mode(g), PIT_CGROUP_HYBRID);
	assert_string_equal(pit_cgroup_path(g), "/s/x.service");
	assert_int_equal(pit_cgroup_limit(t.root, g, "memory", "memory.max", "memory.limit_in_bytes", &limit, file,
					  sizeof(file)),
			 0);
	assert_true(limit == UINT64_MAX);
	assert_string_equal(file, "");
	assert_int_equal(pit_cgroup_limit(t.root, g, "io", "io.max", "x", &limit, NULL, 0), -ENOENT);
	pit_cgroup_free(g);
	tree_close(&t);
}

/* Old recordings: /proc/mounts and /proc/self/cpuset only. */
static const struct tree_file old_cpuset[] = {
	{"/proc/mounts", "none /dev/cpuset cpuset rw 0 0\n"},
	{"/proc/self/cpuset", "/dummy\n"},
	{"/dev/cpuset/dummy/cpus", "0-6,12-15\n"},
	{"/dev/cpuset/dummy/mems", "1-4\n"},
	{NULL, NULL},
};

static const struct tree_file old_v2[] = {
	{"/proc/mounts", "none /cgroup/memory cgroup rw,memory 0 0\nnone /cgroup/unified cgroup2 rw 0 0\n"},
	{"/proc/self/cpuset", "/job/step_0\n"},
	{"/cgroup/unified/job/step_0/cpuset.cpus.effective", "0-6,12-15\n"},
	{"/cgroup/unified/job/step_0/cpuset.mems.effective", "1-4\n"},
	{NULL, NULL},
};

static void reads_old_recordings(void **state)
{
	const struct tree_file *const trees[] = {old_cpuset, old_v2};

	for (size_t i = 0; i < PIT_COUNT(trees); i++) {
		struct tree t = tree_open(trees[i]);
		struct pit_cgroup *g = tree_cgroup(&t, 0);
		pit_auto_idset struct pit_idset cpus = {0}, mems = {0};
		char text[64];

		assert_int_equal(pit_cgroup_cpuset(t.root, g, false, &cpus, NULL, 0), 0);
		assert_string_equal(pit_idset_format(&cpus, text, sizeof(text)), "0-6,12-15");
		assert_int_equal(pit_cgroup_cpuset(t.root, g, true, &mems, NULL, 0), 0);
		assert_string_equal(pit_idset_format(&mems, text, sizeof(text)), "1-4");
		pit_cgroup_free(g);
		tree_close(&t);
	}
}

/* A line of /proc/self/cgroup over one v2 mount with the given root: the group's directory, NULL untranslatable. */
static const struct {
	const char *root, *path, *dir;
} translations[] = {
	{"/", "/", "/sys/fs/cgroup"},
	{"/", "/a", "/sys/fs/cgroup/a"},
	{"/a", "/a", "/sys/fs/cgroup"},
	{"/a", "/a/b", "/sys/fs/cgroup/b"},
	{"/a", "/ab", NULL},
	{"/a", "/", NULL},
	{"/", "/../a", NULL},
	{"/", "/a/..", NULL},
	{"/", "/..a", "/sys/fs/cgroup/..a"},
	{"/../..", "/../../u/s", "/sys/fs/cgroup/u/s"},
	{"/..", "/../../u", NULL},
};

static void translates_paths(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(translations); i++) {
		char mountinfo[256], line[256], dir[256];
		struct tree_file files[] = {
			{"/proc/self/mountinfo", mountinfo}, {"/proc/self/cgroup", line}, {NULL, NULL}};
		struct pit_cgroup *g;
		struct tree t;

		snprintf(mountinfo, sizeof(mountinfo), "1 0 0:9 %s /sys/fs/cgroup rw - cgroup2 x rw\n",
			 translations[i].root);
		snprintf(line, sizeof(line), "0::%s\n", translations[i].path);
		t = tree_open(files);
		g = tree_cgroup(&t, 0);
		if (translations[i].dir) {
			assert_int_equal(pit_cgroup_dir(g, "memory", dir, sizeof(dir), NULL), 0);
			assert_string_equal(dir, translations[i].dir);
		} else {
			assert_int_equal(pit_cgroup_dir(g, "memory", dir, sizeof(dir), NULL), -ENOENT);
		}
		pit_cgroup_free(g);
		tree_close(&t);
	}
}

static void refuses_junk(void **state)
{
	static const struct tree_file junk[] = {
		{"/proc/self/mountinfo", "1 0 0:9 / /sys/fs/cgroup rw - cgroup2 x rw\n"},
		{"/proc/self/cgroup", "0\\using\\colons\\/\n1::/\n0:cpu:/\n:::\n12:cpu\n"},
		{NULL, NULL},
	};
	static const struct tree_file none[] = {
		{"/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"},
		{"/proc/self/cgroup", "0::/\n"},
		{NULL, NULL},
	};
	const struct tree_file *const trees[] = {junk, none};
	const int codes[] = {-EBADMSG, -ENOENT};

	for (size_t i = 0; i < PIT_COUNT(trees); i++) {
		struct tree t = tree_open(trees[i]);
		struct pit_cgroup *g = NULL;
		struct pit_error err = PIT_ERROR_INIT;

		assert_int_equal(pit_cgroup_load(t.root, &t.mounts, 0, &g, &err), codes[i]);
		assert_null(g);
		assert_non_null(strstr(err.text, "cgroup"));
		tree_close(&t);
	}
}

/* Vectors of other projects, where they lie. */
static const struct {
	const char *file;
	int rc;
	double cpus;
} foreign[] = {
	{"unset", 0, 0},
	{"set", 0, 2.5},
	{"only-max", 0, 5},
	{"empty", -EBADMSG, 0},
	{"zero-period", -EBADMSG, 0},
	{"invalid-max", -EBADMSG, 0},
	{"invalid-period", -EBADMSG, 0},
	{"too-many-fields", -EBADMSG, 0},
	{"too-few-fields", -EBADMSG, 0},
};

static void agrees_with_automaxprocs(void **state)
{
	char dir[512];
	const char *root = tree_cases("malformed/automaxprocs/internal/cgroups/testdata", dir, sizeof(dir));

	if (!root)
		skip();
	for (size_t i = 0; i < PIT_COUNT(foreign); i++) {
		pit_auto_free char *text = tree_slurp("%s/cgroups/v2/%s", root, foreign[i].file);
		double cpus = -7;

		assert_non_null(text);
		assert_int_equal(pit_cgroup_parse_cpu_max(text, &cpus), foreign[i].rc);
		assert_float_equal(cpus, foreign[i].rc ? -7 : foreign[i].cpus, 1e-9);
	}
}

static void agrees_on_untranslatable(void **state)
{
	char cases[512], dir[256];
	const char *root = tree_cases("malformed/automaxprocs/internal/cgroups/testdata/proc", cases, sizeof(cases));
	pit_auto_free char *mounts = root ? tree_slurp("%s/untranslatable/mountinfo", root) : NULL;
	pit_auto_free char *lines = root ? tree_slurp("%s/untranslatable/cgroup", root) : NULL;
	struct tree_file files[] = {{"/proc/self/mountinfo", mounts}, {"/proc/self/cgroup", lines}, {NULL, NULL}};
	struct pit_cgroup *g;
	struct tree t;

	if (!root)
		skip();
	t = tree_open(files);
	g = tree_cgroup(&t, 0);
	assert_int_equal(pit_cgroup_dir(g, "cpu", dir, sizeof(dir), NULL), 0);
	assert_string_equal(dir, "/sys/fs/cgroup/cpu/docker");
	assert_int_equal(pit_cgroup_dir(g, "cpuacct", dir, sizeof(dir), NULL), -ENOENT);
	pit_cgroup_free(g);
	tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_quotas),
		cmocka_unit_test(reads_v2),
		cmocka_unit_test(reads_v1),
		cmocka_unit_test(reads_hybrid),
		cmocka_unit_test(reads_old_recordings),
		cmocka_unit_test(translates_paths),
		cmocka_unit_test(refuses_junk),
		cmocka_unit_test(agrees_with_automaxprocs),
		cmocka_unit_test(agrees_on_untranslatable),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
