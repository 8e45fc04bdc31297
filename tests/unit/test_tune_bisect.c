/* SPDX-License-Identifier: MIT
 *
 * Bisections on a machine of plain files: twelve values, and a script whose speed depends on some of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/text.h"
#include "tune/bisect.h"
#include "tune_world.h"

#define SETTINGS 12
#define CELLS 13

static const struct world_change changes[CELLS] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "60", "10", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.max_map_count", "65530", "262144", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.numa_balancing", "1", "0", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.zone_reclaim_mode", "0", "1", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.pid_max", "32768", "4194304", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net.core.rmem_max", "212992", "16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net.core.wmem_max", "212992", "16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "fs.aio-max-nr", "65536", "1048576", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.overcommit_memory", "0", "1", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.min_free_kbytes", "1000", "9000", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "fs.file-max", "1000", "9000", false},
	/* of one setting */
	{PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/block/nvme0n1/queue/read_ahead_kb", "128", "4096", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/block/nvme1n1/queue/read_ahead_kb", "128", "4096", false},
};

struct hunt {
	struct world w;
	struct pit_knob knob[SETTINGS];
	struct pit_setting setting[SETTINGS];
	struct pit_trial_options options;
	struct pit_bisect b;
	struct pit_error err;
	char script[2048];
	const char *argv[4];
	size_t told;
};

/* In the script "$r" is the rate and "p" the directory /proc/sys, "b" that of block devices; "$j" is noise of 1 %. */
static void hunt_new(struct hunt *h, const char *script)
{
	*h = (struct hunt){.argv = {"/bin/sh", "-c", h->script, NULL}};
	world_new(&h->w, changes, CELLS);
	for (size_t i = 0; i < CELLS; i++) {
		size_t n = i < SETTINGS ? i : SETTINGS - 1;

		h->knob[n] = (struct pit_knob){.id = n < 11 ? changes[n].object : "block.readahead"};
		h->setting[n] = (struct pit_setting){.knob = &h->knob[n], .value = (char *)changes[n].new};
		h->w.change[i].knob = &h->knob[n];
		h->w.change[i].setting = &h->setting[n];
	}
	snprintf(
		h->script, sizeof(h->script),
		"cd %s; n=$(cat ../n 2>/dev/null || echo 0); echo $((n + 1)) >../n; j=$((n * 7919 %% 13 - 6)); r=1000; "
		"p=proc/sys; b=sys/block; is() { read -r v <$1; [ \"$v\" = \"$2\" ]; }; %s; echo rate $((r + j))",
		h->w.dir, script);
	h->options = (struct pit_trial_options){
		.rounds = 6,
		.confidence = 0.95,
		.least = 0.01,
		.metric = {.pattern = "^rate", .higher_is_better = true},
		.argv = h->argv,
	};
}

static void hunt_free(struct hunt *h)
{
	pit_bisect_free(&h->b);
	world_free(&h->w);
}

static void tell(const struct pit_bisect *b, const struct pit_bisect_step *step, void *arg)
{
	size_t *told = arg;

	assert_ptr_equal(step, &b->step[b->steps - 1]);
	++*told;
}

static void hunt_run(struct hunt *h, int rc)
{
	pit_auto_free char *before = world_manifest(&h->w), *after = NULL;
	struct pit_tune_state *s = world_state(&h->w);
	struct pit_place *p = world_place(&h->w);

	assert_int_equal(pit_bisect_run(s, p, &h->w.plan, &h->options, tell, &h->told, &h->b, &h->err), rc);
	pit_place_close(p);
	pit_tune_state_close(s);
	after = world_manifest(&h->w);
	assert_string_equal(before, after);
}

static void finds_the_planted_one(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = {.out = &out, .width = 100};
	const struct pit_bisect_step *proof;
	struct hunt h;
	json_t *j;

	hunt_new(&h, "is $p/vm/zone_reclaim_mode 1 && r=800");
	hunt_run(&h, 0);
	assert_int_equal(h.b.end.end, PIT_TRIAL_DONE);
	assert_int_equal(h.b.units, SETTINGS);
	assert_int_equal(h.b.found.count, 1);
	assert_int_equal(h.b.found.culprit[0].count, 1);
	assert_string_equal(h.b.unit[h.b.found.culprit[0].unit[0]]->knob->id, "vm.zone_reclaim_mode");
	assert_false(h.b.found.unresolved);
	assert_true(h.told >= h.b.steps);
	assert_int_equal(world_txn_state(&h.w, 1), PIT_TXN_REVERTED);
	proof = pit_bisect_proof(&h.b, &h.b.found.culprit[0]);
	assert_non_null(proof);
	assert_int_equal(proof->pairs.count, 12); /* asked again by itself, with twice the pairs */
	assert_true(proof->pairs.ratio.high < 0.85);
	pit_bisect_text(&h.b, &h.options, &page);
	print_message("# %s\n", out.data);
	assert_non_null(strstr(out.data, "Guilty: vm.zone_reclaim_mode (1) hurts."));
	j = pit_bisect_json(&h.b, &h.w.plan, &h.options);
	assert_int_equal(json_array_size(json_object_get(j, "guilty")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "runs")), h.b.runs);
	json_decref(j);
	hunt_free(&h);
}

/* A setting is one thing, however many values of the machine it means. */
static void turns_all_values_of_a_setting_together(void **state)
{
	struct hunt h;

	hunt_new(&h, "is $b/nvme0n1/queue/read_ahead_kb 4096 && is $b/nvme1n1/queue/read_ahead_kb 4096 && r=800");
	hunt_run(&h, 0);
	assert_int_equal(h.b.found.count, 1);
	assert_string_equal(h.b.unit[h.b.found.culprit[0].unit[0]]->knob->id, "block.readahead");
	hunt_free(&h);
}

static void finds_two_that_hurt_together(void **state)
{
	struct hunt h;

	hunt_new(&h, "is $p/vm/swappiness 10 && is $p/fs/file-max 9000 && r=700");
	hunt_run(&h, 0);
	assert_int_equal(h.b.found.count, 1);
	assert_int_equal(h.b.found.culprit[0].count, 2);
	assert_string_equal(h.b.unit[h.b.found.culprit[0].unit[0]]->knob->id, "vm.swappiness");
	assert_string_equal(h.b.unit[h.b.found.culprit[0].unit[1]]->knob->id, "fs.file-max");
	hunt_free(&h);
}

static void ends_when_nothing_hurts(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = {.out = &out, .width = 200};
	struct hunt h;

	hunt_new(&h, "is $p/vm/swappiness 10 && r=1300");
	hunt_run(&h, 0);
	assert_int_equal(h.b.found.count, 0);
	assert_int_equal(h.b.steps, 1);
	assert_int_equal(h.b.runs, 12);
	pit_bisect_text(&h.b, &h.options, &page);
	assert_non_null(strstr(out.data, "All settings together do not hurt this command"));
	hunt_free(&h);
}

/* Pairs that can never show that anything hurts must not clear all settings. */
static void refuses_rounds_that_can_show_nothing(void **state)
{
	struct hunt h;

	hunt_new(&h, "is $p/vm/swappiness 10 && r=800");
	h.options.rounds = 3;
	hunt_run(&h, -EINVAL);
	assert_non_null(strstr(h.err.text, "--rounds=6"));
	h.options.confidence = 0.75;
	hunt_run(&h, 0);
	assert_int_equal(h.b.steps > 0 && h.b.step[0].guilt == PIT_GUILT_YES, 1);
	hunt_free(&h);
}

static void ends_when_the_command_fails(void **state)
{
	struct hunt h;

	hunt_new(&h, "is $p/vm/swappiness 10 && r=800; [ $n = 40 ] && { echo broken; exit 3; }");
	hunt_run(&h, 0);
	assert_int_equal(h.b.end.end, PIT_TRIAL_COMMAND);
	assert_string_equal(h.b.end.words, "broken");
	assert_int_equal(h.b.found.count, 0);
	assert_int_equal(h.b.runs, 41);
	assert_true(h.b.end.restored);
	hunt_free(&h);
}

static void leaves_out_what_counts_later(void **state)
{
	struct hunt h;

	hunt_new(&h, "is $p/vm/swappiness 10 && r=800");
	h.knob[3].takes = PIT_TAKES_REBOOT;
	h.knob[4].takes = PIT_TAKES_LOGIN;
	hunt_run(&h, 0);
	assert_int_equal(h.b.units, SETTINGS - 2);
	assert_int_equal(h.b.left.count, 2);
	assert_string_equal(h.b.left.item[0], "vm.zone_reclaim_mode counts only after a reboot");
	assert_int_equal(h.b.found.count, 1);
	for (size_t i = 0; i < SETTINGS; i++)
		h.knob[i].takes = PIT_TAKES_REBOOT;
	pit_bisect_free(&h.b);
	hunt_run(&h, -ENOENT);
	hunt_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_planted_one),
		cmocka_unit_test(turns_all_values_of_a_setting_together),
		cmocka_unit_test(finds_two_that_hurt_together),
		cmocka_unit_test(ends_when_nothing_hurts),
		cmocka_unit_test(refuses_rounds_that_can_show_nothing),
		cmocka_unit_test(ends_when_the_command_fails),
		cmocka_unit_test(leaves_out_what_counts_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
