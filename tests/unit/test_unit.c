/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/unit.h"
#include "tree.h"

static const struct {
	const char *text, *section, *key;
	int rc;
	const char *value;
	int line;
} inis[] = {
	{"[A]\nk=1\n[B]\nk = 2 \n", "A", "k", 0, "1", 2},
	{"[A]\nk=1\n[B]\nk = 2 \n", NULL, "k", 0, "2", 4},
	{"k=1", NULL, "k", 0, "1", 1},
	{"k=1", "A", "k", -ENOENT, NULL, 0},
	{"[A]\n#k=1\n;k=2\n  k=3\r\n", "A", "k", 0, "3", 4},
	{"[A]\nk=a \\\n# no\n  b\\\nc\nd=e\n", "A", "k", 0, "a    b c", 2},
	{"[A]\nk=a\\", "A", "k", 0, "a", 2},
	{"[A]\nk=\n", "A", "k", 0, "", 2},
	{"[A]\nkk=1\nk2=2\n", "A", "k", -ENOENT, NULL, 0},
	{"[A]\nk=1\nk=2\n", "A", "k", 0, "2", 3},
	{"[A]\nk\n", "A", "k", -ENOENT, NULL, 0},
	{"[A\nk=1\n", "A", "k", -ENOENT, NULL, 0},
	{"", "A", "k", -ENOENT, NULL, 0},
	{"[A]\nk=0123456789abcdefghij\n", "A", "k", 0, "0123456789abcde", 2},
};

static void reads_ini(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(inis); i++) {
		char value[16] = "?";
		int line = -1;

		assert_int_equal(pit_ini_get(inis[i].text, inis[i].section, inis[i].key, value, sizeof(value), &line),
				 inis[i].rc);
		assert_string_equal(value, inis[i].rc ? "?" : inis[i].value);
		assert_int_equal(line, inis[i].rc ? -1 : inis[i].line);
	}
}

static const struct tree_file tree[] = {
	{"/usr/lib/systemd/system/a.service", "[Service]\nLimitNOFILE=1\nLimitCORE=0\nUser=x\n"},
	{"/usr/lib/systemd/system/a.service.d/10-vendor.conf", "[Service]\nLimitNOFILE=2\n"},
	{"/usr/lib/systemd/system/a.service.d/50-x.conf", "[Service]\nLimitNOFILE=3\n"},
	{"/etc/systemd/system/a.service.d/50-x.conf", "[Unit]\nA=b\n[Service]\nLimitNOFILE=4\n"},
	{"/etc/systemd/system/a.service.d/20.conf", "[Service]\nLimitCORE=\n"},
	{"/etc/systemd/system/a.service.d/60-note.txt", "[Service]\nLimitNOFILE=9\n"},
	{"/etc/systemd/system/service.d/55-all.conf", "[Service]\nLimitMEMLOCK=infinity\n"},
	{"/etc/systemd/system/a.service.d/10-vendor.conf", "-> /dev/null"},
	{"/etc/systemd/system/multi-user.target.wants/a.service", "-> /usr/lib/systemd/system/a.service"},
	{"/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd\n"},
	{"/etc/systemd/system/sshd.service", "-> /lib/systemd/system/ssh.service"},
	{"/etc/systemd/system/ssh.service.d/l.conf", "[Service]\nLimitMEMLOCK=64M\n"},
	{"/lib/systemd/system/getty@.service", "[Service]\nType=idle\n"},
	{"/etc/systemd/system/getty@tty1.service.d/o.conf", "[Service]\nType=simple\n"},
	{"/lib/systemd/system/foo-bar.service", "[Service]\nNice=1\n"},
	{"/etc/systemd/system/foo-.service.d/n.conf", "[Service]\nNice=5\n"},
	{"/lib/systemd/system/gone.service", "[Service]\nNice=1\n"},
	{"/etc/systemd/system/gone.service", "-> /dev/null"},
	{"/etc/systemd/system.conf", "[Manager]\n#DefaultLimitMEMLOCK=8M\nDefaultTasksMax=15%\n"},
	{"/usr/lib/systemd/system.conf.d/90.conf", "[Manager]\nDefaultLimitMEMLOCK=infinity\n"},
	{NULL, NULL},
};

static const struct {
	const char *unit, *key;
	int rc;
	const char *value, *where;
} gets[] = {
	{"a.service", "LimitNOFILE", 0, "4", "/etc/systemd/system/a.service.d/50-x.conf:4"},
	{"a.service", "User", 0, "x", "/usr/lib/systemd/system/a.service:4"},
	{"a.service", "LimitCORE", -ENOENT, NULL, NULL},
	{"a.service", "LimitMEMLOCK", 0, "infinity", "/etc/systemd/system/service.d/55-all.conf:2"},
	{"sshd.service", "LimitMEMLOCK", 0, "64M", "/etc/systemd/system/ssh.service.d/l.conf:2"},
	{"getty@tty1.service", "Type", 0, "simple", "/etc/systemd/system/getty@tty1.service.d/o.conf:2"},
	{"getty@tty2.service", "Type", 0, "idle", "/lib/systemd/system/getty@.service:2"},
	{"foo-bar.service", "Nice", 0, "5", "/etc/systemd/system/foo-.service.d/n.conf:2"},
	{"gone.service", "Nice", -ENOENT, NULL, NULL},
	{"none.service", "Nice", -ENOENT, NULL, NULL},
};

static void reads_units(void **state)
{
	struct tree t = tree_open(tree);

	for (size_t i = 0; i < PIT_COUNT(gets); i++) {
		char value[64] = "?", where[128] = "?";

		assert_int_equal(pit_unit_get(t.root, gets[i].unit, "Service", gets[i].key, value, sizeof(value), where,
					      sizeof(where)),
				 gets[i].rc);
		assert_string_equal(value, gets[i].rc ? "?" : gets[i].value);
		assert_string_equal(where, gets[i].rc ? "?" : gets[i].where);
	}
	tree_close(&t);
}

static void reads_system_conf(void **state)
{
	struct tree t = tree_open(tree);
	char value[64], where[128];

	assert_int_equal(pit_systemd_conf_get(t.root, "system.conf", "Manager", "DefaultLimitMEMLOCK", value,
					      sizeof(value), where, sizeof(where)),
			 0);
	assert_string_equal(value, "infinity");
	assert_string_equal(where, "/usr/lib/systemd/system.conf.d/90.conf:2");
	assert_int_equal(pit_systemd_conf_get(t.root, "system.conf", "Manager", "DefaultTasksMax", value, sizeof(value),
					      where, sizeof(where)),
			 0);
	assert_string_equal(where, "/etc/systemd/system.conf:3");
	assert_int_equal(
		pit_systemd_conf_get(t.root, "user.conf", "Manager", "DefaultTasksMax", value, sizeof(value), NULL, 0),
		-ENOENT);
	tree_close(&t);
}

static void knows_enabled(void **state)
{
	struct tree t = tree_open(tree);

	assert_int_equal(pit_unit_is_enabled(t.root, "a.service"), 1);
	assert_int_equal(pit_unit_is_enabled(t.root, "ssh.service"), 0);
	assert_int_equal(pit_unit_is_enabled(t.root, "gone.service"), 0);
	assert_int_equal(pit_unit_is_enabled(t.root, "none.service"), -ENOENT);
	tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ini),
		cmocka_unit_test(reads_units),
		cmocka_unit_test(reads_system_conf),
		cmocka_unit_test(knows_enabled),
	};

	return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
