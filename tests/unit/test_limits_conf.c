/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/limits_conf.h"
#include "tree.h"

static const struct {
	const char *line;
	int rc;
	const char *domain, *item;
	bool soft, hard;
	uint64_t value;
} lines[] = {
	{"* soft memlock unlimited", 0, "*", "memlock", true, false, UINT64_MAX},
	{"@hpc\t-\tmemlock\t64 # KiB", 0, "@hpc", "memlock", true, true, 65536},
	{"root hard nofile 1048576", 0, "root", "nofile", false, true, 1048576},
	{"* - nproc -1", 0, "*", "nproc", true, true, UINT64_MAX},
	{"* - core INFINITY", 0, "*", "core", true, true, UINT64_MAX},
	{"* - stack 18014398509481983", 0, "*", "stack", true, true, UINT64_C(18014398509481983) * 1024},
	{"* - stack 9223372036854775807", 0, "*", "stack", true, true, UINT64_MAX},
	{"* - nice -5", 0, "*", "nice", true, true, 0},
	{"@students -", 0, "@students", "", true, true, 0},
	{"", -ENOENT, NULL, NULL, false, false, 0},
	{"   # comment", -ENOENT, NULL, NULL, false, false, 0},
	{"* - chroot /x", -ENOENT, NULL, NULL, false, false, 0},
	{"* soft memlock", -EBADMSG, NULL, NULL, false, false, 0},
	{"* soft memlock unlimted", -EBADMSG, NULL, NULL, false, false, 0},
	{"* soft memlock 64 MB", -EBADMSG, NULL, NULL, false, false, 0},
	{"* both memlock 64", -EBADMSG, NULL, NULL, false, false, 0},
	{"* soft memory 64", -EBADMSG, NULL, NULL, false, false, 0},
	{"* soft", -EBADMSG, NULL, NULL, false, false, 0},
	{"word", -EBADMSG, NULL, NULL, false, false, 0},
};

static void parses_lines(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		struct pit_limits_line l = {.domain = "?"};

		assert_int_equal(pit_limits_parse_line(lines[i].line, &l), lines[i].rc);
		assert_string_equal(l.domain, lines[i].rc ? "?" : lines[i].domain);
		if (lines[i].rc)
			continue;
		assert_string_equal(l.item, lines[i].item);
		assert_int_equal(l.soft, lines[i].soft);
		assert_int_equal(l.hard, lines[i].hard);
		assert_true(l.value == lines[i].value);
	}
}

static void finds_the_last(void **state)
{
	static const struct tree_file tree[] = {
		{"/etc/security/limits.conf", "* soft memlock 64\n* hard nofile 5\n"},
		{"/etc/security/limits.d/90-b.conf", "\n* - memlock unlimited\nroot soft memlock 1\n"},
		{"/etc/security/limits.d/10-a.conf", "* soft memlock 128\n"},
		{"/etc/security/limits.d/99.txt", "* soft memlock 1\n"},
		{NULL, NULL},
	};
	struct tree t = tree_open(tree);
	char where[256] = "?";
	uint64_t value = 7;

	assert_int_equal(pit_limits_for_all(t.root, "memlock", false, &value, where, sizeof(where)), 0);
	assert_true(value == UINT64_MAX);
	assert_string_equal(where, "/etc/security/limits.d/90-b.conf:2");
	assert_int_equal(pit_limits_for_all(t.root, "nofile", true, &value, NULL, 0), 0);
	assert_int_equal(value, 5);
	assert_int_equal(pit_limits_for_all(t.root, "nofile", false, &value, NULL, 0), -ENOENT);
	assert_int_equal(value, 5);
	tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines),
		cmocka_unit_test(finds_the_last),
	};

	return cmocka_run_group_tests_name("limits_conf", tests, NULL, NULL);
}
