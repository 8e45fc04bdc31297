/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"
#include "tune/conflict.h"
#include "tune/profile.h"

#define BASE                                                                                                           \
	{"/run/systemd/system/x", ""}, {"/usr/lib/systemd/systemd-sysctl", ""}, {"/proc/sys/vm/swappiness", "60\n"},   \
		{"/proc/sys/vm/dirty_ratio", "20\n"}, {"/proc/sys/vm/dirty_bytes", "0\n"},                             \
		{"/proc/sys/vm/overcommit_memory", "1\n"},                                                             \
		{"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"},                           \
		{"/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"},                           \
		{"/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors", "performance powersave\n"},    \
		{"/sys/devices/system/cpu/cpufreq/policy1/scaling_governor", "powersave\n"},                           \
		{"/sys/devices/system/cpu/cpufreq/policy1/scaling_available_governors", "performance powersave\n"},    \
		{"/sys/block/sda/queue/read_ahead_kb", "128\n"}, {"/etc/security/limits.conf", "# nothing\n"},         \
	{                                                                                                              \
		"/proc/meminfo", "MemTotal: 1048576 kB\n"                                                              \
	}
#define UNIT(name)                                                                                                     \
	{                                                                                                              \
		"/usr/lib/systemd/system/" name, "[Service]\n[Install]\nWantedBy=multi-user.target\n"                  \
	}
#define ENABLED(name)                                                                                                  \
	UNIT(name),                                                                                                    \
	{                                                                                                              \
		"/etc/systemd/system/multi-user.target.wants/" name, "-> /usr/lib/systemd/system/" name                \
	}
#define RUNNING(name)                                                                                                  \
	{                                                                                                              \
		"/run/systemd/units/invocation:" name, "-> 1"                                                          \
	}

#define SWAPPINESS "[vm.swappiness]\nvalue = 10\n"
#define THP "[thp.enabled]\nvalue = always\n"
#define GOVERNOR "[cpu.governor]\nvalue = performance\n"
#define MEMLOCK "[limits.memlock]\nvalue = unlimited\n"

/* The conflicts of a plan, each with a newline. */
static char *conflicts(const struct tree *t, const char *text, bool persist)
{
	const struct pit_plan_options options = {.persist = persist, .txn = 7};
	struct pit_profile profile = {0};
	pit_auto_free char *include = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_buf out = PIT_BUF_INIT;
	struct pit_scene *scene = NULL;
	struct pit_plan plan = {0};

	assert_int_equal(pit_scene_new(t->root, &scene, NULL), 0);
	if (pit_profile_parse(text, "test", &profile, &include, &err) ||
	    pit_plan_make(scene, &profile, &options, &plan, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < plan.conflicts.count; i++)
		pit_buf_printf(&out, "%s\n", plan.conflicts.item[i]);
	pit_plan_free(&plan);
	pit_profile_free(&profile);
	pit_scene_free(scene);
	return pit_buf_take(&out);
}

static void expect(const struct tree_file *files, const char *profile, bool persist, const char *expected)
{
	struct tree t = tree_open(files);
	pit_auto_free char *text = conflicts(&t, profile, persist);

	assert_string_equal(text, expected);
	tree_close(&t);
}

static void says_nothing_where_nothing_is(void **state)
{
	static const struct tree_file plain[] = {BASE, {0}};

	expect(plain, SWAPPINESS THP GOVERNOR MEMLOCK, true, "");
	expect(plain, SWAPPINESS THP GOVERNOR MEMLOCK, false, "");
}

/* An image's cloud-optimization.conf sorts behind any number and won over a value that somebody had set. */
static void finds_files_that_sort_later(void **state)
{
	static const struct tree_file files[] = {
		BASE,
		{"/etc/sysctl.d/10-early.conf", "vm.swappiness = 40\n"},
		{"/usr/lib/sysctl.d/cloud-optimization.conf", "# image\n\nvm.swappiness=1\nvm.dirty_bytes = 4096\n"},
		{"/usr/lib/sysctl.d/zz-pattern.conf", "vm.swap* = 2\n"},
		{0},
	};
	static const struct tree_file same[] = {
		BASE, {"/etc/sysctl.d/zz.conf", "vm.swappiness = 10\nvm.dirty_bytes = 0\n"}, {0}};

	expect(files, SWAPPINESS "[vm.dirty]\nvalue = 10%\n", true,
	       "/usr/lib/sysctl.d/cloud-optimization.conf:3 sets vm.swappiness to 1 and is read after "
	       "99-zz-pitcrew-0007.conf at boot, so 1 will be there after the next boot: take the line out, or call the "
	       "file something that sorts before \"99\"\n"
	       "/usr/lib/sysctl.d/cloud-optimization.conf:4 sets vm.dirty_bytes at boot after 99-zz-pitcrew-0007.conf, "
	       "which clears vm.dirty_ratio = 10: take the line out\n");
	expect(files, SWAPPINESS, false, "");
	expect(same, SWAPPINESS "[vm.dirty]\nvalue = 10%\n", true, "");
}

static void knows_who_reads_sysctl_conf(void **state)
{
	static const struct tree_file conf[] = {BASE, {"/etc/sysctl.conf", "\nvm.swappiness = 30\n"}, {0}};
	static const struct tree_file same[] = {BASE, {"/etc/sysctl.conf", "\nvm.swappiness = 10\n"}, {0}};
	static const struct tree_file procps[] = {
		{"/proc/sys/vm/swappiness", "60\n"}, {"/etc/sysctl.conf", "vm.swappiness = 30\n"}, {0}};

	expect(conf, SWAPPINESS, true,
	       "/etc/sysctl.conf:2 sets vm.swappiness to 30: 'sysctl --system', which admins and packages run, reads "
	       "that file last and would undo 10; take the line out\n");
	expect(same, SWAPPINESS, true, "");
	/* Without systemd it is read at boot, and last. */
	expect(procps, SWAPPINESS, true,
	       "/etc/sysctl.conf:1 sets vm.swappiness to 30 and is read after 99-zz-pitcrew-0007.conf at boot, so 30 "
	       "will be there after the next boot: take the line out\n");
}

#define TUNED                                                                                                          \
	BASE, ENABLED("tuned.service"), {"/etc/tuned/active_profile", "mine\n"},                                       \
	{                                                                                                              \
		"/etc/tuned/mine/tuned.conf", "[sysctl]\nvm.swappiness = 30\n[vm]\ntransparent_hugepages=never\n"      \
					      "[cpu]\ngovernor=schedutil\n"                                            \
	}

static void names_tuned(void **state)
{
	static const struct tree_file on[] = {TUNED, {0}};
	static const struct tree_file along[] = {TUNED, {"/proc/sys/vm/min_free_kbytes", "4096\n"}, {0}};
	static const struct tree_file idle[] = {
		BASE,
		UNIT("tuned.service"),
		{"/etc/tuned/active_profile", "mine\n"},
		{"/etc/tuned/mine/tuned.conf", "[sysctl]\nvm.swappiness = 30\n"},
		{0},
	};

	expect(on, SWAPPINESS, false,
	       "tuned's profile mine sets vm.swappiness to 30 (/etc/tuned/mine/tuned.conf:2) whenever tuned starts or "
	       "changes its profile, so 10 of this plan will not stay: make a profile of your own that includes mine and "
	       "sets this one, or stop tuned\n");
	/* Of many CPUs one sentence. */
	expect(on, GOVERNOR THP, false,
	       "tuned's profile mine sets cpu.governor to schedutil (/etc/tuned/mine/tuned.conf:6) whenever tuned starts "
	       "or changes its profile, so performance of this plan will not stay: make a profile of your own that "
	       "includes mine and sets this one, or stop tuned\n"
	       "tuned's profile mine sets thp.enabled to never (/etc/tuned/mine/tuned.conf:4) whenever tuned starts or "
	       "changes its profile, so always of this plan will not stay: make a profile of your own that includes mine "
	       "and sets this one, or stop tuned\n");
	/* Also where the kernel changes another value along. */
	expect(along, THP, false,
	       "tuned's profile mine sets thp.enabled to never (/etc/tuned/mine/tuned.conf:4) whenever tuned starts or "
	       "changes its profile, so always of this plan will not stay: make a profile of your own that includes mine "
	       "and sets this one, or stop tuned\n");
	expect(on, "[vm.swappiness]\nvalue = 30\n", false, "");
	expect(idle, SWAPPINESS, false, "");
}

static void leaves_tuned_alone_when_it_is_stopped(void **state)
{
	static const struct tree_file on[] = {TUNED, RUNNING("tuned.service"), {0}};

	expect(on, SWAPPINESS "[service.tuned]\nvalue = stopped\n", true, "");
}

/* tuned writes sysctl.d after its profile: who sets a key where decides what stays. */
static void d04_reapply_sysctl_decides(void **state)
{
	static const struct tree_file on[] = {TUNED, {0}};
	static const struct tree_file off[] = {
		TUNED, {"/etc/tuned/tuned-main.conf", "x = 1\nreapply_sysctl = 0\n"}, {0}};
	static const struct tree_file other_key[] = {
		TUNED,
		{"/etc/tuned/tuned-main.conf", "reapply_sysctl = 1\n"},
		{"/proc/sys/vm/max_map_count", "65530\n"},
		{"/etc/sysctl.d/10-site.conf", "vm.max_map_count = 65530\n"},
		{0},
	};

	expect(on, SWAPPINESS, true,
	       "tuned's profile mine sets vm.swappiness to 30 (/etc/tuned/mine/tuned.conf:2), but with reapply_sysctl on "
	       "(tuned's default) tuned writes /etc/sysctl.d after its profile, so 10 of this plan stays and tuned-adm "
	       "verify will complain: take the line out of the profile\n");
	expect(off, SWAPPINESS, true,
	       "tuned's profile mine sets vm.swappiness to 30 (/etc/tuned/mine/tuned.conf:2) whenever tuned starts or "
	       "changes its profile, so 10 of this plan will not stay (reapply_sysctl is off in "
	       "/etc/tuned/tuned-main.conf:2): make a profile of your own that includes mine and sets this one, or stop "
	       "tuned\n");
	/* A run-time value that a file of sysctl.d contradicts is undone when tuned starts anew. */
	expect(other_key, "[vm.max_map_count]\nvalue = 262144\n", false,
	       "tuned runs with reapply_sysctl on (/etc/tuned/tuned-main.conf:1), so when it starts anew it sets "
	       "vm.max_map_count back to 65530 as /etc/sysctl.d/10-site.conf:1 says: apply with --persist\n");
	expect(other_key, "[vm.max_map_count]\nvalue = 262144\n", true, "");
}

static void names_daemons(void **state)
{
	static const struct tree_file laptop[] = {BASE,
						  ENABLED("power-profiles-daemon.service"),
						  RUNNING("power-profiles-daemon.service"),
						  ENABLED("tlp.service"),
						  UNIT("auto-cpufreq.service"),
						  {0}};

	expect(laptop, GOVERNOR, false,
	       "power-profiles-daemon.service runs and sets it with each power profile that a user chooses, so cpu.governor "
	       "of this plan may not stay: systemctl disable --now power-profiles-daemon.service, or leave cpu.governor "
	       "out\n");
	expect(laptop, SWAPPINESS, true, "");
}

static void meets_limits_that_go_before(void **state)
{
	static const struct tree_file files[] = {
		BASE,
		{"/etc/security/limits.d/zz-late.conf", "* hard memlock 64\n* soft nofile 10\n"},
		{"/etc/security/limits.d/10-site.conf", "@students - memlock 1024\nalice hard memlock unlimited\n"},
		{"/usr/lib/systemd/system/slurmd.service", "[Service]\n"},
		{"/etc/systemd/system/slurmd.service.d/zz.conf", "[Service]\nLimitMEMLOCK=64G\n"},
		{"/usr/lib/systemd/system/docker.service", "[Service]\n"},
		{"/etc/systemd/system/docker.service.d/10.conf", "[Service]\nLimitMEMLOCK=64G\n"},
		{0},
	};

	expect(files, MEMLOCK, true,
	       "/etc/security/limits.d/10-site.conf:1 sets memlock of @students to 1024, which goes before any line for "
	       "all: raise it there, too\n"
	       "/etc/security/limits.d/zz-late.conf:1 sets memlock of * to 64 and is read after 99-zz-pitcrew-0007.conf: "
	       "logins get that; take the line out\n"
	       "/etc/systemd/system/slurmd.service.d/zz.conf:2 sets LimitMEMLOCK=64G and is read after "
	       "99-zz-pitcrew-0007.conf: slurmd.service keeps that; take the line out\n");
}

static void finds_udev_rules_and_sysfsutils(void **state)
{
	static const struct tree_file udev[] = {
		BASE,
		{"/etc/udev/rules.d/99-zzz.rules",
		 "SUBSYSTEM==\"block\", KERNEL==\"sd*\", ATTR{queue/read_ahead_kb}=\"64\"\n"},
		{0},
	};
	static const struct tree_file early[] = {
		BASE,
		{"/etc/udev/rules.d/60-ra.rules",
		 "SUBSYSTEM==\"block\", KERNEL==\"sd*\", ATTR{queue/read_ahead_kb}=\"64\"\n"},
		{"/etc/sysfs.d/thp.conf", "kernel/mm/transparent_hugepage/enabled = never\n"},
		{0},
	};

	expect(udev, "[block.readahead]\nvalue = 4096\n", true,
	       "/etc/udev/rules.d/99-zzz.rules:1 sets block.readahead to 64 and is read after the files of this plan: take "
	       "the line out\n");
	expect(early, "[block.readahead]\nvalue = 4096\n" THP, true,
	       "/etc/sysfs.d/thp.conf:1 sets thp.enabled to never when sysfsutils start, after what this plan writes for "
	       "the boot: take the line out\n");
}

static void reads_cloud_init(void **state)
{
	static const struct tree_file cloud[] = {
		BASE,
		{"/etc/cloud/cloud.cfg", "# vm.swappiness\nbootcmd:\n - sysctl -w vm.swappiness=1\n"},
		{"/etc/cloud/cloud.cfg.d/90.cfg",
		 "runcmd:\n - echo 1 > /proc/sys/vm/swappiness\n - sysctl vm.swappiness_more=2\n"
		 " - echo never > /sys/kernel/mm/transparent_hugepage/enabled\n"},
		{0},
	};
	static const struct tree_file disabled[] = {
		BASE,
		{"/etc/cloud/cloud-init.disabled", ""},
		{"/etc/cloud/cloud.cfg", "bootcmd:\n - sysctl -w vm.swappiness=1\n"},
		{0},
	};
#define MAY                                                                                                            \
	"): it may set it again, bootcmd at each boot, the rest on machines made from this image; take the line out\n"

	expect(cloud, SWAPPINESS THP, true,
	       "cloud-init is told about vm.swappiness in /etc/cloud/cloud.cfg:3 (- sysctl -w vm.swappiness=1" MAY
	       "cloud-init is told about vm.swappiness in /etc/cloud/cloud.cfg.d/90.cfg:2 "
	       "(- echo 1 > /proc/sys/vm/swappiness" MAY
	       "cloud-init is told about thp.enabled in /etc/cloud/cloud.cfg.d/90.cfg:4 "
	       "(- echo never > /sys/kernel/mm/transparent_hugepage/enabled" MAY);
	expect(cloud, SWAPPINESS THP, false, "");
	expect(disabled, SWAPPINESS, true, "");
}

static void knows_what_kubelet_wants(void **state)
{
	static const struct tree_file plain[] = {BASE, ENABLED("kubelet.service"), {0}};
	static const struct tree_file protects[] = {
		BASE,
		ENABLED("kubelet.service"),
		{"/var/lib/kubelet/config.yaml", "kind: X\nprotectKernelDefaults: true\n"},
		{0}};
	const char *never = "[vm.overcommit_memory]\nvalue = 0\n";

	expect(plain, never, false,
	       "kubelet sets vm.overcommit_memory to 1 when it starts, so 0 will not stay: leave it out\n");
	expect(protects, never, false,
	       "kubelet runs with protectKernelDefaults (/var/lib/kubelet/config.yaml) and will not start when "
	       "vm.overcommit_memory is not 1: leave it out\n");
	expect(plain, SWAPPINESS, false, "");
}

static void reads_the_command_line(void **state)
{
	static const struct tree_file never[] = {BASE, {"/proc/cmdline", "ro transparent_hugepage=never\n"}, {0}};
	static const struct tree_file always[] = {BASE, {"/proc/cmdline", "ro transparent_hugepage=always\n"}, {0}};

	expect(never, THP, true,
	       "the kernel's command line says transparent_hugepage=never (/proc/cmdline), so thp.enabled is that until "
	       "the files of this plan are read at boot: take the argument out\n");
	expect(never, THP, false, "");
	expect(always, THP, true, "");
}

static void says_what_will_not_last(void **state)
{
	static const struct tree_file bare[] = {
		{"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n"},
		{"/sys/block/sda/queue/read_ahead_kb", "128\n"},
		{"/proc/sys/vm/swappiness", "60\n"},
		{0},
	};

	expect(bare, SWAPPINESS THP "[block.readahead]\nvalue = 4096\n", true,
	       "thp.enabled will not last: systemd is not in use here, so nothing sets it at the next boot; let this "
	       "machine's own boot script run pitcrew tune apply\n"
	       "block.readahead will not last: udev is not in use here, so nothing sets it at the next boot; let this "
	       "machine's own boot script run pitcrew tune apply\n");
	expect(bare, THP, false, "");
}

static const struct {
	const char *line, *key, *value; /* key NULL: it is no such line */
} lines[] = {
	{"a = b c ", "a", "b c "}, {"  a.b=1", "a.b", "1"}, {"-a = 1", "a", "1"},  {"a=", "a", ""},
	{"# a = 1", NULL, NULL},   {"; a = 1", NULL, NULL}, {"[a=1]", NULL, NULL}, {"=1", NULL, NULL},
	{"a", NULL, NULL},         {"", NULL, NULL},        {" = 1", NULL, NULL},
};

static void splits_lines(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		char line[64], *key = NULL, *value = NULL;

		snprintf(line, sizeof(line), "%s", lines[i].line);
		assert_int_equal(pit_conflict_split(line, &key, &value), lines[i].key != NULL);
		if (lines[i].key) {
			assert_string_equal(key, lines[i].key);
			assert_string_equal(value, lines[i].value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_where_nothing_is),
		cmocka_unit_test(finds_files_that_sort_later),
		cmocka_unit_test(knows_who_reads_sysctl_conf),
		cmocka_unit_test(names_tuned),
		cmocka_unit_test(leaves_tuned_alone_when_it_is_stopped),
		cmocka_unit_test(d04_reapply_sysctl_decides),
		cmocka_unit_test(names_daemons),
		cmocka_unit_test(meets_limits_that_go_before),
		cmocka_unit_test(finds_udev_rules_and_sysfsutils),
		cmocka_unit_test(reads_cloud_init),
		cmocka_unit_test(knows_what_kubelet_wants),
		cmocka_unit_test(reads_the_command_line),
		cmocka_unit_test(says_what_will_not_last),
		cmocka_unit_test(splits_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
