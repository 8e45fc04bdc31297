/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"
#include "tune/limits.h"
#include "tune/resolve.h"

#define NO UINT64_MAX

static const struct {
	const char *text;
	int rc;
	uint64_t soft, hard;
	const char *printed; /* NULL as it came */
} texts[] = {
	{"65536", 0, 65536, 65536, NULL},
	{"1024:524288", 0, 1024, 524288, NULL},
	{" 1024 : 524288 ", 0, 1024, 524288, "1024:524288"},
	{"   7:65536", 0, 7, 65536, "7:65536"},
	{"64G", 0, 68719476736, 68719476736, "68719476736"},
	{"8M:infinity", 0, 8388608, NO, "8388608:infinity"},
	{"unlimited", 0, NO, NO, "infinity"},
	{"INFINITY", 0, NO, NO, "infinity"},
	{"0", 0, 0, 0, NULL},
	{"15E", 0, 17293822569102704640u, 17293822569102704640u, "17293822569102704640"},
	{"16E", -EINVAL, 0, 0, NULL},
	{"2:1", -EINVAL, 0, 0, NULL},
	{"infinity:1", -EINVAL, 0, 0, NULL},
	{"", -EINVAL, 0, 0, NULL},
	{":", -EINVAL, 0, 0, NULL},
	{"G", -EINVAL, 0, 0, NULL},
	{"-1", -EINVAL, 0, 0, NULL},
	{"1k", -EINVAL, 0, 0, NULL},
	{"1 2", -EINVAL, 0, 0, NULL},
	{"99999999999999999999999999999999999999", -EINVAL, 0, 0, NULL},
};

static void reads_limits(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(texts); i++) {
		struct pit_pair pair = {7, 8};
		char printed[64];

		assert_int_equal(pit_limit_parse(texts[i].text, &pair), texts[i].rc);
		assert_int_equal(pair.soft, texts[i].rc ? 7 : texts[i].soft);
		assert_int_equal(pair.hard, texts[i].rc ? 8 : texts[i].hard);
		if (!texts[i].rc)
			assert_string_equal(pit_limit_print(&pair, printed, sizeof(printed)),
					    texts[i].printed ? texts[i].printed : texts[i].text);
	}
}

static void finds_items(void **state)
{
	assert_string_equal(pit_limit_item("nofile")->key, "LimitNOFILE");
	assert_null(pit_limit_item("core"));
}

/* What a setting adds, as "PATH[SECTION] LINE;". */
static char *resolve(const struct tree *t, const char *id, const char *value, int expected)
{
	const struct pit_knob knob = {.id = id};
	const struct pit_setting s = {.knob = &knob, .value = (char *)value};
	struct pit_wishes w = {.txn = 7, .persist = true};
	struct pit_buf text = PIT_BUF_INIT;
	struct pit_scene *scene = NULL;

	assert_int_equal(pit_scene_new(t->root, &scene, NULL), 0);
	assert_int_equal(pit_resolve_limits(&s, scene, &w, NULL), expected);
	for (size_t i = 0; i < w.wishes; i++)
		pit_buf_printf(&text, "%s!%s;", w.wish[i].cell.object, w.wish[i].refuse);
	for (size_t i = 0; i < w.fragments; i++)
		pit_buf_printf(&text, "%s[%s] %s;", w.fragment[i].path, w.fragment[i].section, w.fragment[i].line);
	pit_wishes_free(&w);
	pit_scene_free(scene);
	return pit_buf_take(&text);
}

static void expect(const struct tree_file *files, const char *id, const char *value, int rc, const char *expected)
{
	struct tree t = tree_open(files);
	pit_auto_free char *text = resolve(&t, id, value, rc);

	assert_string_equal(text, expected);
	tree_close(&t);
}

#define LIMITS_D "/etc/security/limits.d/99-zz-pitcrew-0007.conf[] "
#define SLURMD "/etc/systemd/system/slurmd.service.d/99-zz-pitcrew-0007.conf[Service] "
#define BASE                                                                                                           \
	{"/run/systemd/system/x", ""}, {"/etc/security/limits.conf", "# nothing\n"},                                   \
		{"/proc/sys/fs/nr_open", "1048576\n"},                                                                 \
	{                                                                                                              \
		"/proc/meminfo", "MemTotal: 1048576 kB\n"                                                              \
	}

static const struct tree_file plain[] = {
	BASE,
	{"/usr/lib/systemd/system/slurmd.service", "[Service]\nExecStart=/x\n"},
	{0},
};

static void raises_both_ways(void **state)
{
	expect(plain, "limits.memlock", "unlimited", 0,
	       LIMITS_D "* hard memlock unlimited;" LIMITS_D "* soft memlock unlimited;" LIMITS_D
			"root hard memlock unlimited;" LIMITS_D "root soft memlock unlimited;" SLURMD
			"LimitMEMLOCK=infinity;");
	/* limits.conf counts KiB, systemd bytes. */
	expect(plain, "limits.memlock", "64M", 0,
	       LIMITS_D "* hard memlock 65536;" LIMITS_D "* soft memlock 65536;" LIMITS_D
			"root hard memlock 65536;" LIMITS_D "root soft memlock 65536;" SLURMD "LimitMEMLOCK=67108864;");
	expect(plain, "limits.memlock", "50% memory", 0,
	       LIMITS_D "* hard memlock 524288;" LIMITS_D "* soft memlock 524288;" LIMITS_D
			"root hard memlock 524288;" LIMITS_D "root soft memlock 524288;" SLURMD
			"LimitMEMLOCK=536870912;");
}

/* systemd gives 1024:524288 files: only the soft one is below. */
static void lowers_nothing(void **state)
{
	static const struct tree_file high[] = {
		BASE,
		{"/etc/security/limits.d/10-site.conf",
		 "* - memlock unlimited\nroot - memlock unlimited\n* soft nofile 1000000\n"},
		{"/usr/lib/systemd/system/slurmd.service", "[Service]\nLimitMEMLOCK=infinity\n"},
		{"/usr/lib/systemd/system/docker.service", "[Service]\nLimitMEMLOCK=1M:infinity\n"},
		{0},
	};

	expect(plain, "limits.nofile", "65536", 0,
	       LIMITS_D "* soft nofile 65536;" LIMITS_D "root soft nofile 65536;" SLURMD "LimitNOFILE=65536:524288;");
	expect(high, "limits.memlock", "64G", 0,
	       "/etc/systemd/system/docker.service.d/99-zz-pitcrew-0007.conf[Service] "
	       "LimitMEMLOCK=68719476736:infinity;");
}

static void d07_limits_are_numbers(void **state)
{
	static const struct tree_file finite[] = {
		BASE,
		{"/usr/lib/systemd/system/slurmd.service", "[Service]\nLimitMEMLOCK=64G\n"},
		{"/usr/lib/systemd/system/docker.service", "[Service]\nLimitMEMLOCK=infinity\n"},
		{"/etc/security/limits.d/10-site.conf", "* - memlock unlimited\nroot - memlock -1\n"},
		{0},
	};

	/* 64G is less than infinity, and infinity is unlimited. */
	expect(finite, "limits.memlock", "unlimited", 0, SLURMD "LimitMEMLOCK=infinity;");
	expect(finite, "limits.memlock", "infinity", 0, SLURMD "LimitMEMLOCK=infinity;");
	expect(finite, "limits.memlock", "68719476736", 0, "");
	expect(finite, "limits.memlock", "65536M", 0, "");
}

static void raises_the_soft_one_less(void **state)
{
	expect(plain, "limits.nofile", "65536:1048576", 0,
	       LIMITS_D "* hard nofile 1048576;" LIMITS_D "* soft nofile 65536;" LIMITS_D
			"root hard nofile 1048576;" LIMITS_D "root soft nofile 65536;" SLURMD
			"LimitNOFILE=65536:1048576;");
	expect(plain, "limits.nofile", "512:524288", 0, "");
	expect(plain, "limits.nofile", "2:1", -EINVAL, "");
	expect(plain, "limits.nofile", "1:", -EINVAL, "");
	expect(plain, "limits.nofile", "1024:2000000", 0,
	       "/etc/security/limits.d/99-zz-pitcrew-0007.conf!nofile 2000000 is more than fs.nr_open = 1048576 allows, "
	       "and no session would start: raise fs.nr_open first;");
}

static void keeps_files_below_nr_open(void **state)
{
	expect(plain, "limits.nofile", "2000000", 0,
	       "/etc/security/limits.d/99-zz-pitcrew-0007.conf!nofile 2000000 is more than fs.nr_open = 1048576 allows, "
	       "and no session would start: raise fs.nr_open first;");
	expect(plain, "limits.nofile", "unlimited", 0,
	       LIMITS_D "* hard nofile 1048576;" LIMITS_D "* soft nofile 1048576;" LIMITS_D
			"root hard nofile 1048576;" LIMITS_D "root soft nofile 1048576;" SLURMD "LimitNOFILE=1048576;");
}

static void knows_units(void **state)
{
	static const struct tree_file units[] = {
		{"/run/systemd/system/x", ""},
		{"/proc/1/limits", "Limit  Soft Limit  Hard Limit  Units\n"
				   "Max processes             1000                2000               processes\n"},
		{"/usr/lib/systemd/system/ssh.service", "[Service]\n"},
		{"/etc/systemd/system/sshd.service", "-> /usr/lib/systemd/system/ssh.service"},
		{"/etc/systemd/system/docker.service", "-> /dev/null"},
		{"/usr/lib/systemd/system/user@.service", "[Service]\nLimitNPROC=5000\n"},
		{"/etc/systemd/system.conf", "[Manager]\nDefaultLimitSTACK=16M:infinity\n"},
		{0},
	};

	expect(units, "limits.nproc", "3000", 0,
	       "/etc/systemd/system/ssh.service.d/99-zz-pitcrew-0007.conf[Service] LimitNPROC=3000;");
	expect(units, "limits.stack", "16M", 0, "");
	expect(units, "limits.stack", "unlimited", 0,
	       "/etc/systemd/system/ssh.service.d/99-zz-pitcrew-0007.conf[Service] LimitSTACK=infinity;"
	       "/etc/systemd/system/user@.service.d/99-zz-pitcrew-0007.conf[Service] LimitSTACK=infinity;");
}

static void refuses_nonsense(void **state)
{
	expect(plain, "limits.memlock", "much", -EINVAL, "");
	expect(plain, "limits.memlock", "", -EINVAL, "");
	expect(plain, "limits.memlock", "-5", -EINVAL, "");
	expect(plain, "limits.core", "1", -EINVAL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_limits),
		cmocka_unit_test(finds_items),
		cmocka_unit_test(raises_both_ways),
		cmocka_unit_test(lowers_nothing),
		cmocka_unit_test(d07_limits_are_numbers),
		cmocka_unit_test(raises_the_soft_one_less),
		cmocka_unit_test(keeps_files_below_nr_open),
		cmocka_unit_test(knows_units),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
