/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"
#include "tune/persist.h"
#include "tune/plan.h"

#define DISKS "ACTION==\"add|change\", SUBSYSTEM==\"block\", "

static const struct pit_knob swappiness = {
	.id = "vm.swappiness", .target = PIT_TARGET_SYSCTL, .value = PIT_VALUE_INT, .lasts = PIT_LASTS_SYSCTL};
static const struct pit_knob dirty = {
	.id = "vm.dirty", .target = PIT_TARGET_DIRTY, .value = PIT_VALUE_WORDS, .lasts = PIT_LASTS_SYSCTL};
static const struct pit_knob thp = {
	.id = "thp.enabled", .target = PIT_TARGET_KERNEL, .value = PIT_VALUE_CHOICE, .lasts = PIT_LASTS_TMPFILES};
static const struct pit_knob readahead = {
	.id = "block.readahead",
	.target = PIT_TARGET_KERNEL,
	.object = "/sys/block/*/queue/read_ahead_kb",
	.lasts = PIT_LASTS_UDEV,
	.udev = DISKS "ATTR{queue/read_ahead_kb}=\"%s\"",
};
static const struct pit_knob rps = {
	.id = "irq.rps",
	.target = PIT_TARGET_KERNEL,
	.object = "/sys/class/net/*/queues/*/rps_cpus",
	.lasts = PIT_LASTS_UDEV,
	.udev = "SUBSYSTEM==\"queues\", KERNEL==\"rx-*\", ATTR{rps_cpus}=\"%s\"",
};
static const struct pit_knob governor = {.id = "cpu.governor", .target = PIT_TARGET_KERNEL, .lasts = PIT_LASTS_BOOT};
static const struct pit_knob itself = {.id = "swap", .target = PIT_TARGET_SWAP, .lasts = PIT_LASTS_ITSELF};
static const struct pit_knob driver = {.id = "gpu.ecc", .target = PIT_TARGET_GPU, .lasts = PIT_LASTS_DRIVER};

static const struct tree_file with_systemd[] = {{"/run/systemd/system/x", ""}, {0}};
static const struct tree_file without[] = {{"/proc/meminfo", ""}, {0}};

struct wanted {
	const char *object, *value;
};

/* What persisting a setting adds, as "PATH[SECTION] LINE;" and "OBJECT=VALUE;" for further wishes. */
static void expect(const struct tree_file *files, const struct pit_knob *knob, const char *which, const char *value,
		   const struct wanted *wanted, const char *expected)
{
	const struct pit_setting s = {.knob = knob, .which = (char *)which, .value = (char *)value};
	struct pit_wishes w = {.txn = 7, .persist = true};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct tree t = tree_open(files);
	struct pit_scene *scene = NULL;
	size_t count;

	for (; wanted->object; wanted++) {
		const struct pit_cell cell = {knob->target, knob->value, (char *)wanted->object};

		assert_int_equal(pit_wish_add(&w, &cell, wanted->value), 0);
	}
	count = w.wishes;
	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_persist(&s, scene, &w, NULL), 0);
	for (size_t i = 0; i < w.fragments; i++)
		pit_buf_printf(&text, "%s[%s] %s;", w.fragment[i].path, w.fragment[i].section, w.fragment[i].line);
	for (size_t i = count; i < w.wishes; i++)
		pit_buf_printf(&text, "%s %s=%s;", pit_target(w.wish[i].cell.target)->name, w.wish[i].cell.object,
			       w.wish[i].value);
	assert_string_equal(text.data, expected);
	pit_wishes_free(&w);
	pit_scene_free(scene);
	tree_close(&t);
}

static void writes_sysctl_d(void **state)
{
	static const struct wanted keys[] = {{"vm.swappiness", "10"},
					     {"net.ipv4.conf.eth0/100.arp_ignore", "1"},
					     {"net.ipv4.tcp_rmem", "1 2 3"},
					     {0}};
	static const struct wanted ratio[] = {{"vm.dirty", "20%"}, {0}};
	static const struct wanted bytes[] = {{"vm.dirty_background", "1048576"}, {0}};
	const char *lines = "/etc/sysctl.d/99-zz-pitcrew-0007.conf[] vm.swappiness = 10;"
			    "/etc/sysctl.d/99-zz-pitcrew-0007.conf[] net.ipv4.conf.eth0/100.arp_ignore = 1;"
			    "/etc/sysctl.d/99-zz-pitcrew-0007.conf[] net.ipv4.tcp_rmem = 1 2 3;";

	expect(with_systemd, &swappiness, NULL, "10", keys, lines);
	expect(without, &swappiness, NULL, "10", keys, lines);
	expect(without, &dirty, NULL, "20%", ratio, "/etc/sysctl.d/99-zz-pitcrew-0007.conf[] vm.dirty_ratio = 20;");
	expect(without, &dirty, NULL, "1M", bytes,
	       "/etc/sysctl.d/99-zz-pitcrew-0007.conf[] vm.dirty_background_bytes = 1048576;");
}

static void writes_tmpfiles_d(void **state)
{
	static const struct wanted files[] = {
		{"/sys/kernel/mm/transparent_hugepage/enabled", "madvise"}, {"/sys/a b/50%/x[1]", " 5% of\\"}, {0}};

	expect(with_systemd, &thp, NULL, "madvise", files,
	       "/etc/tmpfiles.d/99-zz-pitcrew-0007.conf[] w+!- /sys/kernel/mm/transparent_hugepage/enable[d] - - - - "
	       "madvise;"
	       "/etc/tmpfiles.d/99-zz-pitcrew-0007.conf[] w+!- /sys/a?b/50%%/x[[]1] - - - - \\x205%% of\\x5c;");
	expect(without, &thp, NULL, "madvise", files, "");
}

static void writes_udev_rules(void **state)
{
	static const struct wanted same[] = {
		{"/sys/block/sda/queue/read_ahead_kb", "4096"}, {"/sys/block/sdb/queue/read_ahead_kb", "4096"}, {0}};
	static const struct wanted differ[] = {{"/sys/block/sda/queue/read_ahead_kb", "8192"},
					       {"/sys/block/sdb/queue/read_ahead_kb", "4096"},
					       {"/sys/block/sdc/queue/read_ahead_kb", "4096"},
					       {0}};
	static const struct wanted masks[] = {{"/sys/class/net/eth0/queues/rx-0/rps_cpus", "ff"},
					      {"/sys/class/net/eth1/queues/rx-0/rps_cpus", "ff00,00000000"},
					      {"/sys/class/net/eth1/queues/rx-1/rps_cpus", "ff00,00000000"},
					      {0}};
	static const struct tree_file udev_only[] = {{"/run/udev/control", ""}, {0}};
#define RULES "/etc/udev/rules.d/99-zz-pitcrew-0007.rules[] "

	/* One rule also for disks that come later. */
	expect(with_systemd, &readahead, NULL, ">=4096", same, RULES DISKS "ATTR{queue/read_ahead_kb}=\"4096\";");
	expect(udev_only, &readahead, NULL, ">=4096", same, RULES DISKS "ATTR{queue/read_ahead_kb}=\"4096\";");
	expect(without, &readahead, NULL, ">=4096", same, "");
	expect(with_systemd, &readahead, "sd*", ">=4096", same,
	       RULES "KERNEL==\"sd*\", " DISKS "ATTR{queue/read_ahead_kb}=\"4096\";");
	expect(with_systemd, &readahead, NULL, ">=4096", differ,
	       RULES DISKS "ATTR{queue/read_ahead_kb}=\"4096\";" RULES "KERNEL==\"sda\", " DISKS
			   "ATTR{queue/read_ahead_kb}=\"8192\";");
	/* A row that has a kernel name of its own; the same rule twice is left to the file, which has it once. */
	expect(with_systemd, &rps, NULL, "x", masks,
	       RULES "SUBSYSTEM==\"queues\", KERNEL==\"rx-*\", ATTR{rps_cpus}=\"ff00,00000000\";" RULES
		     "DEVPATH==\"*/eth0/*\", SUBSYSTEM==\"queues\", KERNEL==\"rx-*\", ATTR{rps_cpus}=\"ff\";");
}

#define UNIT "/etc/systemd/system/pitcrew-tune-0007.service"

static void writes_a_unit(void **state)
{
	static const struct wanted cpus[] = {{"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance"},
					     {"/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance"},
					     {0}};

	expect(with_systemd, &governor, "cpu0*", "performance", cpus,
	       "/etc/pitcrew/boot/99-zz-pitcrew-0007.ini[cpu.governor cpu0*] value = performance;" UNIT
	       "[] [Unit]\nDescription=Settings of pitcrew tune, transaction 7\nDocumentation=man:pitcrew-tune(1)\n"
	       "ConditionPathExists=/etc/pitcrew/boot/99-zz-pitcrew-0007.ini\n"
	       "After=systemd-modules-load.service systemd-sysctl.service systemd-tmpfiles-setup.service\n"
	       "After=systemd-udev-trigger.service local-fs.target network.target nvidia-persistenced.service\n\n"
	       "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
	       "ExecStart=/usr/bin/pitcrew tune boot /etc/pitcrew/boot/99-zz-pitcrew-0007.ini\n\n"
	       "[Install]\nWantedBy=multi-user.target;"
	       "link /etc/systemd/system/multi-user.target.wants/pitcrew-tune-0007.service=" UNIT ";");
	expect(without, &governor, NULL, "performance", cpus, "");
}

static void adds_nothing_to_what_stays(void **state)
{
	static const struct wanted swap[] = {{"/dev/sda2", NULL}, {0}};
	static const struct wanted ecc[] = {{"ecc GPU-a", "on"}, {0}};

	expect(with_systemd, &itself, NULL, "off", swap, "");
	expect(with_systemd, &driver, NULL, "on", ecc, "");
}

static void escapes(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_escape_udev("5% of $x \"y\"\n", &out);
	pit_buf_putc(&out, '|');
	pit_escape_exec("/opt/pit crew/50%;", &out);
	assert_string_equal(out.data, "5%% of $$x \\\"y\\\"|/opt/pit\\x20crew/50%%\\x3b");
}

/* The program that a unit starts is this one. */
static void knows_its_own_path(void **state)
{
	struct pit_root *live = NULL;
	char own[4096] = "", told[4096];

	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	assert_int_equal(pit_root_open(NULL, &live, NULL), 0);
	assert_string_equal(pit_persist_program(live, told, sizeof(told)), own);
	pit_root_close(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_sysctl_d),
		cmocka_unit_test(writes_tmpfiles_d),
		cmocka_unit_test(writes_udev_rules),
		cmocka_unit_test(writes_a_unit),
		cmocka_unit_test(adds_nothing_to_what_stays),
		cmocka_unit_test(escapes),
		cmocka_unit_test(knows_its_own_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
