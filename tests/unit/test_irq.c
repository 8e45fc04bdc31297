/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/irq.h"
#include "check/irq_map.h"

static const struct {
	const char *text;
	int rc;
	size_t counts;
	uint64_t first, last;
} intrs[] = {
	{"intr 10 1 2 7\n", 0, 3, 1, 7},
	{"cpu  1 2\nintr 10 1 2 7\nctxt 5\n", 0, 3, 1, 7},
	{"intr 5", 0, 0, 0, 0},
	{"intr 18446744073709551615 18446744073709551615", 0, 1, UINT64_MAX, UINT64_MAX},
	{"cpu 1\nctxt 5\n", -ENOENT, 0, 0, 0},
	{"intr ", -EBADMSG, 0, 0, 0},
	{"intr 5 -1\n", -EBADMSG, 0, 0, 0},
	{"intr 5 1x\n", -EBADMSG, 0, 0, 0},
	{"intr x", -EBADMSG, 0, 0, 0},
	{"xintr 5 1\n", -ENOENT, 0, 0, 0},
};

static void parses_counts(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(intrs); i++) {
		PIT_CLEANUP(pit_intr_free) struct pit_intr intr = {0};

		assert_int_equal(pit_intr_parse(intrs[i].text, &intr), intrs[i].rc);
		assert_int_equal(intr.counts, intrs[i].counts);
		if (!intrs[i].counts)
			continue;
		assert_true(intr.count[0] == intrs[i].first);
		assert_true(intr.count[intr.counts - 1] == intrs[i].last);
	}
}

static const struct {
	const char *text;
	int rc;
	uint64_t processed, dropped, squeezed;
	int worst;
} softnets[] = {
	{"00000010 00000002 00000001 0\n", 0, 16, 2, 1, 0},
	{"00000010 00000000 00000001 0\n00000020 00000003 00000000\n", 0, 48, 3, 1, 1},
	{"\n00000001 00000000 00000000", 0, 1, 0, 0, -1},
	{"", -EBADMSG, 0, 0, 0, 0},
	{"words here now\n", -EBADMSG, 0, 0, 0, 0},
	{"00000010 00000002\n", -EBADMSG, 0, 0, 0, 0},
};

static void parses_softnet(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(softnets); i++) {
		struct pit_softnet s = {.worst_cpu = 99};

		assert_int_equal(pit_softnet_parse(softnets[i].text, &s), softnets[i].rc);
		if (softnets[i].rc) {
			assert_int_equal(s.worst_cpu, 99); /* untouched */
			continue;
		}
		assert_int_equal(s.processed, softnets[i].processed);
		assert_int_equal(s.dropped, softnets[i].dropped);
		assert_int_equal(s.squeezed, softnets[i].squeezed);
		assert_int_equal(s.worst_cpu, softnets[i].worst);
	}
}

static const struct {
	const char *text;
	int rc;
	const char *cpus;
} bans[] = {
	{"", 0, ""},
	{"#IRQBALANCE_BANNED_CPUS=ff\n", 0, ""},
	{"IRQBALANCE_BANNED_CPUS=\n", 0, ""},
	{"IRQBALANCE_BANNED_CPUS=f0\n", 1, "4-7"},
	{"IRQBALANCE_BANNED_CPUS=\"00000001,00000000\"\n", 1, "32"},
	{"A=1\n  IRQBALANCE_BANNED_CPULIST='2-3,5' # why\n", 1, "2-3,5"},
	{"IRQBALANCE_BANNED_CPULIST=2-x\n", -EBADMSG, ""},
	{"IRQBALANCE_BANNED_CPUSET=1\n", 0, ""},
};

static void parses_bans(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(bans); i++) {
		pit_auto_idset struct pit_idset set = {0};
		char text[64];

		assert_int_equal(pit_irqbalance_banned_parse(bans[i].text, &set), bans[i].rc);
		assert_string_equal(pit_idset_format(&set, text, sizeof(text)), bans[i].cpus);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_counts),
		cmocka_unit_test(parses_softnet),
		cmocka_unit_test(parses_bans),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
