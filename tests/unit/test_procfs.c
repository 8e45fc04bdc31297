/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "host/pid.h"
#include "host/procfs.h"

static void finds_keys(void **state)
{
	static const char text[] = "MemTotal:       1024 kB\nMemTotalX: 5\npswpin 7\nhigh=9\nbad: x\n";
	uint64_t value = 77;
	char line[32];

	assert_int_equal(pit_kv_u64(text, "MemTotal", &value), 0);
	assert_int_equal(value, 1024);
	assert_int_equal(pit_kv_u64(text, "pswpin", &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(pit_kv_u64(text, "high", &value), 0);
	assert_int_equal(value, 9);
	assert_int_equal(pit_kv_u64(text, "bad", &value), -EBADMSG);
	assert_int_equal(pit_kv_u64(text, "Mem", &value), -ENOENT);
	assert_int_equal(pit_kv_u64("", "Mem", &value), -ENOENT);
	assert_int_equal(value, 9);
	assert_int_equal(pit_kv_str(text, "MemTotal", line, sizeof(line)), 0);
	assert_string_equal(line, "1024 kB");
}

static void parses_pressure(void **state)
{
	struct pit_psi p;

	assert_int_equal(pit_psi_parse("some avg10=1.50 avg60=0.25 avg300=0.05 total=12345\n"
				       "full avg10=0.50 avg60=0.10 avg300=0.00 total=999\n",
				       &p, NULL),
			 0);
	assert_true(p.some10 == 1.5 && p.full10 == 0.5 && p.some_total_us == 12345 && p.full_valid);
	assert_int_equal(pit_psi_parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", &p, NULL), 0);
	assert_false(p.full_valid);
	assert_int_equal(pit_psi_parse("", &p, NULL), -EBADMSG);
}

static void splits_cmdline(void **state)
{
	pit_auto_strv struct pit_strv v = {0};

	assert_int_equal(
		pit_cmdline_parse("quiet isolcpus=1-3 dyndbg=\"file a b\" isolcpus=2 numa-balancing=off\n", &v), 0);
	assert_int_equal(v.count, 5);
	assert_string_equal(v.item[2], "dyndbg=\"file a b\"");
	assert_string_equal(pit_cmdline_get(&v, "isolcpus"), "2");
	assert_string_equal(pit_cmdline_get(&v, "numa_balancing"), "off");
	assert_string_equal(pit_cmdline_get(&v, "quiet"), "");
	assert_null(pit_cmdline_get(&v, "iso"));
}

static void finds_choice(void **state)
{
	char out[16];

	assert_string_equal(pit_bracketed("always [madvise] never\n", out, sizeof(out)), "madvise");
	assert_string_equal(pit_bracketed("plain\n", out, sizeof(out)), "plain");
	assert_string_equal(pit_bracketed("bad [open\n", out, sizeof(out)), "bad [open");
}

/* Lines whose command holds what separates fields. */
static const struct {
	const char *line;
	const char *comm;
	int ppid;
} stats[] = {
	{"68927 (test(cmd).sh) S 68044 68927 1 0 -1 4194304 1 0 0 0 3 4 0 0 20 0 1 0 100 8192 10 1", "test(cmd).sh",
	 68044},
	{"1020 ((a b ) ( c d) ) R 28378 1 1 0 -1 0 1 0 0 0 3 4 0 0 20 0 1 0 100 8192 10 1", "(a b ) ( c d) ", 28378},
};

static void parses_stat(void **state)
{
	struct pit_proc p;

	for (size_t i = 0; i < PIT_COUNT(stats); i++) {
		assert_int_equal(pit_proc_parse_stat(stats[i].line, &p, NULL), 0);
		assert_string_equal(p.comm, stats[i].comm);
		assert_int_equal(p.ppid, stats[i].ppid);
		assert_int_equal(p.utime, 3);
		assert_int_equal(p.threads, 1);
		assert_int_equal(p.start, 100);
		assert_int_equal(p.policy, -1);
	}
	assert_int_equal(pit_proc_parse_stat("", &p, NULL), -EBADMSG);
	assert_int_equal(pit_proc_parse_stat("1 (x", &p, NULL), -EBADMSG);
	assert_int_equal(pit_proc_parse_stat("1 (x) S 2", &p, NULL), -EBADMSG);
	assert_int_equal(pit_proc_parse_stat(")1 (", &p, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_keys),   cmocka_unit_test(parses_pressure), cmocka_unit_test(splits_cmdline),
		cmocka_unit_test(finds_choice), cmocka_unit_test(parses_stat),
	};

	return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}
