/* SPDX-License-Identifier: MIT
 *
 * Plans on small machines: what is to be changed, what is left out, which files of ours come of it, and how it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "../tempdir.h"
#include "report/text.h"
#include "tree.h"
#include "tune/plan.h"

#define QUEUE(disk) "/sys/block/" disk "/queue/read_ahead_kb"

/* A host with systemd, four CPUs with a governor, three disks. */
static const struct tree_file host[] = {
	{"/proc/meminfo", "MemTotal: 67108864 kB\nMemAvailable: 60000000 kB\n"},
	{"/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"},
	{"/proc/sys/kernel/hostname", "gpu01\n"},
	{"/proc/sys/vm/swappiness", "60\n"},
	{"/proc/sys/vm/max_map_count", "1048576\n"},
	{"/proc/sys/vm/dirty_ratio", "20\n"},
	{"/proc/sys/vm/dirty_bytes", "0\n"},
	{"/proc/sys/vm/dirty_background_ratio", "10\n"},
	{"/proc/sys/vm/dirty_background_bytes", "0\n"},
	{"/proc/sys/vm/min_free_kbytes", "67584\n"},
	{"/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n"},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
	{QUEUE("nvme0n1"), "128\n"},
	{QUEUE("nvme1n1"), "128\n"},
	{QUEUE("sda"), "128\n"},
	{"/etc/sysctl.d/50-cloud.conf", "# cloud\nvm.swappiness = 60\n"},
	{"/run/systemd/system/x", ""},
	{"/etc/systemd/system/x.service", ""},
	{"/etc/security/limits.conf", ""},
	{NULL, NULL},
};

struct made {
	struct tree tree;
	struct pit_profile *profile; /* stays where it is: the plan knows it */
	struct pit_scene *scene;
	struct pit_plan plan;
};

static struct pit_profile *parse(const char *text)
{
	struct pit_profile *p = calloc(1, sizeof(*p)), part = {0};
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_free char *include = NULL;

	if (pit_profile_parse(text, "test.ini", &part, &include, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pit_profile_merge(p, &part), 0);
	return p;
}

static void profile_free(struct pit_profile **p)
{
	pit_profile_free(*p);
	free(*p);
	*p = NULL;
}

static void plan_anew(struct made *m, bool persist, int txn)
{
	const struct pit_plan_evidence evidence[] = {
		{.knob = "vm.swappiness swap", .check = "memory.swappiness", .text = "60, wanted at most 10"},
		{.knob = "swap", .check = "memory.swap", .text = "not this one"},
	};
	const struct pit_plan_options o = {
		.persist = persist, .txn = txn, .evidence = evidence, .evidences = PIT_COUNT(evidence)};
	struct pit_error err = PIT_ERROR_INIT;

	pit_plan_free(&m->plan);
	pit_scene_free(m->scene);
	m->scene = NULL;
	pit_root_forget(m->tree.root);
	assert_int_equal(pit_scene_new(m->tree.root, &m->scene, &err), 0);
	if (pit_plan_make(m->scene, m->profile, &o, &m->plan, &err))
		fail_msg("%s", err.text);
}

static struct made make(const struct tree_file *files, const char *profile, bool persist, int txn)
{
	struct made m = {.tree = tree_open(files), .profile = parse(profile)};

	m.profile->name = strdup("test");
	plan_anew(&m, persist, txn);
	return m;
}

static void made_free(struct made *m)
{
	pit_plan_free(&m->plan);
	pit_plan_free(&m->plan); /* a second time does no harm */
	pit_scene_free(m->scene);
	profile_free(&m->profile);
	tree_close(&m->tree);
}

static const struct pit_change *change(const struct made *m, const char *object)
{
	for (size_t i = 0; i < m->plan.changes; i++)
		if (!strcmp(m->plan.change[i].cell.object, object))
			return &m->plan.change[i];
	return NULL;
}

static const struct pit_left_out *left(const struct made *m, const char *id)
{
	for (size_t i = 0; i < m->plan.left_out; i++)
		if (!strcmp(m->plan.left[i].knob->id, id))
			return &m->plan.left[i];
	return NULL;
}

/* Writes into the tree what the plan wants. */
static void carry_out(struct made *m)
{
	pit_auto_place struct pit_place *place = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_place_rehearse(m->tree.dir, &place, NULL), 0);
	for (size_t i = 0; i < m->plan.changes; i++) {
		const struct pit_change *c = &m->plan.change[i];

		if (!c->companion && pit_cell_write(place, &c->cell, c->new, &err))
			fail_msg("%s: %s", c->cell.object, err.text);
	}
}

static void tells_old_new_and_why(void **state)
{
	struct made m = make(host,
			     "[vm.swappiness]\nvalue = 10\nwhy = because\nsource = us\n"
			     "[vm.max_map_count]\nvalue = >=262144\n"
			     "[vm.dirty]\nvalue = 10%\n[net.ipv4.tcp_rmem]\nvalue = 4096 131072 67108864\n"
			     "[net.core.busy_poll]\nvalue = 50\n",
			     false, 7);
	const struct pit_change *c = change(&m, "vm.swappiness");

	assert_int_equal(m.plan.changes, 3);
	assert_int_equal(m.plan.txn, 7);
	assert_string_equal(c->old, "60");
	assert_string_equal(c->new, "10");
	assert_string_equal(c->knob->id, "vm.swappiness");
	assert_string_equal(c->setting->why, "because");
	assert_string_equal(c->evidence, "memory.swappiness: 60, wanted at most 10");
	assert_non_null(strstr(c->origin, "/etc/sysctl.d/50-cloud.conf:2"));
	assert_string_equal(change(&m, "vm.dirty")->old, "20%");
	assert_null(change(&m, "vm.dirty")->evidence);
	assert_string_equal(change(&m, "net.ipv4.tcp_rmem")->old, "4096 131072 6291456");
	assert_int_equal(left(&m, "vm.max_map_count")->why, PIT_LEFT_RIGHT);
	assert_int_equal(left(&m, "net.core.busy_poll")->why, PIT_LEFT_ABSENT);
	made_free(&m);
}

static void the_more_specific_section_counts(void **state)
{
	struct made m =
		make(host, "[block.readahead nvme0n1]\nvalue = 1024\n[block.readahead]\nvalue = 4096\n", false, 1);

	assert_string_equal(change(&m, QUEUE("nvme0n1"))->new, "1024");
	assert_string_equal(change(&m, QUEUE("sda"))->new, "4096");
	assert_int_equal(m.plan.changes, 3);
	assert_int_equal(m.plan.notes.count, 1);
	assert_non_null(strstr(m.plan.notes.item[0], "[block.readahead nvme0n1] (1024) counts instead"));
	assert_int_equal(m.plan.conflicts.count, 0);
	made_free(&m);
}

static void of_two_as_specific_the_later_counts(void **state)
{
	struct made m =
		make(host, "[block.readahead nvme*]\nvalue = 1024\n[block.readahead *0n1]\nvalue = 4096\n", false, 1);

	assert_string_equal(change(&m, QUEUE("nvme0n1"))->new, "4096");
	assert_string_equal(change(&m, QUEUE("nvme1n1"))->new, "1024");
	made_free(&m);
}

static void what_cannot_be_read_is_left_out(void **state)
{
	static const struct tree_file bad[] = {
		{"/proc/sys/vm/swappiness", "sixty\n"}, {"/proc/sys/vm/max_map_count", "7\n"}, {NULL, NULL}};
	struct made m = make(bad, "[vm.swappiness]\nvalue = 10\n[vm.max_map_count]\nvalue = 262144\n", false, 1);

	assert_int_equal(m.plan.changes, 1);
	assert_int_equal(left(&m, "vm.swappiness")->why, PIT_LEFT_UNKNOWN);
	assert_int_equal(left(&m, "vm.swappiness")->state, PIT_STATE_MALFORMED);
	made_free(&m);
}

static void values_that_make_no_sense_stop_the_plan(void **state)
{
	struct made m = {.tree = tree_open(host),
			 .profile = parse("[vm.swappiness]\nvalue = 10\n[limits.nofile]\nvalue = many\n")};
	const struct pit_plan_options o = {.persist = true, .txn = 1};
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_scene_new(m.tree.root, &m.scene, NULL), 0);
	m.plan.changes = 0;
	m.plan.txn = 77;
	assert_int_equal(pit_plan_make(m.scene, m.profile, &o, &m.plan, &err), -EBADMSG);
	assert_int_equal(strncmp(err.text, "test.ini:3: limits.nofile: ", 27), 0);
	assert_int_equal(m.plan.txn, 77);
	made_free(&m);
}

static void in_a_container_the_host_is_left_alone(void **state)
{
	static const struct tree_file container[] = {
		{"/.dockerenv", ""}, {"/proc/sys/vm/swappiness", "60\n"}, {NULL, NULL}};
	struct made m = make(container, "[vm.swappiness]\nvalue = 10\n", true, 1);

	assert_int_equal(m.plan.changes, 0);
	assert_int_equal(left(&m, "vm.swappiness")->why, PIT_LEFT_REFUSED);
	assert_non_null(strstr(left(&m, "vm.swappiness")->text, "belongs to the host"));
	made_free(&m);
}

/* Names of cells that begin with the knob's own are not said twice. */
static void names_what_it_leaves_out(void **state)
{
	static const struct {
		const char *knob, *object, *subject;
	} cases[] = {
		{"vm.swappiness", "", "vm.swappiness"},
		{"vm.swappiness", "vm.swappiness", "vm.swappiness"},
		{"swap", "swap on /dev/nvme0n1", "swap on /dev/nvme0n1"},
		{"block.readahead", "/sys/block/sda/queue/read_ahead_kb",
		 "block.readahead on /sys/block/sda/queue/read_ahead_kb"},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		const struct pit_left_out l = {.knob = pit_knob_find(cases[i].knob), .object = (char *)cases[i].object};
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		pit_left_out_subject(&l, &out);
		assert_string_equal(out.data, cases[i].subject);
	}
}

static const char persistent[] = "[vm.swappiness]\nvalue = 10\nwhy = because\n"
				 "[vm.max_map_count]\nvalue = >=262144\n"
				 "[thp.enabled]\nvalue = madvise\n"
				 "[block.readahead nvme*]\nvalue = 4096\n"
				 "[limits.nofile]\nvalue = 1048576\n";

static void without_persist_nothing_is_left_on_disk(void **state)
{
	struct made m = make(host, persistent, false, 7);

	for (size_t i = 0; i < m.plan.changes; i++)
		assert_true(pit_target(m.plan.change[i].cell.target)->runtime);
	assert_int_equal(left(&m, "limits.nofile")->why, PIT_LEFT_PERSIST);
	made_free(&m);
}

static void files_of_ours_make_it_last(void **state)
{
	struct made m = make(host, persistent, true, 7);
	const struct pit_change *c = change(&m, "/etc/sysctl.d/99-zz-pitcrew-0007.conf");
	bool file = false;

	assert_string_equal(c->new, "# Made by pitcrew tune, transaction 7, profile test. Undo: pitcrew tune revert 7\n"
				    "# vm.swappiness: because\nvm.swappiness = 10\n"
				    "# vm.max_map_count\nvm.max_map_count = 1048576\n");
	assert_null(c->old);
	assert_null(c->knob);
	assert_non_null(strstr(change(&m, "/etc/tmpfiles.d/99-zz-pitcrew-0007.conf")->new, "transparent_hugepage"));
	assert_non_null(strstr(change(&m, "/etc/udev/rules.d/99-zz-pitcrew-0007.rules")->new, "read_ahead_kb"));
	for (size_t i = 0; i < m.plan.changes; i++) { /* values first, then files; directories before what is in them */
		c = &m.plan.change[i];
		assert_true(!file || !pit_target(c->cell.target)->runtime);
		file |= !pit_target(c->cell.target)->runtime;
		if (c->cell.target == PIT_TARGET_DIR)
			assert_string_equal(c->new, "present");
	}
	assert_true(change(&m, "/etc/udev/rules.d") < change(&m, "/etc/udev/rules.d/99-zz-pitcrew-0007.rules"));
	assert_true(change(&m, "/etc/udev") < change(&m, "/etc/udev/rules.d"));
	assert_null(change(&m, "/etc/sysctl.d"));
	assert_int_equal(m.plan.restarts.count, 1);
	made_free(&m);
}

/* D13: an image's script appends to sysctl.conf, limits.conf and system.conf each time it runs, and undoes nothing. */
static void d13_the_same_profile_twice_changes_nothing(void **state)
{
	struct made m = make(host, persistent, true, 7);
	pit_auto_free char *before = tree_slurp("%s/etc/sysctl.d/50-cloud.conf", m.tree.dir);
	pit_auto_free char *after = NULL;

	carry_out(&m);
	plan_anew(&m, true, 8);
	for (size_t i = 0; i < m.plan.changes; i++)
		fail_msg("%s would be changed again", m.plan.change[i].cell.object);
	assert_int_equal(m.plan.restarts.count, 0);
	plan_anew(&m, false, 8);
	assert_int_equal(m.plan.changes, 0);
	after = tree_slurp("%s/etc/sysctl.d/50-cloud.conf", m.tree.dir);
	assert_string_equal(before, after);
	made_free(&m);
}

static void d13_files_of_others_are_never_named(void **state)
{
	struct made m = make(host, persistent, true, 7);

	for (size_t i = 0; i < m.plan.changes; i++) {
		const struct pit_change *c = &m.plan.change[i];

		if (c->cell.target == PIT_TARGET_FILE && !strstr(c->cell.object, "pitcrew"))
			fail_msg("%s is not ours", c->cell.object);
	}
	made_free(&m);
}

static void only_new_lines_are_written(void **state)
{
	struct made m = make(host, persistent, true, 7);

	carry_out(&m);
	profile_free(&m.profile);
	m.profile = parse("[vm.swappiness]\nvalue = 1\n[vm.max_map_count]\nvalue = >=262144\n"
			  "[block.readahead nvme*]\nvalue = 4096\n");
	plan_anew(&m, true, 8);
	assert_string_equal(
		change(&m, "/etc/sysctl.d/99-zz-pitcrew-0008.conf")->new,
		"# Made by pitcrew tune, transaction 8, profile of the command line. Undo: pitcrew tune revert 8\n"
		"# vm.swappiness\nvm.swappiness = 1\n");
	assert_null(change(&m, "/etc/udev/rules.d/99-zz-pitcrew-0008.rules"));
	assert_int_equal(m.plan.changes, 2);
	made_free(&m);
}

static void what_a_later_file_takes_back_is_written_again(void **state)
{
	static const struct tree_file files[] = {
		{"/proc/sys/vm/swappiness", "10\n"},
		{"/etc/sysctl.d/99-zz-pitcrew-0003.conf", "vm.swappiness = 10\n"},
		{"/etc/sysctl.d/99-zz-pitcrew-0005.conf", "vm.swappiness = 1\n"},
		{"/etc/sysctl.d/50-pitcrew.conf", "vm.swappiness = 10\n"},
		{NULL, NULL},
	};
	struct made m = make(files, "[vm.swappiness]\nvalue = 10\n", true, 6);

	assert_non_null(change(&m, "/etc/sysctl.d/99-zz-pitcrew-0006.conf"));
	assert_int_equal(m.plan.changes, 1);
	made_free(&m);
}

static void a_unit_stands_and_falls_with_its_settings(void **state)
{
	static const struct tree_file files[] = {
		{"/proc/meminfo",
		 "MemTotal: 67108864 kB\nMemFree: 60000000 kB\nMemAvailable: 60000000 kB\nHugepagesize: 2048 kB\n"},
		{"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n"},
		{"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state0/latency", "0\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state0/name", "POLL\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state0/disable", "0\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state1/latency", "2\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state1/name", "C1\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state1/disable", "0\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state2/latency", "200\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state2/name", "C6\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state2/disable", "0\n"},
		{"/sys/devices/system/cpu/online", "0\n"},
		{"/sys/devices/system/cpu/present", "0\n"},
		{"/sys/devices/system/cpu/possible", "0\n"},
		{"/run/systemd/system/x", ""},
		{NULL, NULL},
	};
	struct made m = make(files, "[cpu.cstates]\nvalue = 99 us\n", true, 7);
	size_t files_planned = 0;

	for (size_t i = 0; i < m.plan.changes; i++)
		files_planned += m.plan.change[i].cell.target == PIT_TARGET_FILE;
	assert_true(files_planned > 0);
	carry_out(&m);
	plan_anew(&m, true, 8);
	for (size_t i = 0; i < m.plan.changes; i++)
		fail_msg("%s would be changed again", m.plan.change[i].cell.object);
	made_free(&m);
}

static void what_the_kernel_changes_along_is_kept(void **state)
{
	static const struct tree_file files[] = {
		{"/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"},
		{"/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors", "performance powersave\n"},
		{"/sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference", "balance_performance\n"},
		{"/sys/devices/system/cpu/cpufreq/policy1/scaling_governor", "powersave\n"},
		{"/sys/devices/system/cpu/cpufreq/policy1/scaling_available_governors", "performance powersave\n"},
		{"/sys/devices/system/cpu/cpufreq/policy1/energy_performance_preference", "performance\n"},
		{NULL, NULL},
	};
	struct made m = make(files, "[cpu.governor]\nvalue = performance\n", false, 1);
	const struct pit_change *c =
		change(&m, "/sys/devices/system/cpu/cpufreq/policy0/energy_performance_preference");

	assert_true(c->companion);
	assert_string_equal(c->old, "balance_performance");
	assert_null(c->new);
	assert_true(c < change(&m, "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor"));
	assert_int_equal(m.plan.changes, 4);
	made_free(&m);
}

static void only_what_belongs_to_changed_things_is_kept(void **state)
{
	static const struct tree_file files[] = {
		{"/sys/block/sda/queue/scheduler", "[mq-deadline] none\n"},
		{"/sys/block/sda/queue/nr_requests", "64\n"},
		{"/sys/block/sdb/queue/scheduler", "mq-deadline [none]\n"},
		{"/sys/block/sdb/queue/nr_requests", "64\n"},
		{NULL, NULL},
	};
	struct made m = make(files, "[block.scheduler]\nvalue = none\n", false, 1);

	assert_int_equal(m.plan.changes, 2);
	assert_true(change(&m, "/sys/block/sda/queue/nr_requests")->companion);
	made_free(&m);
}

static char *text_of(const struct made *m, bool verbose)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	const struct pit_page page = {.out = &out, .width = 100};

	pit_plan_text(&m->plan, false, verbose, &page);
	return pit_buf_take(&out);
}

static void says_whether_it_is_about_to_be_done(void **state)
{
	static const struct tree_file files[] = {{"/sys/block/sda/queue/scheduler", "[mq-deadline] none\n"},
						 {NULL, NULL}};
	struct made m = make(files, "[block.scheduler]\nvalue = none\n", false, 1);
	pit_auto_buf struct pit_buf would = PIT_BUF_INIT, will = PIT_BUF_INIT;

	pit_plan_text(&m.plan, false, false, &(struct pit_page){.out = &would, .width = 100});
	pit_plan_text(&m.plan, true, false, &(struct pit_page){.out = &will, .width = 100});
	assert_non_null(strstr(would.data, "WOULD CHANGE"));
	assert_non_null(strstr(will.data, "WILL CHANGE"));
	assert_null(strstr(will.data, "WOULD"));
	made_free(&m);
}

static void alike_cells_are_one_line(void **state)
{
	char path[4][96];
	struct tree_file files[5] = {{0}};
	const char *names[] = {"0", "1", "2", "10"};
	pit_auto_free char *text = NULL;

	for (size_t i = 0; i < 4; i++) {
		snprintf(path[i], sizeof(path[i]), "/sys/devices/system/cpu/cpufreq/policy%s/scaling_governor",
			 names[i]);
		files[i] = (struct tree_file){.path = path[i], .text = i == 3 ? "ondemand\n" : "powersave\n"};
	}
	struct made m = make(files, "[cpu.governor]\nvalue = performance\n", false, 1);

	text = text_of(&m, false);
	assert_non_null(strstr(text, "cpu.governor on policy0-2: powersave -> performance\n"));
	assert_non_null(strstr(text, "cpu.governor on policy10: ondemand -> performance\n"));
	made_free(&m);
}

static void text_tells_all_parts(void **state)
{
	struct made m = make(host, persistent, true, 7);
	pit_auto_free char *text = text_of(&m, false);

	assert_non_null(strstr(text, "  vm.swappiness: 60 -> 10\n"));
	assert_non_null(strstr(text, "      set by  /etc/sysctl.d/50-cloud.conf:2"));
	assert_non_null(strstr(text, "      seen    memory.swappiness: 60, wanted at most 10\n"));
	assert_non_null(strstr(text, "      why     because\n"));
	assert_non_null(strstr(text, "  thp.enabled: always -> madvise\n"));
	assert_non_null(strstr(text, "  block.readahead on nvme0n1, nvme1n1: 128 -> 4096\n"));
	assert_non_null(strstr(text, "  /etc/sysctl.d/99-zz-pitcrew-0007.conf: new\n      vm.swappiness = 10\n"));
	assert_non_null(strstr(text, "AFTERWARDS\n\n  - limits.nofile: log in anew\n"));
	made_free(&m);
}

static void json_tells_all(void **state)
{
	struct made m = make(host, persistent, true, 7);
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	json_t *top, *first;

	assert_int_equal(pit_plan_json(&m.plan, &out), 0);
	top = json_loads(out.data, 0, NULL);
	assert_non_null(top);
	assert_int_equal(json_integer_value(json_object_get(top, "schema")), 1);
	assert_int_equal(json_integer_value(json_object_get(top, "transaction")), 7);
	assert_int_equal(json_array_size(json_object_get(top, "changes")), m.plan.changes);
	assert_int_equal(json_array_size(json_object_get(top, "left_out")), m.plan.left_out);
	first = json_array_get(json_object_get(top, "changes"), 0);
	assert_true(json_is_true(json_object_get(first, "companion")));
	assert_string_equal(json_string_value(json_object_get(first, "object")), "vm.min_free_kbytes");
	assert_true(json_is_null(json_object_get(first, "new")));
	first = json_array_get(json_object_get(top, "changes"), 1);
	assert_string_equal(json_string_value(json_object_get(first, "knob")), "thp.enabled");
	assert_string_equal(json_string_value(json_object_get(first, "old")), "always");
	assert_string_equal(json_string_value(json_object_get(first, "target")), "kernel");
	json_decref(top);
	made_free(&m);
}

/* The script is only read by a shell here; virtual machines run it. */
static char *script_of(const struct made *m)
{
	pit_auto_buf struct pit_buf script = PIT_BUF_INIT;
	char command[128];

	pit_plan_shell(&m->plan, &script);
	tempdir_file(m->tree.dir, "/script", script.data);
	snprintf(command, sizeof(command), "sh -n %s/script", m->tree.dir);
	if (system(command))
		fail_msg("no shell can read this:\n%s", script.data);
	return pit_buf_take(&script);
}

static void the_script_sets_and_takes_back_in_reverse(void **state)
{
	struct made m = make(host, persistent, true, 0);
	pit_auto_free char *script = script_of(&m);
	const char *undo = strstr(script, "\nundo() {\n");
	const char *steps[] = {"madvise",
			       "vm.swappiness=10",
			       "4096 > ",
			       "mkdir",
			       "/etc/udev/rules.d/99-zz-pitcrew-0000.rules",
			       undo,
			       "rm -f /etc/udev/rules.d/99-zz-pitcrew-0000.rules",
			       "rmdir /etc/udev/rules.d",
			       "echo 128 > ",
			       "vm.swappiness=60",
			       "always"};
	const char *at = script;

	assert_non_null(undo);
	assert_non_null(strstr(script, "Undo: sh THAT_SCRIPT undo\n"));
	for (size_t i = 0; i < PIT_COUNT(steps); i++) {
		at = strstr(at, steps[i]);
		if (!at)
			fail_msg("'%.30s' does not come in its turn in:\n%s", steps[i], script);
	}
	made_free(&m);
}

static void the_script_takes_back_last_what_is_changed_along(void **state)
{
	struct made m = make(host, "[thp.enabled]\nvalue = madvise\n[vm.min_free_kbytes]\nvalue = 135168\n", false, 0);
	pit_auto_free char *script = script_of(&m);
	const char *thp = strstr(script, "echo always");

	assert_int_equal(m.plan.changes, 2);
	assert_non_null(thp);
	assert_non_null(strstr(thp, "vm.min_free_kbytes=67584"));
	made_free(&m);
}

static void reasons_cannot_break_out_of_comments(void **state)
{
	struct made m = make(host, "[vm.swappiness]\nvalue = 10\nwhy = x'; rm -rf / \"$(id)\" `id`\n", true, 0);
	pit_auto_free char *script = script_of(&m);
	size_t found = 0;

	for (const char *at = script; (at = strstr(at, "rm -rf")); at++, found++) {
		while (at > script && at[-1] != '\n')
			at--;
		assert_int_equal(*at, '#');
		at = strstr(at, "rm -rf");
	}
	assert_int_equal(found, 2);
	made_free(&m);
}

static void an_empty_plan_is_a_script_too(void **state)
{
	struct made m = make(host, "[vm.swappiness]\nvalue = 60\n", false, 0);
	pit_auto_free char *script = script_of(&m);

	assert_non_null(script);
	assert_int_equal(m.plan.changes, 0);
	made_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_old_new_and_why),
		cmocka_unit_test(the_more_specific_section_counts),
		cmocka_unit_test(of_two_as_specific_the_later_counts),
		cmocka_unit_test(what_cannot_be_read_is_left_out),
		cmocka_unit_test(values_that_make_no_sense_stop_the_plan),
		cmocka_unit_test(in_a_container_the_host_is_left_alone),
		cmocka_unit_test(names_what_it_leaves_out),
		cmocka_unit_test(without_persist_nothing_is_left_on_disk),
		cmocka_unit_test(files_of_ours_make_it_last),
		cmocka_unit_test(d13_the_same_profile_twice_changes_nothing),
		cmocka_unit_test(d13_files_of_others_are_never_named),
		cmocka_unit_test(only_new_lines_are_written),
		cmocka_unit_test(what_a_later_file_takes_back_is_written_again),
		cmocka_unit_test(a_unit_stands_and_falls_with_its_settings),
		cmocka_unit_test(what_the_kernel_changes_along_is_kept),
		cmocka_unit_test(only_what_belongs_to_changed_things_is_kept),
		cmocka_unit_test(says_whether_it_is_about_to_be_done),
		cmocka_unit_test(alike_cells_are_one_line),
		cmocka_unit_test(text_tells_all_parts),
		cmocka_unit_test(json_tells_all),
		cmocka_unit_test(the_script_sets_and_takes_back_in_reverse),
		cmocka_unit_test(an_empty_plan_is_a_script_too),
		cmocka_unit_test(the_script_takes_back_last_what_is_changed_along),
		cmocka_unit_test(reasons_cannot_break_out_of_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
