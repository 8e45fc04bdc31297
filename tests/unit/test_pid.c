/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/pid.h"
#include "tree.h"

#define REST                                                                                                           \
	" 68044 68927 68927 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 9 0 1000 4096 11 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 3 0 2 0 0 0 0 0"

static const struct {
	const char *text;
	int rc, pid;
	const char *comm;
	char state;
} stats[] = {
	{"68927 (test(cmd).sh) S" REST, 0, 68927, "test(cmd).sh", 'S'},
	{"1020 ((a b ) ( c d) ) R" REST "\n", 0, 1020, "(a b ) ( c d) ", 'R'},
	{"7 () Z" REST, 0, 7, "", 'Z'},
	{"7 (a\nb) D" REST, 0, 7, "a\nb", 'D'},
	{"33 (ata_sff) S 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 -9223372036854775808 9223372036854775807 1 0 5 0 0", 0, 33,
	 "ata_sff", 'S'},
	{"33 (ata_sff) S 2 0 0 0 -1", -EBADMSG, 0, NULL, 0},
	{"33 ata_sff S" REST, -EBADMSG, 0, NULL, 0},
	{"x (a) S" REST, -EBADMSG, 0, NULL, 0},
	{"", -EBADMSG, 0, NULL, 0},
	{")(", -EBADMSG, 0, NULL, 0},
};

static void parses_stat(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(stats); i++) {
		struct pit_proc p = {.pid = -7};

		assert_int_equal(pit_proc_parse_stat(stats[i].text, &p, NULL), stats[i].rc);
		assert_int_equal(p.pid, stats[i].rc ? -7 : stats[i].pid);
		if (stats[i].rc)
			continue;
		assert_string_equal(p.comm, stats[i].comm);
		assert_int_equal(p.state, stats[i].state);
	}
}

static void reads_all_fields(void **state)
{
	struct pit_proc p;

	assert_int_equal(pit_proc_parse_stat(stats[0].text, &p, NULL), 0);
	assert_int_equal(p.ppid, 68044);
	assert_int_equal(p.session, 68927);
	assert_int_equal(p.flags, 4194304);
	assert_int_equal(p.majflt, 3);
	assert_int_equal(p.utime, 5);
	assert_int_equal(p.stime, 6);
	assert_int_equal(p.nice, 0);
	assert_int_equal(p.threads, 9);
	assert_int_equal(p.start, 1000);
	assert_int_equal(p.vsize, 4096);
	assert_int_equal(p.rss, 11);
	assert_int_equal(p.policy, 2);
}

static const struct tree_file tree[] = {
	{"/proc/uptime", "100.50 1.00\n"},
	{"/proc/1/stat", "1 (systemd) S" REST},
	{"/proc/30/stat", "30 (b) S" REST},
	{"/proc/4/stat", "4 (a) S" REST},
	{"/proc/5/stat", "junk"},
	{"/proc/self/stat", "30 (b) S" REST},
	{"/proc/30/limits", "Limit                     Soft Limit           Hard Limit           Units     \n"
			    "Max locked memory         65536                unlimited            bytes     \n"
			    "Max open files            many                 unlimited            files     \n"},
	{NULL, NULL},
};

static void loads_processes(void **state)
{
	struct tree t = tree_open(tree);
	struct pit_procs procs = {0};

	assert_int_equal(pit_procs_load(t.root, &procs, NULL), 0);
	assert_int_equal(procs.count, 3);
	assert_int_equal(procs.unreadable, 1);
	assert_false(procs.hidden);
	assert_int_equal(procs.item[1].pid, 4);
	assert_string_equal(pit_procs_find(&procs, 30)->comm, "b");
	assert_null(pit_procs_find(&procs, 31));
	assert_float_equal(pit_proc_age(&procs, &procs.item[0]), 90.5, 1e-6);
	procs.uptime = 0;
	assert_float_equal(pit_proc_age(&procs, &procs.item[0]), -1, 1e-6);
	pit_procs_free(&procs);
	tree_close(&t);
}

static void reads_limits(void **state)
{
	struct tree t = tree_open(tree);
	uint64_t soft = 7, hard = 7;

	assert_int_equal(pit_proc_limit(t.root, 30, "Max open files", &soft, &hard), -EBADMSG);
	assert_int_equal(pit_proc_limit(t.root, 30, "Max stack size", &soft, &hard), -ENOENT);
	assert_int_equal(pit_proc_limit(t.root, 4, "Max stack size", &soft, &hard), -ENOENT);
	assert_int_equal(soft, 7);
	assert_int_equal(pit_proc_limit(t.root, 30, "Max locked memory", &soft, &hard), 0);
	assert_int_equal(soft, 65536);
	assert_true(hard == UINT64_MAX);
	tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_stat),
		cmocka_unit_test(reads_all_fields),
		cmocka_unit_test(loads_processes),
		cmocka_unit_test(reads_limits),
	};

	return cmocka_run_group_tests_name("pid", tests, NULL, NULL);
}
