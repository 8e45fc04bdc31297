/* SPDX-License-Identifier: MIT
 *
 * Transactions that fail: everything goes back, and the message says what was wanted and what was found.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tune/knob.h"
#include "tune_world.h"

static const struct world_change changes[] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "60", "10", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_WORDS, "net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 87380 16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.numa_balancing", "1", "0", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/x.conf", NULL, "ours\n", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.zone_reclaim_mode", "0", "1", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.along", "7", NULL, true},
};

/* Does something to the machine at the nth call of a step's name. */
struct meddler {
	const struct world *w;
	const char *step;
	int call; /* 1: before the step, 2: after it */
	size_t n; /* the change whose cell gets `value` */
	const char *value;
	int signal; /* instead */
	int calls;
};

static void meddle(const char *step, void *arg)
{
	struct meddler *m = arg;

	if (strcmp(step, m->step) != 0 || ++m->calls != m->call)
		return;
	if (m->signal)
		raise(m->signal);
	else
		world_put(m->w, &m->w->change[m->n].cell, m->value);
}

static void expect_old(const struct world *w)
{
	for (size_t n = 0; n < w->plan.changes; n++)
		world_expect(w, n, w->change[n].old);
	assert_int_equal(world_txn_state(w, 1), PIT_TXN_REVERTED);
}

static void new_world(struct world *w)
{
	world_new(w, changes, PIT_COUNT(changes));
	world_file(w, "/etc/README", "");
}

static void apply_meddled(struct world *w, struct meddler *m, int rc, struct pit_error *err)
{
	m->w = w;
	new_world(w);
	assert_int_equal(world_apply(w, meddle, m, err), rc);
	assert_int_equal(m->calls >= m->call, 1);
}

static void sets_all_and_journals_what_came_along(void **state)
{
	struct meddler m = {.step = "write 4", .call = 2, .n = 5, .value = "8"};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v;
	struct pit_record r;
	struct world w;

	apply_meddled(&w, &m, 0, &err);
	for (size_t n = 0; n < 5; n++)
		world_expect(&w, n, w.change[n].new);
	r = world_record(&w, 1);
	assert_int_equal(r.state, PIT_TXN_APPLIED);
	assert_string_equal(r.boot, WORLD_BOOT);
	assert_true(r.entry[5].companion && r.entry[5].set);
	assert_string_equal(r.entry[5].now, "8");
	pit_record_free(&r);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
	assert_int_equal(v.restored, 6);
	pit_revert_free(&v);
	expect_old(&w);
	world_free(&w);
}

/* D14: the kernel took the write and changed nothing, or something else. */
static void d14_silently_unchanged_value_is_a_failure(void **state)
{
	static const struct {
		const char *value, *words;
	} cases[] = {
		{"1", "kernel.numa_balancing: wrote 0, the kernel says still 1; everything was put back"},
		{"2", "kernel.numa_balancing: wrote 0, the kernel says 2; everything was put back"},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct meddler m = {.step = "write 2", .call = 2, .n = 2, .value = cases[i].value};
		struct pit_error err = PIT_ERROR_INIT;
		struct world w;

		apply_meddled(&w, &m, -EPROTO, &err);
		assert_string_equal(err.text, cases[i].words);
		expect_old(&w);
		world_free(&w);
	}
}

/* One setting that a machine refuses need not cost the others. */
static void a_refused_knob_is_named_to_be_skipped(void **state)
{
	struct meddler m = {.step = "write 2", .call = 2, .n = 2, .value = "1"};
	pit_auto_strv struct pit_strv notes = {0};
	struct world w;

	m.w = &w;
	new_world(&w);
	w.change[2].knob = pit_knob_find("kernel.numa_balancing");
	assert_int_equal(world_apply_told(&w, meddle, &m, &notes, NULL), -EPROTO);
	assert_int_equal(notes.count, 1);
	assert_string_equal(notes.item[0], "to change the rest without it, add --skip kernel.numa_balancing");
	expect_old(&w);
	world_free(&w);
}

static void d14_white_space_is_no_difference(void **state)
{
	struct meddler m = {.step = "write 1", .call = 2, .n = 1, .value = "4096\t87380\t16777216"};
	struct world w;

	apply_meddled(&w, &m, 0, NULL);
	world_free(&w);
}

static void stale_value_stops_all(void **state)
{
	struct meddler m = {.step = "set 1", .call = 2, .n = 4, .value = "5"};
	struct pit_error err = PIT_ERROR_INIT;
	struct world w;

	apply_meddled(&w, &m, -ESTALE, &err);
	assert_non_null(strstr(err.text, "vm.zone_reclaim_mode"));
	assert_non_null(strstr(err.text, "was 0"));
	assert_non_null(strstr(err.text, "5 now"));
	world_expect(&w, 4, "5"); /* theirs */
	for (size_t n = 0; n < 4; n++)
		world_expect(&w, n, w.change[n].old);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
	world_free(&w);
}

/* The governor of one CPU is that of all CPUs of its domain. */
static void value_that_is_there_already_is_fine(void **state)
{
	struct meddler m = {.step = "set 1", .call = 2, .n = 4, .value = "1"};
	struct world w;

	apply_meddled(&w, &m, 0, NULL);
	world_free(&w);
}

static void missing_key_is_told(void **state)
{
	struct meddler m = {.step = "set 1", .call = 2, .n = 4, .value = NULL};
	struct pit_error err = PIT_ERROR_INIT;
	struct world w;

	apply_meddled(&w, &m, -ENOENT, &err);
	assert_non_null(strstr(err.text, "vm.zone_reclaim_mode"));
	assert_non_null(strstr(err.text, "everything was put back"));
	world_free(&w);
}

static void signals_take_all_back(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	static const char *const steps[] = {"write 0", "write 3", "hooks"};
	static const char *const words[] = {"SIGINT", "SIGTERM", "SIGHUP"};

	for (size_t i = 0; i < PIT_COUNT(signals); i++) {
		struct meddler m = {.step = steps[i], .call = 1, .signal = signals[i]};
		struct pit_error err = PIT_ERROR_INIT;
		struct world w;

		apply_meddled(&w, &m, -EINTR, &err);
		expect_old(&w);
		assert_non_null(strstr(err.text, words[i]));
		world_free(&w);
	}
}

/* After the commit there is nothing to take back, and the process does not die over it either. */
static void signals_may_come_too_late(void **state)
{
	struct meddler m = {.step = "commit", .call = 1, .signal = SIGTERM};
	struct world w;

	apply_meddled(&w, &m, 0, NULL);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_APPLIED);
	world_free(&w);
}

static void ignored_signals_are_ignored(void **state)
{
	struct meddler m = {.step = "write 0", .call = 1, .signal = SIGHUP};
	struct world w;

	signal(SIGHUP, SIG_IGN);
	apply_meddled(&w, &m, 0, NULL);
	signal(SIGHUP, SIG_DFL);
	world_free(&w);
}

/* What somebody changes while we roll back stays, and is no failure. */
static void roll_back_leaves_what_is_theirs(void **state)
{
	struct meddler m = {.step = "undo", .call = 2, .n = 0, .value = "33"};
	struct world w;
	struct pit_record r;

	new_world(&w);
	m.w = &w;
	world_put(&w, &w.change[4].cell, "9"); /* stale */
	assert_int_equal(world_apply(&w, meddle, &m, NULL), -ESTALE);
	world_expect(&w, 0, "33");
	world_expect(&w, 1, w.change[1].old);
	r = world_record(&w, 1);
	assert_int_equal(r.state, PIT_TXN_REVERTED);
	assert_string_equal(r.why, "roll-back");
	assert_int_equal(r.entry[0].undone, PIT_UNDONE_KEPT);
	assert_int_equal(r.entry[1].undone, PIT_UNDONE_RESTORED);
	assert_int_equal(r.entry[4].undone, PIT_UNDONE_NOT);
	pit_record_free(&r);
	world_free(&w);
}

static void open_directory(const char *step, void *arg)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/etc", ((const struct world *)arg)->dir);
	if (!strcmp(step, "undo"))
		assert_int_equal(chmod(path, 0777), 0);
}

/* What cannot be put back is named, the journal stays open, and a revert finishes it. */
static void failed_roll_back_is_named(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v;
	struct world w;
	char path[160];

	new_world(&w);
	snprintf(path, sizeof(path), "%s/etc", w.dir);
	world_put(&w, &w.change[4].cell, "7"); /* stale, so all is taken back */
	assert_int_equal(world_apply(&w, open_directory, &w, &err), -ESTALE);
	assert_non_null(strstr(err.text, "NOT put back: /etc/x.conf"));
	assert_non_null(strstr(err.text, "pitcrew tune revert 1"));
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_UNDOING);
	world_expect(&w, 0, "60");
	world_expect(&w, 3, "ours\n");
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_MERGE, NULL, NULL, &v, &err), -EIO);
	assert_int_equal(v.failed, 1);
	assert_non_null(v.undo[3].error);
	pit_revert_free(&v);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_MERGE, NULL, NULL, &v, &err), 0);
	pit_revert_free(&v);
	world_expect(&w, 3, NULL);
	world_expect(&w, 4, "7");
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
	world_free(&w);
}

static void empty_plans_and_taken_numbers_are_refused(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct world w;

	new_world(&w);
	assert_int_equal(world_apply(&w, NULL, NULL, NULL), 0);
	w.plan.txn = 1;
	assert_int_equal(world_apply(&w, NULL, NULL, &err), -EEXIST);
	w.plan.changes = 0;
	assert_int_equal(world_apply(&w, NULL, NULL, &err), -EINVAL);
	w.plan.changes = PIT_COUNT(changes);
	world_free(&w);
}

/* As a trial does it: on and off without a word in the journal; cut off, a revert puts it back. */
static void trial_switches_and_reverts(void **state)
{
	const struct pit_txn_options options = {.kind = "trial"};
	struct pit_tune_state *s;
	struct pit_txn *t = NULL;
	struct pit_place *p;
	struct pit_revert v;
	struct world w;

	world_new(&w, changes, 3);
	s = world_state(&w);
	p = world_place(&w);
	assert_int_equal(pit_txn_begin(s, p, &w.plan, &options, &t, NULL), 0);
	for (int round = 0; round < 3; round++)
		for (int on = 1; on >= 0; on--)
			for (size_t n = 0; n < 3; n++) {
				assert_int_equal(pit_txn_set(t, n, on, false, NULL), 0);
				world_expect(&w, n, on ? w.change[n].new : w.change[n].old);
			}
	assert_int_equal(pit_txn_set(t, 0, true, false, NULL), 0);
	world_put(&w, &w.change[0].cell, "44");
	assert_int_equal(pit_txn_set(t, 0, false, false, NULL), -ESTALE); /* not ours any more */
	world_put(&w, &w.change[0].cell, "10");
	pit_txn_free(t);
	pit_place_close(p);
	pit_tune_state_close(s);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_INTERRUPTED);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
	assert_int_equal(v.restored, 1);
	pit_revert_free(&v);
	expect_old(&w);
	world_free(&w);
}

static const struct pit_knob *rounding_knob(void)
{
	PIT_KNOB_FOREACH (knob)
		if (knob->rounds && knob->value == PIT_VALUE_INT)
			return knob;
	return NULL;
}

/* A number that the kernel rounds counts as it took it: in the journal, and after a cut before that was written. */
static void rounded_numbers_are_ours(void **state)
{
	static const struct world_change one[] = {
		{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.rounds", "100", "1000", false}};
	const struct pit_knob *knob = rounding_knob();
	struct meddler m = {.step = "write 0", .call = 2, .n = 0, .value = "992"};
	struct pit_revert v;
	struct pit_record r;
	struct world w;

	if (!knob)
		skip();
	world_new(&w, one, 1);
	m.w = &w;
	w.change[0].knob = knob;
	assert_int_equal(world_apply(&w, meddle, &m, NULL), 0);
	r = world_record(&w, 1);
	assert_string_equal(r.entry[0].now, "992");
	pit_record_free(&r);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
	pit_revert_free(&v);
	world_expect(&w, 0, "100");
	/* Farther off than before, or not moved at all, is no rounding. */
	m = (struct meddler){.w = &w, .step = "write 0", .call = 2, .n = 0, .value = "50"};
	assert_int_equal(world_apply(&w, meddle, &m, NULL), -EPROTO);
	m = (struct meddler){.w = &w, .step = "write 0", .call = 2, .n = 0, .value = "100"};
	assert_int_equal(world_apply(&w, meddle, &m, NULL), -EPROTO);
	world_expect(&w, 0, "100");
	world_free(&w);
}

/* Numbers of the kernel may lie as far from each other as they can. */
static void far_numbers_are_compared(void **state)
{
	static const struct world_change one[] = {
		{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.rounds", "-2", "9223372036854775807", false}};
	const struct pit_knob *knob = rounding_knob();
	struct meddler m = {.step = "write 0", .call = 2, .n = 0, .value = "-9"};
	struct world w;

	if (!knob)
		skip();
	world_new(&w, one, 1);
	m.w = &w;
	w.change[0].knob = knob;
	assert_int_equal(world_apply(&w, meddle, &m, NULL), -EPROTO);
	world_expect(&w, 0, "-2");
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_all_and_journals_what_came_along),
		cmocka_unit_test(d14_silently_unchanged_value_is_a_failure),
		cmocka_unit_test(a_refused_knob_is_named_to_be_skipped),
		cmocka_unit_test(d14_white_space_is_no_difference),
		cmocka_unit_test(stale_value_stops_all),
		cmocka_unit_test(value_that_is_there_already_is_fine),
		cmocka_unit_test(missing_key_is_told),
		cmocka_unit_test(signals_take_all_back),
		cmocka_unit_test(signals_may_come_too_late),
		cmocka_unit_test(ignored_signals_are_ignored),
		cmocka_unit_test(roll_back_leaves_what_is_theirs),
		cmocka_unit_test(failed_roll_back_is_named),
		cmocka_unit_test(empty_plans_and_taken_numbers_are_refused),
		cmocka_unit_test(trial_switches_and_reverts),
		cmocka_unit_test(rounded_numbers_are_ours),
		cmocka_unit_test(far_numbers_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
