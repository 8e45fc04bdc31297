/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/sysctl_origin.h"
#include "tree.h"

static const struct tree_file tree[] = {
	{"/usr/lib/systemd/systemd-sysctl", ""},
	{"/usr/lib/sysctl.d/50-default.conf", "# comment\n; too\nvm.swappiness = 60\nkernel.pid_max=1\n"
					      "-net.ipv4.conf.all.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n"},
	{"/usr/lib/sysctl.d/70-masked.conf", "vm.swappiness = 5\n"},
	{"/etc/sysctl.d/70-masked.conf", "-> /dev/null"},
	{"/usr/lib/sysctl.d/80-same.conf", "kernel.pid_max=2\n"},
	{"/etc/sysctl.d/80-same.conf", "\n\nkernel/pid_max = 3\n"},
	{"/etc/sysctl.d/90-x.conf", "vm/swappiness=10\nnet.ipv4.conf.eth0/1.forwarding = 1\n-vm.gone\n"
				    "net.ipv4.conf.lo.rp_filter = 0\n-net.ipv4.conf.wlan0.rp_filter\n"
				    "net.ipv4.tcp_rmem = 4096\t87380  6291456\n"},
	{"/etc/sysctl.conf", "kernel.panic = 9\n"},
	{"/run/sysctl.d/10-early.conf", "net.ipv4.conf.lo.rp_filter = 1\n"},
	{"/proc/cmdline",
	 "quiet sysctl.kernel.panic=7 sysctl.vm.swappiness=99 numa_balancing=disable nvme.poll_queues=2 "
	 "transparent_hugepage=never\n"},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"},
	{"/sys/kernel/mm/transparent_hugepage/defrag", "[always] defer madvise never\n"},
	{"/etc/tmpfiles.d/thp.conf", "# x\nw! /sys/kernel/mm/*/defrag - - - - \"always\"\n"},
	{"/usr/lib/tmpfiles.d/zz.conf", "w /sys/kernel/mm/transparent_hugepage/defrag - - - - never\n"},
	{"/sys/block/sda/queue/read_ahead_kb", "128\n"},
	{"/sys/block/nvme0n1/queue/read_ahead_kb", "128\n"},
	{"/sys/block/nvme0n1/queue/scheduler", "[none] mq-deadline\n"},
	{"/etc/udev/rules.d/60-ra.rules",
	 "SUBSYSTEM==\"block\", KERNEL==\"nvme*n*|vd*\", ATTR{queue/read_ahead_kb}=\"128\"\n"
	 "KERNEL==\"*\", ATTR{queue/scheduler}==\"none\", ATTR{queue/nr_requests}=\"64\"\n"},
	{"/sys/module/nvme/parameters/io_timeout", "30\n"},
	{"/etc/modprobe.d/nvme.conf", "options nvme-core io_timeout=1\noptions nvme io_timeout=255 x=1\n"},
	{"/sys/kernel/x", "1\n"},
	{"/etc/sysfs.d/a.conf", "kernel/x = 1\nkernel/xy = 2\n"},
	{NULL, NULL},
};

static const struct {
	const char *key, *live;
	int rc;
	const char *text;
} sysctls[] = {
	{"vm.swappiness", "10", 0, "/etc/sysctl.d/90-x.conf:1 (10)"},
	{"vm/swappiness", NULL, 0, "/etc/sysctl.d/90-x.conf:1 (10)"},
	{"vm.swappiness", "60", 0, "/etc/sysctl.d/90-x.conf:1 sets 10, but 60 is live: not applied, or changed since"},
	{"kernel.pid_max", "3", 0, "/etc/sysctl.d/80-same.conf:3 (3)"},
	{"net.ipv4.conf.lo.rp_filter", "0", 0, "/etc/sysctl.d/90-x.conf:4 (0)"},
	{"net.ipv4.conf.eth9.rp_filter", "2", 0, "/usr/lib/sysctl.d/50-default.conf:6 (2)"},
	{"net/ipv4/conf/all/rp_filter", "2", 0, "/usr/lib/sysctl.d/50-default.conf:5 (2)"},
	{"net.ipv4.conf.wlan0.rp_filter", "2", -ENOENT, NULL},
	{"net/ipv4/conf/eth0.1/forwarding", "1", 0, "/etc/sysctl.d/90-x.conf:2 (1)"},
	{"net.ipv4.tcp_rmem", "4096 87380\t6291456", 0, "/etc/sysctl.d/90-x.conf:6 (4096\t87380  6291456)"},
	{"kernel.panic", "7", 0, "kernel command line: sysctl.kernel.panic=7"},
	{"kernel.numa_balancing", "0", 0, "kernel command line: numa_balancing=disable"},
	{"vm.overcommit_memory", "0", -ENOENT, NULL},
};

static void finds_sysctls(void **state)
{
	struct tree t = tree_open(tree);

	for (size_t i = 0; i < PIT_COUNT(sysctls); i++) {
		char text[512] = "?";

		assert_int_equal(pit_sysctl_origin(t.root, sysctls[i].key, sysctls[i].live, text, sizeof(text)),
				 sysctls[i].rc);
		assert_string_equal(text, sysctls[i].rc ? "?" : sysctls[i].text);
	}
	tree_close(&t);
}

static const struct {
	const char *path, *argument;
	int rc;
	const char *text;
} attributes[] = {
	{"/sys/kernel/mm/transparent_hugepage/enabled", "transparent_hugepage", 0,
	 "kernel command line: transparent_hugepage=never"},
	{"/sys/kernel/mm/transparent_hugepage/defrag", NULL, 0, "/etc/tmpfiles.d/thp.conf:2 (always)"},
	{"/sys/block/sda/queue/read_ahead_kb", NULL, -ENOENT, NULL},
	{"/sys/block/nvme0n1/queue/read_ahead_kb", NULL, 0, "/etc/udev/rules.d/60-ra.rules:1 (128)"},
	{"/sys/block/nvme0n1/queue/scheduler", NULL, -ENOENT, NULL},
	{"/sys/module/nvme/parameters/io_timeout", NULL, 0,
	 "/etc/modprobe.d/nvme.conf:2 sets 255, but 30 is live: not applied, or changed since"},
	{"/sys/module/nvme/parameters/poll_queues", NULL, 0, "kernel command line: nvme.poll_queues=2"},
	{"/sys/kernel/x", NULL, 0, "/etc/sysfs.d/a.conf:1 (1)"},
	{"/proc/x", NULL, -EINVAL, NULL},
};

static void finds_attributes(void **state)
{
	struct tree t = tree_open(tree);

	for (size_t i = 0; i < PIT_COUNT(attributes); i++) {
		char text[512] = "?";

		assert_int_equal(
			pit_sysfs_origin(t.root, attributes[i].path, attributes[i].argument, text, sizeof(text)),
			attributes[i].rc);
		assert_string_equal(text, attributes[i].rc ? "?" : attributes[i].text);
	}
	tree_close(&t);
}

static const struct tree_file with_tuned[] = {
	{"/etc/tuned/active_profile", "mine\n"},
	{"/etc/tuned/mine/tuned.conf", "[main]\nsummary=x\ninclude=throughput-performance, ../../evil\n[sysctl]\n"
				       "vm.swappiness=20\n"},
	{"/usr/lib/tuned/throughput-performance/tuned.conf",
	 "[main]\ninclude=mine\n[cpu]\ngovernor=performance\n[disk]\nreadahead=>4096\n[vm]\ntransparent_hugepages=never\n"
	 "dirty_ratio=40\n[sysctl]\nvm.swappiness=10\nnet.core.somaxconn=>2048\n"},
	{"/etc/sysctl.conf", "vm.swappiness=1\nkernel.panic = 9\n"},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"},
	{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"},
	{"/sys/block/sda/queue/read_ahead_kb", "8192\n"},
	{NULL, NULL},
};

static void names_tuned(void **state)
{
	static const struct {
		const char *key, *live, *text;
	} cases[] = {
		{"vm.swappiness", "20",
		 "/etc/sysctl.conf:1 sets 1, and tuned profile mine sets 20 (/etc/tuned/mine/tuned.conf:5), which is "
		 "live"},
		{"vm.swappiness", "1",
		 "/etc/sysctl.conf:1 (1); tuned profile mine sets 20 (/etc/tuned/mine/tuned.conf:5)"},
		{"vm.swappiness", "60",
		 "/etc/sysctl.conf:1 sets 1, and tuned profile mine sets 20 (/etc/tuned/mine/tuned.conf:5), but 60 is "
		 "live: not applied, or changed since"},
		{"net.core.somaxconn", "4096",
		 "tuned profile mine sets >2048 (/usr/lib/tuned/throughput-performance/tuned.conf:12)"},
		{"vm.dirty_ratio", "40",
		 "tuned profile mine sets 40 (/usr/lib/tuned/throughput-performance/tuned.conf:9)"},
		{"kernel.panic", "9", "/etc/sysctl.conf:2 (9)"},
		{"/sys/kernel/mm/transparent_hugepage/enabled", NULL,
		 "tuned profile mine sets never (/usr/lib/tuned/throughput-performance/tuned.conf:8)"},
		{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", NULL,
		 "tuned profile mine sets performance (/usr/lib/tuned/throughput-performance/tuned.conf:4)"},
		{"/sys/block/sda/queue/read_ahead_kb", NULL,
		 "tuned profile mine sets >4096 (/usr/lib/tuned/throughput-performance/tuned.conf:6)"},
	};
	struct tree t = tree_open(with_tuned);

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		char text[512] = "?";
		int rc = *cases[i].key == '/'
				 ? pit_sysfs_origin(t.root, cases[i].key, NULL, text, sizeof(text))
				 : pit_sysctl_origin(t.root, cases[i].key, cases[i].live, text, sizeof(text));

		assert_int_equal(rc, 0);
		assert_string_equal(text, cases[i].text);
	}
	tree_close(&t);
}

/* A profile that is set means nothing when the daemon neither runs nor starts at boot. */
static void ignores_idle_tuned(void **state)
{
	static const struct tree_file idle[] = {
		{"/etc/tuned/active_profile", "p\n"},
		{"/usr/lib/tuned/profiles/p/tuned.conf", "[sysctl]\nvm.swappiness=20\n"},
		{"/lib/systemd/system/tuned.service", "[Service]\n"},
		{NULL, NULL},
	};
	struct tree t = tree_open(idle);
	char text[512];

	assert_int_equal(pit_sysctl_origin(t.root, "vm.swappiness", "20", text, sizeof(text)), -ENOENT);
	tree_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_sysctls),
		cmocka_unit_test(finds_attributes),
		cmocka_unit_test(names_tuned),
		cmocka_unit_test(ignores_idle_tuned),
	};

	return cmocka_run_group_tests_name("sysctl_origin", tests, NULL, NULL);
}
