/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"
#include "tune/knob.h"

static const struct pit_knob swappiness = {
	.id = "vm.swappiness",
	.target = PIT_TARGET_SYSCTL,
	.value = PIT_VALUE_INT,
	.least = 0,
	.most = 200,
};
static const struct pit_knob rmem = {
	.id = "net.ipv4.tcp_rmem",
	.target = PIT_TARGET_SYSCTL,
	.value = PIT_VALUE_WORDS,
	.least = 1,
	.most = INT32_MAX,
	.in_container = PIT_OWN_NETWORK,
};
static const struct pit_knob congestion = {
	.id = "net.ipv4.tcp_congestion_control",
	.target = PIT_TARGET_SYSCTL,
	.value = PIT_VALUE_CHOICE,
	.in_container = PIT_OWN_NETWORK,
};
static const struct pit_knob arp = {
	.id = "net.ipv4.arp_ignore",
	.target = PIT_TARGET_SYSCTL,
	.value = PIT_VALUE_INT,
	.object = "net.ipv4.conf.*.arp_ignore",
};
static const struct pit_knob thp = {
	.id = "thp.enabled",
	.target = PIT_TARGET_KERNEL,
	.value = PIT_VALUE_CHOICE,
	.object = "/sys/kernel/mm/transparent_hugepage/enabled",
	.values = "always madvise never inherit",
};
static const struct pit_knob readahead = {
	.id = "block.readahead",
	.target = PIT_TARGET_KERNEL,
	.value = PIT_VALUE_INT,
	.object = "/sys/block/*/queue/read_ahead_kb",
	.most = 1048576,
};
static const struct pit_knob scheduler = {
	.id = "block.scheduler",
	.target = PIT_TARGET_KERNEL,
	.value = PIT_VALUE_CHOICE,
	.object = "/sys/block/*/queue/scheduler",
};
static const struct pit_knob governor = {
	.id = "cpu.governor",
	.target = PIT_TARGET_KERNEL,
	.value = PIT_VALUE_CHOICE,
	.object = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
};
static const struct pit_knob dirty = {
	.id = "vm.dirty",
	.target = PIT_TARGET_DIRTY,
	.value = PIT_VALUE_WORDS,
};

#define CPUFREQ "/sys/devices/system/cpu/cpu"

static const struct tree_file machine[] = {
	{.path = "/proc/meminfo", .text = "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n"},
	{.path = "/proc/version", .text = "Linux version 6.1.0-9-amd64 (x) #1 SMP\n"},
	{.path = "/proc/sys/kernel/osrelease", .text = "6.1.0-9-amd64\n"},
	{.path = "/proc/sys/vm/swappiness", .text = "60\n"},
	{.path = "/proc/sys/vm/dirty_ratio", .text = "20\n"},
	{.path = "/proc/sys/vm/dirty_bytes", .text = "0\n"},
	{.path = "/proc/sys/net/ipv4/tcp_rmem", .text = "4096\t131072\t6291456\n"},
	{.path = "/proc/sys/net/ipv4/tcp_congestion_control", .text = "cubic\n"},
	{.path = "/proc/sys/net/ipv4/tcp_available_congestion_control", .text = "reno cubic bbr\n"},
	{.path = "/proc/sys/net/ipv4/conf/all/arp_ignore", .text = "0\n"},
	{.path = "/proc/sys/net/ipv4/conf/eth0.100/arp_ignore", .text = "0\n"},
	{.path = "/lib/modules/6.1.0-9-amd64/modules.dep",
	 .text = "kernel/net/ipv4/tcp_htcp.ko:\nkernel/block/bfq.ko.xz:\nkernel/block/kyber-iosched.ko:\n"},
	{.path = "/lib/modules/6.1.0-9-amd64/modules.builtin", .text = "kernel/net/ipv4/tcp_vegas.ko\n"},
	{.path = "/sys/kernel/mm/transparent_hugepage/enabled", .text = "always [madvise] never\n"},
	{.path = "/sys/block/nvme0n1/queue/read_ahead_kb", .text = "128\n"},
	{.path = "/sys/block/nvme0n1/queue/scheduler", .text = "[none] mq-deadline\n"},
	{.path = "/sys/block/nvme10n1/queue/read_ahead_kb", .text = "8192\n"},
	{.path = "/sys/block/nvme10n1/queue/scheduler", .text = "[none] mq-deadline\n"},
	{.path = "/sys/block/sda/queue/read_ahead_kb", .text = "128\n"},
	{.path = "/sys/block/sda/queue/scheduler", .text = "[none]\n"},
	{.path = "/sys/block/md0/size", .text = "1\n"},
	{.path = CPUFREQ "0/cpufreq/scaling_governor", .text = "powersave\n"},
	{.path = CPUFREQ "0/cpufreq/scaling_available_governors", .text = "performance powersave \n"},
	{.path = CPUFREQ "1/cpufreq/scaling_governor", .text = "powersave\n"},
	{.path = CPUFREQ "1/cpufreq/scaling_available_governors", .text = "performance powersave \n"},
	{.path = CPUFREQ "freq/boost", .text = "1\n"},
	{.path = NULL},
};

struct stage {
	struct tree tree;
	struct pit_scene *scene;
	struct pit_wishes wishes;
	struct pit_error err;
};

static int set_up(void **state)
{
	static struct stage s;

	s = (struct stage){.tree = tree_open(machine)};
	assert_int_equal(pit_scene_new(s.tree.root, &s.scene, NULL), 0);
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	pit_wishes_free(&s->wishes);
	pit_scene_free(s->scene);
	tree_close(&s->tree);
	return 0;
}

static int ask_which(struct stage *s, const struct pit_knob *knob, const char *which, const char *value)
{
	struct pit_setting setting = {.knob = knob, .which = (char *)which, .value = (char *)value};

	pit_wishes_free(&s->wishes);
	s->err = (struct pit_error)PIT_ERROR_INIT;
	return pit_knob_wishes(&setting, s->scene, &s->wishes, &s->err);
}

static int ask(struct stage *s, const struct pit_knob *knob, const char *value)
{
	return ask_which(s, knob, NULL, value);
}

static void assert_wish(const struct stage *s, size_t i, const char *object, const char *value)
{
	assert_true(i < s->wishes.wishes);
	assert_string_equal(s->wishes.wish[i].cell.object, object);
	assert_null(s->wishes.wish[i].refuse);
	assert_string_equal(s->wishes.wish[i].value, value);
}

/* The `i`th wish is refused, and the reason holds both parts. */
static void assert_refused(const struct stage *s, size_t i, const char *part, const char *other)
{
	assert_true(i < s->wishes.wishes);
	assert_null(s->wishes.wish[i].value);
	assert_non_null(s->wishes.wish[i].refuse);
	assert_non_null(strstr(s->wishes.wish[i].refuse, part));
	assert_non_null(strstr(s->wishes.wish[i].refuse, other));
}

static void a_key_becomes_one_wish(void **state)
{
	struct stage *s = *state;

	assert_int_equal(ask(s, &swappiness, "10"), 0);
	assert_int_equal(s->wishes.wishes, 1);
	assert_wish(s, 0, "vm.swappiness", "10");
	assert_null(s->wishes.absent);
	assert_int_equal(ask(s, &swappiness, "<=100"), 0);
	assert_wish(s, 0, "vm.swappiness", "60");
	assert_int_equal(ask(s, &rmem, ">=4096 87380 256M"), 0);
	assert_wish(s, 0, "net.ipv4.tcp_rmem", "4096 131072 268435456");
}

static void numbers_stay_within_the_rows_limits(void **state)
{
	struct stage *s = *state;
	char value[] = "300", where[] = "mine.ini:7";
	struct pit_setting named = {.knob = &swappiness, .value = value, .where = where};

	assert_int_equal(ask(s, &swappiness, "201"), -EINVAL);
	assert_string_equal(s->err.text, "vm.swappiness: 201 is not from 0 to 200");
	assert_int_equal(ask(s, &swappiness, "-1"), -EINVAL);
	assert_int_equal(ask(s, &swappiness, ">=300"), -EINVAL);
	assert_int_equal(ask(s, &swappiness, "lots"), -EINVAL);
	assert_int_equal(ask(s, &swappiness, "18446744073709551615"), -EINVAL);
	assert_int_equal(ask(s, &rmem, "0 1 2"), -EINVAL);
	assert_int_equal(ask(s, &rmem, "1 2 many"), -EINVAL);
	assert_int_equal(s->wishes.wishes, 0);
	assert_int_equal(pit_knob_wishes(&named, s->scene, &s->wishes, &s->err), -EINVAL);
	assert_non_null(strstr(s->err.text, "mine.ini:7: vm.swappiness: 300"));
}

static void a_missing_key_is_absent_and_no_error(void **state)
{
	struct stage *s = *state;
	const struct pit_knob none = {.id = "kernel.none", .target = PIT_TARGET_SYSCTL, .value = PIT_VALUE_INT};

	assert_int_equal(ask(s, &none, "1"), 0);
	assert_int_equal(s->wishes.wishes, 0);
	assert_string_equal(s->wishes.absent, "this kernel has no kernel.none");
}

static void a_star_stands_for_every_name(void **state)
{
	struct stage *s = *state;

	assert_int_equal(ask(s, &readahead, ">=4096"), 0);
	assert_int_equal(s->wishes.wishes, 3);
	assert_wish(s, 0, "/sys/block/nvme0n1/queue/read_ahead_kb", "4096");
	assert_wish(s, 1, "/sys/block/nvme10n1/queue/read_ahead_kb", "8192");
	assert_wish(s, 2, "/sys/block/sda/queue/read_ahead_kb", "4096");
	assert_int_equal(ask(s, &governor, "performance"), 0);
	assert_int_equal(s->wishes.wishes, 2);
	assert_wish(s, 1, CPUFREQ "1/cpufreq/scaling_governor", "performance");
	assert_int_equal(ask(s, &arp, "1"), 0);
	assert_int_equal(s->wishes.wishes, 2);
	assert_wish(s, 0, "net.ipv4.conf.all.arp_ignore", "1");
	assert_wish(s, 1, "net.ipv4.conf.eth0/100.arp_ignore", "1");
}

static void which_chooses_among_the_names(void **state)
{
	struct stage *s = *state;

	assert_int_equal(ask_which(s, &readahead, "nvme*", "4096"), 0);
	assert_int_equal(s->wishes.wishes, 2);
	assert_int_equal(ask_which(s, &readahead, "sda", "4096"), 0);
	assert_int_equal(s->wishes.wishes, 1);
	assert_int_equal(ask_which(s, &governor, "1", "performance"), 0);
	assert_int_equal(s->wishes.wishes, 1);
	assert_int_equal(ask_which(s, &governor, "cpu[01]", "performance"), 0);
	assert_int_equal(s->wishes.wishes, 2);
	assert_int_equal(ask_which(s, &arp, "eth0.100", "1"), 0);
	assert_int_equal(s->wishes.wishes, 1);
	assert_int_equal(ask_which(s, &readahead, "vd*", "4096"), 0);
	assert_int_equal(s->wishes.wishes, 0);
	assert_non_null(strstr(s->wishes.absent, "nothing named vd* in /sys/block"));
	assert_int_equal(ask_which(s, &swappiness, "all", "1"), -EINVAL);
}

static void choices_are_those_of_row_and_machine(void **state)
{
	struct stage *s = *state;

	assert_int_equal(ask(s, &thp, "always"), 0);
	assert_wish(s, 0, "/sys/kernel/mm/transparent_hugepage/enabled", "always");
	assert_int_equal(ask(s, &thp, "alwasy"), -EINVAL);
	assert_non_null(strstr(s->err.text, "did you mean always?"));
	assert_int_equal(ask(s, &thp, "inherit"), 0); /* the row has it, this kernel does not */
	assert_refused(s, 0, "'inherit' is not offered here", "always madvise never");
	assert_int_equal(ask(s, &governor, "ondemand"), 0);
	assert_refused(s, 0, "'ondemand'", "scaling_available_governors lists performance powersave");
	assert_int_equal(ask(s, &scheduler, "mq-deadline"), 0);
	assert_wish(s, 0, "/sys/block/nvme0n1/queue/scheduler", "mq-deadline");
	assert_refused(s, 2, "/sys/block/sda/queue/scheduler", "none");
}

static void choices_of_modules_count(void **state)
{
	static const char *const loadable[] = {"htcp", "vegas"}, *const schedulers[] = {"bfq", "kyber"};
	struct stage *s = *state;

	for (size_t i = 0; i < PIT_COUNT(loadable); i++) {
		assert_int_equal(ask(s, &congestion, loadable[i]), 0);
		assert_wish(s, 0, congestion.id, loadable[i]);
		assert_int_equal(ask_which(s, &scheduler, "sda", schedulers[i]), 0);
		assert_wish(s, 0, "/sys/block/sda/queue/scheduler", schedulers[i]);
	}
	assert_int_equal(ask(s, &congestion, "../ipv4/tcp_htcp"), 0);
	assert_refused(s, 0, "not offered", "reno cubic bbr");
}

/* Another's role has carried "brr" for years, which no kernel takes. */
static void d11_typo_is_refused_by_name(void **state)
{
	struct stage *s = *state;

	assert_int_equal(ask(s, &congestion, "bbr"), 0);
	assert_wish(s, 0, congestion.id, "bbr");
	assert_int_equal(ask(s, &congestion, "brr"), 0);
	assert_int_equal(s->wishes.wishes, 1);
	assert_refused(s, 0, "'brr' is not offered here", "did you mean bbr?");
	assert_refused(s, 0, "tcp_available_congestion_control", "reno cubic bbr");
}

static void dirty_limits_are_shares_or_bytes(void **state)
{
	static const struct {
		const char *value, *want;
	} values[] = {
		{"20%", "20%"},
		{"0%", "0%"},
		{"512M", "536870912"},
		{"5% memory", "53687091"},
		{"536870912", "536870912"},
		{"101%", NULL},
		{"lots", NULL},
		{"4096", NULL},
		{"20% 10%", NULL},
		{"%", NULL},
	};
	struct stage *s = *state;

	for (size_t i = 0; i < PIT_COUNT(values); i++) {
		assert_int_equal(ask(s, &dirty, values[i].value), values[i].want ? 0 : -EINVAL);
		if (values[i].want)
			assert_wish(s, 0, "vm.dirty", values[i].want);
	}
}

static void a_container_leaves_the_host_alone(void **state)
{
	static const struct tree_file more[] = {
		{.path = "/run/systemd/container", .text = "docker\n"},
		{.path = "/proc/sys/vm/swappiness", .text = "60\n"},
		{.path = "/proc/sys/net/core/somaxconn", .text = "4096\n"},
		{.path = "/proc/sys/net/ipv4/tcp_rmem", .text = "4096\t131072\t6291456\n"},
		{.path = "/.pitcrew/missing", .text = "2 file /proc/sys/net/core/netdev_max_backlog\n"},
		{.path = NULL},
	};
	struct stage s = {.tree = tree_open(more)};

	assert_int_equal(pit_scene_new(s.tree.root, &s.scene, NULL), 0);
	assert_true(pit_scene_in_container(s.scene));
	assert_int_equal(ask(&s, &swappiness, "10"), 0);
	assert_int_equal(s.wishes.wishes, 1);
	assert_string_equal(s.wishes.wish[0].cell.object, "vm.swappiness");
	assert_refused(&s, 0, "vm.swappiness belongs to the host of this container", "docker");
	assert_int_equal(ask(&s, &rmem, "1 2 3"), 0);
	assert_wish(&s, 0, "net.ipv4.tcp_rmem", "1 2 3");
	pit_wishes_free(&s.wishes);
	pit_scene_free(s.scene);
	tree_close(&s.tree);
}

/* docker run --net=host; and a recording that does not tell. */
static void a_container_in_the_network_of_the_host_leaves_it_alone(void **state)
{
	static const struct tree_file shared[] = {
		{.path = "/run/systemd/container", .text = "docker\n"},
		{.path = "/proc/sys/net/core/somaxconn", .text = "4096\n"},
		{.path = "/proc/sys/net/core/netdev_max_backlog", .text = "1000\n"},
		{.path = "/proc/sys/net/ipv4/tcp_rmem", .text = "4096\t131072\t6291456\n"},
		{.path = NULL},
	};
	static const struct tree_file unknown[] = {
		{.path = "/.pitcrew/format", .text = "1\n"},
		{.path = "/run/systemd/container", .text = "docker\n"},
		{.path = "/proc/sys/net/core/somaxconn", .text = "4096\n"},
		{.path = NULL},
	};
	const struct tree_file *const trees[] = {shared, unknown};

	for (size_t i = 0; i < PIT_COUNT(trees); i++) {
		struct stage s = {.tree = tree_open(trees[i])};

		assert_int_equal(pit_scene_new(s.tree.root, &s.scene, NULL), 0);
		assert_false(pit_scene_owns_network(s.scene));
		assert_int_equal(ask(&s, &rmem, "1 2 3"), 0);
		assert_int_equal(s.wishes.wishes, 1);
		assert_refused(&s, 0, "belongs to the host", "this container shares its network");
		pit_wishes_free(&s.wishes);
		pit_scene_free(s.scene);
		tree_close(&s.tree);
	}
}

static bool owns_shm(const char *container, const char *ipc, const char *mount)
{
	const struct tree_file files[] = {
		{.path = "/run/systemd/container", .text = container},
		{.path = "/proc/self/ns/ipc", .text = ipc},
		{.path = "/proc/self/mountinfo", .text = mount},
		{.path = NULL},
	};
	struct tree tree = tree_open(files);
	struct pit_scene *scene = NULL;
	bool owns;

	assert_int_equal(pit_scene_new(tree.root, &scene, NULL), 0);
	owns = pit_scene_owns_shm(scene);
	pit_scene_free(scene);
	tree_close(&tree);
	return owns;
}

static void a_container_has_its_own_shm_or_the_one_of_the_host(void **state)
{
	const char *first = "-> ipc:[4026531839]", *own = "-> ipc:[4026532201]";
	const char *docker = "628 625 0:71 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k\n";
	const char *host = "628 625 0:27 / /dev/shm rw,nosuid,nodev - tmpfs tmpfs rw,inode64\n";

	assert_true(owns_shm("docker\n", own, docker));
	assert_false(owns_shm("docker\n", first, host));   /* --ipc=host */
	assert_false(owns_shm("docker\n", own, host));     /* -v /dev/shm:/dev/shm */
	assert_false(owns_shm("docker\n", first, docker)); /* --ipc=host where the init scripts name it "shm" */
	assert_false(owns_shm("docker\n", own, "1 0 0:5 / / rw - overlay overlay rw\n"));
	assert_true(owns_shm("", first, host));
}

static int answer(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		  struct pit_error *err)
{
	return pit_fail(err, EINVAL, "asked for %s of %s", setting->value, setting->which);
}

static void a_row_may_resolve_by_itself(void **state)
{
	const struct pit_knob own = {.id = "own.knob", .resolve = answer};
	struct stage *s = *state;

	assert_int_equal(ask_which(s, &own, "these", "much"), -EINVAL);
	assert_string_equal(s->err.text, "own.knob: asked for much of these");
}

/* What a recording of ours lacks is unknown, and not absent. */
static void what_was_not_recorded_is_no_absence(void **state)
{
	static const struct tree_file ours[] = {
		{.path = "/.pitcrew/format", .text = "1\n"},
		{.path = "/.pitcrew/missing", .text = ""},
		{.path = NULL},
	};
	struct stage s = {.tree = tree_open(ours)};

	assert_int_equal(pit_scene_new(s.tree.root, &s.scene, NULL), 0);
	assert_int_equal(ask(&s, &swappiness, "10"), -ENODATA);
	assert_int_equal(ask(&s, &readahead, "10"), -ENODATA);
	assert_null(s.wishes.absent);
	pit_wishes_free(&s.wishes);
	pit_scene_free(s.scene);
	tree_close(&s.tree);
}

#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STAGE(a_key_becomes_one_wish),
		IN_STAGE(numbers_stay_within_the_rows_limits),
		IN_STAGE(a_missing_key_is_absent_and_no_error),
		IN_STAGE(a_star_stands_for_every_name),
		IN_STAGE(which_chooses_among_the_names),
		IN_STAGE(choices_are_those_of_row_and_machine),
		IN_STAGE(choices_of_modules_count),
		IN_STAGE(d11_typo_is_refused_by_name),
		IN_STAGE(dirty_limits_are_shares_or_bytes),
		cmocka_unit_test(a_container_leaves_the_host_alone),
		cmocka_unit_test(a_container_in_the_network_of_the_host_leaves_it_alone),
		cmocka_unit_test(a_container_has_its_own_shm_or_the_one_of_the_host),
		IN_STAGE(a_row_may_resolve_by_itself),
		cmocka_unit_test(what_was_not_recorded_is_no_absence),
	};

	return cmocka_run_group_tests_name("tune_resolve", tests, NULL, NULL);
}
