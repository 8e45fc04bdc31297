/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "check/storage.h"
#include "host/try.h"

static const struct {
	const char *text;
	size_t count;
	struct pit_md first;
} mdstats[] = {
	{"", 0, {.want = 0}},
	{"Personalities : [raid1]\nunused devices: <none>\n", 0, {.want = 0}},
	{"md0 : active raid1 sdb1[1] sda1[0]\n      8 blocks [2/2] [UU]\n",
	 1,
	 {.name = "md0", .level = "raid1", .active = true, .want = 2, .have = 2}},
	{"md0 : active (read-only) raid5 sdc1[3](F) sdb1[1](F) sda1[0]\n      8 blocks [3/1] [U__]\n"
	 "      [>...] reshape = 3.5% (1/2)\n",
	 1,
	 {.name = "md0",
	  .level = "raid5",
	  .active = true,
	  .want = 3,
	  .have = 1,
	  .failed = 2,
	  .sync = "reshape",
	  .percent = 3.5}},
	{"md0 : active raid1 a[0] b[1]\n      8 blocks [2/2] [UU]\n      \tresync=DELAYED\n",
	 1,
	 {.name = "md0", .level = "raid1", .active = true, .want = 2, .have = 2, .sync = "resync"}},
	{"md1 : inactive sda1[0](S)\n      8 blocks\n", 1, {.name = "md1"}},
	{"md9\nmd8 :\nmd7 : ac", 1, {.name = "md7"}},
	{"      8 blocks [2/1] [U_]\n", 0, {.want = 0}},
};

static void parses_mdstat(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(mdstats); i++) {
		struct pit_md arrays[PIT_MD_MAX] = {0}, *a = arrays;
		const struct pit_md *want = &mdstats[i].first;
		size_t n = pit_mdstat_parse(mdstats[i].text, arrays);

		if (n != mdstats[i].count || strcmp(a->name, want->name) || strcmp(a->level, want->level) ||
		    a->active != want->active || a->want != want->want || a->have != want->have ||
		    a->failed != want->failed || strcmp(a->sync, want->sync) || a->percent != want->percent)
			fail_msg("vector %zu: %zu arrays; %s %s %d %u/%u %u %s %g", i, n, a->name, a->level, a->active,
				 a->have, a->want, a->failed, a->sync, a->percent);
	}
}

static void bounds_mdstat(void **state)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct pit_md arrays[PIT_MD_MAX];

	for (int i = 0; i < 200; i++)
		pit_buf_printf(&text, "md%d : active raid0 sda[0]\n", i);
	assert_int_equal(pit_mdstat_parse(text.data, arrays), PIT_MD_MAX);
}

static const struct {
	const char *line;
	bool ok;
	const char *target, *options;
} fstabs[] = {
	{"", false, NULL, NULL},
	{"# /dev/sda / ext4\n", false, NULL, NULL},
	{"/dev/sda /\n", false, NULL, NULL},
	{"/dev/sda / ext4\n", true, "/", "defaults"},
	{"  /dev/sda\t/my\\040data  ext4 ro,noauto 0 2", true, "/my data", "ro,noauto"},
	{"x\ny /y xfs\n", true, "/y", "defaults"},
	{"/dev/sda /a\\04 ext4 rw", true, "/a\\04", "rw"},
};

static void parses_fstab(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(fstabs); i++) {
		const char *at = fstabs[i].line;
		struct pit_fstab f = {0};
		bool ok = pit_fstab_next(&at, &f);

		if (ok != fstabs[i].ok ||
		    (ok && (strcmp(f.target, fstabs[i].target) || strcmp(f.options, fstabs[i].options))))
			fail_msg("vector %zu: %d '%s' '%s'", i, ok, f.target, f.options);
	}
}

static int answers(const char *name, void *arg, struct pit_buf *out)
{
	pit_buf_printf(out, "%s %s", name, (const char *)arg);
	return 0;
}

static int refuses(const char *name, void *arg, struct pit_buf *out)
{
	pit_buf_puts(out, "half");
	return -EACCES;
}

static int hangs(const char *name, void *arg, struct pit_buf *out)
{
	while (pause())
		;
	return 0;
}

static int dies(const char *name, void *arg, struct pit_buf *out)
{
	abort();
}

/* As a sandbox does that kills for a system call. */
static int is_filtered(const char *name, void *arg, struct pit_buf *out)
{
	struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct sock_fprog program = {.len = 1, .filter = &kill};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	return (int)syscall(SYS_getpid) * 0;
}

static int floods(const char *name, void *arg, struct pit_buf *out)
{
	for (int i = 0; i < 400000; i++)
		pit_buf_puts(out, "0123456789");
	return 0;
}

static const struct {
	pit_fact_fn make;
	int rc;
	const char *text;
} tries[] = {
	{answers, 0, "n arg"}, {refuses, -EACCES, ""},    {hangs, -ETIMEDOUT, ""},
	{dies, -EIO, ""},      {is_filtered, -EPERM, ""}, {floods, -EFBIG, ""},
};

static void tries_in_a_child(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(tries); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		int64_t start = pit_now();
		int rc = pit_try(200, tries[i].make, "n", (void *)"arg", &out);

		if (rc != tries[i].rc || strcmp(out.data, tries[i].text) != 0 || pit_now() - start > 2000 * PIT_MS)
			fail_msg("vector %zu: %d '%s'", i, rc, out.data);
	}
}

static void names_facts(void **state)
{
	char name[40];

	assert_string_equal(pit_fact_name(name, sizeof(name), "x", "/data/a-b_c.d"), "x:/data/a-b_c.d");
	pit_fact_name(name, sizeof(name), "x", "/my data");
	assert_non_null(strstr(name, "x:/my_data-"));
	pit_fact_name(name, sizeof(name), "x", "/a/very/long/path/that/does/not/fit/into/the/name/of/a/fact");
	assert_int_equal(strlen(name), sizeof(name) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_mdstat),    cmocka_unit_test(bounds_mdstat), cmocka_unit_test(parses_fstab),
		cmocka_unit_test(tries_in_a_child), cmocka_unit_test(names_facts),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
