/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/network.h"

static const struct {
	const char *text, *group, *name;
	int rc;
	uint64_t value;
} groups[] = {
	{"Tcp: A B C\nTcp: 1 2 3\n", "Tcp:", "B", 0, 2},
	{"Ip: A\nIp: 9\nTcp: A B\nTcp: 1 2", "Tcp:", "B", 0, 2},
	{"TcpExt: AB A\nTcpExt: 1 2\n", "TcpExt:", "A", 0, 2},
	{"TcpExt: A\nTcpExt: 1\nTcp: A\nTcp: 7\n", "Tcp:", "A", 0, 7},
	{"Tcp: A B C\nTcp: 1 2 3\n", "Tcp:", "D", -ENOENT, 0},
	{"Tcp: A B C\nTcp: 1 2 3\n", "Udp:", "A", -ENOENT, 0},
	{"Tcp: A B C\n", "Tcp:", "A", -ENOENT, 0},
	{"Tcp: A B C\nTcp: 1\n", "Tcp:", "B", -EBADMSG, 0},
	{"Tcp: A B\nTcp: 1 -2\n", "Tcp:", "B", -EBADMSG, 0},
	{"", "Tcp:", "B", -ENOENT, 0},
};

static void parses_groups(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(groups); i++) {
		uint64_t value = 0;

		assert_int_equal(pit_net_group_parse(groups[i].text, groups[i].group, groups[i].name, &value),
				 groups[i].rc);
		assert_int_equal(value, groups[i].value);
	}
}

static void parses_devices(void **state)
{
	const char *text = "Inter-|   Receive\n face |bytes\n eth10: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
			   "  eth1:21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36\n  eth2: 1 2 3\n";
	struct pit_net_dev d = {0};

	assert_int_equal(pit_net_dev_parse(text, "eth1", &d), 0);
	assert_int_equal(d.rx_packets, 22);
	assert_int_equal(d.rx_drop, 24);
	assert_int_equal(d.tx_packets, 30);
	assert_int_equal(d.tx_carrier, 35);
	assert_int_equal(pit_net_dev_parse(text, "eth10", &d), 0);
	assert_int_equal(d.rx_packets, 2);
	assert_int_equal(pit_net_dev_parse(text, "eth2", &d), -EBADMSG);
	assert_int_equal(pit_net_dev_parse(text, "eth", &d), -ENOENT);
	assert_int_equal(d.rx_packets, 2);
}

static const struct {
	const char *text;
	size_t count;
	const char *first;
} routes[] = {
	{"", 0, NULL},
	{"Iface\tDestination\tGateway\n", 0, NULL},
	{"a\t000A\t0\t1\t0\t0\t0\tFFFF\nb\t000A\t0\t1\t0\t0\t0\tFFFF\n", 2, "a"},
	/* another mask, a gateway, the same link twice, a default route, a host route, a link that is down */
	{"a\t000A\t0\t1\t0\t0\t0\tFFFF\nb\t000A\t0\t1\t0\t0\t0\tFFFFFF\n", 0, NULL},
	{"a\t000A\t0\t1\t0\t0\t0\tFFFF\nb\t000A\t1\t3\t0\t0\t0\tFFFF\n", 0, NULL},
	{"a\t000A\t0\t1\t0\t0\t0\tFFFF\na\t000A\t0\t1\t0\t0\t100\tFFFF\n", 0, NULL},
	{"a\t0\t0\t1\t0\t0\t0\t0\nb\t0\t0\t1\t0\t0\t0\t0\n", 0, NULL},
	{"a\t000A\t0\t5\t0\t0\t0\tFFFFFFFF\nb\t000A\t0\t5\t0\t0\t0\tFFFFFFFF\n", 0, NULL},
	{"a\t000A\t0\t0\t0\t0\t0\tFFFF\nb\t000A\t0\t1\t0\t0\t0\tFFFF\n", 0, NULL},
};

static void finds_shared_subnets(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(routes); i++) {
		pit_auto_strv struct pit_strv names = {0};

		assert_int_equal(pit_shared_subnets_parse(routes[i].text, &names), 0);
		assert_int_equal(names.count, routes[i].count);
		if (routes[i].first)
			assert_string_equal(names.item[0], routes[i].first);
	}
}

static const struct {
	const char *text;
	double gbit;
} rates[] = {
	{"400 Gb/sec (4X NDR)", 400},
	{"2.5 Gb/sec (1X SDR)", 2.5},
	{"100 Gb/sec", 100},
	{"", 0},
	{"fast", 0},
	{"100", 0},
	{"-1 Gb/sec", 0},
	{"1e99 Gb/sec", 0},
	{"nan Gb/sec", 0},
};

static void parses_rates(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(rates); i++)
		assert_true(pit_port_rate_parse(rates[i].text) == rates[i].gbit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_groups),
		cmocka_unit_test(parses_devices),
		cmocka_unit_test(finds_shared_subnets),
		cmocka_unit_test(parses_rates),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
