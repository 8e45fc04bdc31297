/* SPDX-License-Identifier: MIT
 *
 * The small parsers of the CPU and memory rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/cpu_isolation.h"
#include "check/memory_thp.h"
#include "check/memory_hugepages.h"
#include "check/sched.h"
#include "host/procfs.h"

static const struct {
	const char *text;
	int rc;
	uint64_t total, idle, steal;
} times[] = {
	{.text = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\n", .total = 36, .idle = 9, .steal = 8},
	{.text = "intr 5\ncpu 1 2 3 4\n", .total = 10, .idle = 4},
	{.text = "cpu  1 2 3 4 5\n", .total = 15, .idle = 9},
	{.text = "cpu0 1 2 3 4\n", .rc = -EBADMSG},
	{.text = "cpu  1 2 3\n", .rc = -EBADMSG},
	{.text = "cpu \n", .rc = -EBADMSG},
	{.text = "", .rc = -EBADMSG},
	{.text = "cpu  18446744073709551615 1 1 1\n", .rc = -EBADMSG},
};

static void parses_cpu_times(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(times); i++) {
		struct pit_cpu_times t = {.total = 77};

		assert_int_equal(pit_cpu_times_parse(times[i].text, &t, NULL), times[i].rc);
		if (times[i].rc) {
			assert_int_equal(t.total, 77);
			continue;
		}
		assert_int_equal(t.total, times[i].total);
		assert_int_equal(t.idle, times[i].idle);
		assert_int_equal(t.steal, times[i].steal);
	}
}

static const struct {
	const char *value;
	int rc;
	const char *set;
	bool domain;
} isolated[] = {
	{.value = "2-7", .set = "2-7", .domain = true},
	{.value = "domain,managed_irq,2-7,9", .set = "2-7,9", .domain = true},
	{.value = "managed_irq,2-7", .set = "2-7", .domain = false},
	{.value = "nohz,1-N", .set = "1-15", .domain = false},
	{.value = "all", .set = "0-15", .domain = true},
	{.value = "N", .set = "15", .domain = true},
	{.value = "0-15:1/4", .set = "0,4,8,12", .domain = true},
	{.value = "", .set = "", .domain = true},
	{.value = "1-x", .rc = -EINVAL},
	{.value = "7-2", .rc = -EINVAL},
	{.value = "0-99999999", .rc = -ERANGE},
};

static void parses_isolation(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(isolated); i++) {
		pit_auto_idset struct pit_idset set = {0};
		bool domain = false;
		char text[64];

		assert_int_equal(pit_isolation_parse(isolated[i].value, 15, &set, &domain), isolated[i].rc);
		if (isolated[i].rc)
			continue;
		assert_string_equal(pit_idset_format(&set, text, sizeof(text)), isolated[i].set);
		assert_int_equal(domain, isolated[i].domain);
	}
}

static const struct {
	const char *line;
	int rc, node;
	const char *zone;
	unsigned orders;
	uint64_t last;
} blocks[] = {
	{.line = "Node 0, zone   Normal    100     50      4", .node = 0, .zone = "Normal", .orders = 3, .last = 4},
	{.line = "Node 12, zone DMA32 1 2 3 4 5 6 7 8 9 10 11 12 13 14",
	 .node = 12,
	 .zone = "DMA32",
	 .orders = 14,
	 .last = 14},
	{.line = "Node 0, zone Normal", .rc = -EBADMSG},
	{.line = "Node x, zone Normal 1", .rc = -EBADMSG},
	{.line = "Node -1, zone Normal 1", .rc = -EBADMSG},
	{.line = "", .rc = -EBADMSG},
};

static void parses_buddyinfo(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(blocks); i++) {
		struct pit_blocks b = {.orders = 99};

		assert_int_equal(pit_blocks_parse(blocks[i].line, &b, NULL), blocks[i].rc);
		if (blocks[i].rc) {
			assert_int_equal(b.orders, 99);
			continue;
		}
		assert_int_equal(b.node, blocks[i].node);
		assert_string_equal(b.zone, blocks[i].zone);
		assert_int_equal(b.orders, blocks[i].orders);
		assert_int_equal(b.blocks[b.orders - 1], blocks[i].last);
	}
}

#define MIB (UINT64_C(1) << 20)

static const struct {
	const char *cmdline;
	size_t pairs;
	uint64_t def, size, count; /* the last pair's */
	bool counted;
} asked[] = {
	{.cmdline = "quiet"},
	{.cmdline = "hugepages=100", .pairs = 1, .count = 100, .counted = true},
	{.cmdline = "hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=8",
	 .pairs = 2,
	 .size = 2 * MIB,
	 .count = 8,
	 .counted = true},
	{.cmdline = "default_hugepagesz=512M hugepagesz=512M hugepages=0:2,1:3",
	 .pairs = 1,
	 .def = 512 * MIB,
	 .size = 512 * MIB,
	 .count = 5,
	 .counted = true},
	{.cmdline = "hugepagesz=2M", .pairs = 1, .size = 2 * MIB},
	{.cmdline = "hugepagesz=2M hugepages=many", .pairs = 1, .size = 2 * MIB},
	{.cmdline = "hugepagesz=big hugepages=4", .pairs = 0},
	/* the second count has no size of its own */
	{.cmdline = "hugepagesz=2M hugepages=4 hugepages=9", .pairs = 1, .size = 2 * MIB, .count = 4, .counted = true},
};

static void reads_hugepages(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(asked); i++) {
		pit_auto_strv struct pit_strv words = {0};
		struct pit_hugepages_ask ask[PIT_HUGEPAGES_ASKS];
		uint64_t def;
		size_t n;

		assert_int_equal(pit_cmdline_parse(asked[i].cmdline, &words), 0);
		n = pit_hugepages_asked(&words, ask, &def);
		assert_int_equal(n, asked[i].pairs);
		assert_int_equal(def, asked[i].def);
		if (!n)
			continue;
		assert_int_equal(ask[n - 1].size, asked[i].size);
		assert_int_equal(ask[n - 1].count, asked[i].count);
		assert_int_equal(ask[n - 1].counted, asked[i].counted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_cpu_times),
		cmocka_unit_test(parses_isolation),
		cmocka_unit_test(parses_buddyinfo),
		cmocka_unit_test(reads_hugepages),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
