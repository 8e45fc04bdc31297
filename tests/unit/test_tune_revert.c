/* SPDX-License-Identifier: MIT
 *
 * Reverting after somebody else, after a reboot, and in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tune_world.h"

static const struct world_change changes[] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "60", "10", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.numa_balancing", "1", "0", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_CPUS, "/proc/irq/35/smp_affinity_list", "0-3", "0-1", false},
	{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/d", NULL, "present", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/d/x.conf", NULL, "ours\n", false},
};

static void apply(struct world *w, const struct world_change *list, size_t count)
{
	world_new(w, list, count);
	world_file(w, "/etc/README", "");
	assert_int_equal(world_apply(w, NULL, NULL, NULL), 0);
}

static struct pit_revert revert(const struct world *w, int txn, enum pit_revert_mode mode, int rc)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v;
	int got = world_revert(w, txn, mode, NULL, NULL, &v, &err);

	if (got != rc)
		fail_msg("%d instead of %d: %s", got, rc, err.text);
	return v;
}

static void reboot(const struct world *w)
{
	world_file(w, "/proc/sys/kernel/random/boot_id", "99999999-2222-3333-4444-555555555555\n");
}

/* D12: putting back needs no option that had to be given in time. */
static void d12_undo_needs_no_preparation(void **state)
{
	struct pit_revert v;
	struct world w;

	apply(&w, changes, PIT_COUNT(changes));
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	assert_int_equal(v.restored, PIT_COUNT(changes));
	pit_revert_free(&v);
	for (size_t n = 0; n < PIT_COUNT(changes); n++)
		world_expect(&w, n, changes[n].old);
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0); /* once more: says so, does nothing */
	assert_int_equal(v.restored, 0);
	assert_int_equal(v.notes.count, 1);
	assert_non_null(strstr(v.notes.item[0], "reverted already"));
	pit_revert_free(&v);
	v = revert(&w, 5, PIT_REVERT_CAREFUL, -ENOENT);
	world_free(&w);
}

static void foreign_change_is_not_overwritten(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v;
	struct world w;

	apply(&w, changes, PIT_COUNT(changes));
	world_put(&w, &w.change[1].cell, "5");
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, &err), -EEXIST);
	assert_int_equal(v.foreign, 1);
	assert_int_equal(v.undo[1].how, PIT_UNDONE_KEPT);
	assert_string_equal(v.undo[1].now, "5");
	assert_string_equal(v.record.entry[1].old, "1");
	assert_string_equal(v.record.entry[1].new, "0");
	assert_non_null(strstr(err.text, "--merge"));
	pit_revert_free(&v);
	world_expect(&w, 0, "10"); /* nothing was done */
	world_expect(&w, 1, "5");
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_APPLIED);
	world_free(&w);
}

static void merge_leaves_and_force_overwrites(void **state)
{
	static const struct {
		enum pit_revert_mode mode;
		const char *value, *file;
		size_t kept;
	} cases[] = {{PIT_REVERT_MERGE, "5", "theirs\n", 3}, {PIT_REVERT_FORCE, "1", NULL, 0}};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct pit_revert v;
		struct world w;

		apply(&w, changes, PIT_COUNT(changes));
		world_put(&w, &w.change[1].cell, "5");
		world_put(&w, &w.change[4].cell, "theirs\n");
		v = revert(&w, 1, cases[i].mode, 0);
		assert_int_equal(v.kept, cases[i].kept); /* with the directory that holds their file */
		pit_revert_free(&v);
		world_expect(&w, 0, "60");
		world_expect(&w, 1, cases[i].value);
		world_expect(&w, 4, cases[i].file);
		assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
		world_free(&w);
	}
}

struct cut {
	int at, here;
};

static void cut_apply(const char *step, void *arg)
{
	struct cut *c = arg;

	if (c->here++ == c->at)
		_exit(0);
}

/* What --merge left stays known: told again, and put back when asked to; what somebody set after the revert is not. */
static void kept_can_be_forced_later(void **state)
{
	struct pit_record r;
	struct pit_revert v;
	struct world w;

	apply(&w, changes, PIT_COUNT(changes));
	world_put(&w, &w.change[1].cell, "5");
	world_put(&w, &w.change[4].cell, "theirs\n");
	v = revert(&w, 1, PIT_REVERT_MERGE, 0);
	pit_revert_free(&v);
	world_put(&w, &w.change[0].cell, "10"); /* as we had it, but not by us */
	v = revert(&w, 1, PIT_REVERT_MERGE, 0);
	assert_int_equal(v.kept, 3);
	assert_int_equal(v.restored + v.already + v.gone + v.failed, 0);
	assert_non_null(strstr(v.notes.item[0], "3 of its values"));
	pit_revert_free(&v);
	world_expect(&w, 4, "theirs\n");
	v = revert(&w, 1, PIT_REVERT_FORCE, 0);
	assert_int_equal(v.restored, 3);
	assert_int_equal(v.undo[0].how, PIT_UNDONE_NOT);
	pit_revert_free(&v);
	world_expect(&w, 0, "10");
	world_expect(&w, 1, "1");
	world_expect(&w, 3, NULL);
	r = world_record(&w, 1);
	assert_int_equal(r.state, PIT_TXN_REVERTED);
	assert_int_equal(r.entry[4].undone, PIT_UNDONE_RESTORED);
	pit_record_free(&r);
	v = revert(&w, 1, PIT_REVERT_FORCE, 0);
	assert_int_equal(v.kept + v.restored, 0);
	pit_revert_free(&v);
	world_free(&w);
}

/* A forced one that was cut off goes on with what is open, and with nothing else. */
static void forcing_the_kept_can_be_cut_off(void **state)
{
	struct pit_revert v;
	struct world w;
	int status;
	pid_t pid;

	apply(&w, changes, PIT_COUNT(changes));
	world_put(&w, &w.change[1].cell, "5");
	world_put(&w, &w.change[4].cell, "theirs\n");
	v = revert(&w, 1, PIT_REVERT_MERGE, 0);
	pit_revert_free(&v);
	world_put(&w, &w.change[0].cell, "10");
	pid = fork();
	if (!pid) {
		struct cut cut = {.at = 6}; /* undo, restore 4, undone 4: each twice */

		world_revert(&w, 1, PIT_REVERT_FORCE, cut_apply, &cut, &v, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_UNDOING);
	v = revert(&w, 1, PIT_REVERT_FORCE, 0);
	assert_int_equal(v.restored, 2);
	pit_revert_free(&v);
	world_expect(&w, 0, "10");
	world_expect(&w, 1, "1");
	world_expect(&w, 3, NULL);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
	world_free(&w);
}

static void after_a_reboot_runtime_values_are_gone(void **state)
{
	struct pit_revert v;
	struct world w;

	apply(&w, changes, PIT_COUNT(changes));
	reboot(&w);
	world_put(&w, &w.change[0].cell, "60");
	world_put(&w, &w.change[1].cell, "0"); /* by chance: not ours any more */
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	assert_int_equal(v.gone, 3);
	assert_int_equal(v.restored, 2);
	pit_revert_free(&v);
	world_expect(&w, 1, "0");
	world_expect(&w, 4, NULL);
	world_expect(&w, 3, NULL);
	world_free(&w);
}

static void after_a_reboot_persistent_values_are_put_back(void **state)
{
	struct pit_revert v;
	struct world w;

	world_new(&w, changes, PIT_COUNT(changes));
	world_file(&w, "/etc/README", "");
	w.plan.persist = true;
	assert_int_equal(world_apply(&w, NULL, NULL, NULL), 0);
	reboot(&w);
	world_put(&w, &w.change[1].cell, "7"); /* set at boot by something else: neither ours nor in the way */
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	assert_int_equal(v.undo[0].how, PIT_UNDONE_RESTORED);
	assert_int_equal(v.undo[1].how, PIT_UNDONE_GONE);
	assert_int_equal(v.undo[2].how, PIT_UNDONE_GONE); /* interrupt 35 may be another device's now */
	assert_int_equal(v.undo[4].how, PIT_UNDONE_RESTORED);
	pit_revert_free(&v);
	world_expect(&w, 0, "60");
	world_expect(&w, 1, "7");
	world_expect(&w, 2, "0-1");
	world_expect(&w, 4, NULL);
	world_free(&w);
}

static const struct world_change second[] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "10", "1", false},
};

static void apply_second(struct world *w)
{
	world_unplan(w);
	world_plan(w, second, 1);
	assert_int_equal(world_apply(w, NULL, NULL, NULL), 0);
}

static void later_transaction_counts_as_changed_since(void **state)
{
	struct pit_revert v;
	struct world w;

	apply(&w, changes, 2);
	apply_second(&w);
	v = revert(&w, 1, PIT_REVERT_CAREFUL, -EEXIST);
	assert_int_equal(v.foreign, 1);
	assert_int_equal(v.undo[0].later, 2);
	pit_revert_free(&v);
	/* Newest first there is nothing in the way. */
	v = revert(&w, 2, PIT_REVERT_CAREFUL, 0);
	pit_revert_free(&v);
	world_expect(&w, 0, "10");
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	pit_revert_free(&v);
	world_expect(&w, 0, "60");
	world_free(&w);
}

/* In any order, what was there before both comes back. */
static void old_value_passes_through_reverted_transactions(void **state)
{
	static const enum pit_revert_mode modes[] = {PIT_REVERT_MERGE, PIT_REVERT_FORCE};

	for (size_t i = 0; i < PIT_COUNT(modes); i++) {
		struct pit_revert v;
		struct world w;

		apply(&w, changes, 2);
		apply_second(&w);
		v = revert(&w, 1, modes[i], 0);
		pit_revert_free(&v);
		world_expect(&w, 0, modes[i] == PIT_REVERT_MERGE ? "1" : "60");
		v = revert(&w, 2, PIT_REVERT_CAREFUL, 0);
		assert_string_equal(v.record.entry[0].old, "60");
		pit_revert_free(&v);
		world_expect(&w, 0, "60");
		world_free(&w);
	}
}

static void files_are_restored_with_their_mode(void **state)
{
	static const struct world_change one[] = {
		{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/site.conf", "a\n\n  b", "c\n", false}};
	struct pit_revert v;
	char path[160];
	struct stat st;
	struct world w;

	world_new(&w, one, 1);
	snprintf(path, sizeof(path), "%s/etc/site.conf", w.dir);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(world_apply(&w, NULL, NULL, NULL), 0);
	/* What a write that was cut off left behind goes, too. */
	world_file(&w, "/etc/.site.conf.pitcrew", "half");
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	pit_revert_free(&v);
	world_expect(&w, 0, "a\n\n  b");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	snprintf(path, sizeof(path), "%s/etc/.site.conf.pitcrew", w.dir);
	assert_int_equal(access(path, F_OK), -1);
	world_free(&w);
}

/* What a write that was cut off left beside a file or a link goes with it; else its directory could not. */
static void remains_go_along(void **state)
{
	static const struct world_change list[] = {
		{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/new.d", NULL, "present", false},
		{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/new.d/file", NULL, "x\n", false},
		{PIT_TARGET_LINK, PIT_VALUE_TEXT, "/etc/new.d/link", NULL, "/etc/hosts", false}};
	struct pit_revert v;
	struct world w;

	apply(&w, list, 3);
	world_file(&w, "/etc/new.d/.file.pitcrew", "half of");
	tempdir_link(w.dir, "/etc/new.d/.link.pitcrew", "/etc/hosts");
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
	assert_int_equal(v.restored, 3);
	pit_revert_free(&v);
	world_expect(&w, 0, NULL);
	world_free(&w);
}

static void vanished_devices_are_gone(void **state)
{
	struct pit_revert v;
	struct world w;

	apply(&w, changes, 2);
	world_put(&w, &w.change[1].cell, NULL);
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	assert_int_equal(v.gone, 1);
	assert_int_equal(v.restored, 1);
	pit_revert_free(&v);
	world_free(&w);
}

/* An apply that was cut off did not come to a cell; somebody else's value there is no reason to refuse. */
static void cells_not_reached_are_not_suspected(void **state)
{
	struct pit_revert v;
	struct world w;
	int status;
	pid_t pid;

	world_new(&w, changes, 3);
	pid = fork();
	if (!pid) {
		struct cut cut = {.at = 14}; /* begin, intend 0 to 2, ready, write 0, set 0: each twice */

		world_apply(&w, cut_apply, &cut, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	world_put(&w, &w.change[2].cell, "2");
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_INTERRUPTED);
	v = revert(&w, 1, PIT_REVERT_CAREFUL, 0);
	assert_int_equal(v.undo[0].how, PIT_UNDONE_RESTORED);
	assert_int_equal(v.undo[2].how, PIT_UNDONE_KEPT);
	pit_revert_free(&v);
	world_expect(&w, 2, "2");
	world_free(&w);
}

struct reader {
	const struct world *w;
	const char *value;
};

static void becomes_readable(const char *step, void *arg)
{
	const struct reader *r = arg;

	if (!strcmp(step, "undo"))
		world_put(r->w, &r->w->change[0].cell, r->value);
}

/* What could not be read at first and can be later: whose it is decides, as ever. */
static void unreadable_values_are_not_overwritten(void **state)
{
	static const struct {
		enum pit_revert_mode mode;
		const char *value, *found, *left;
		enum pit_undone how;
		int rc;
	} rows[] = {
		{PIT_REVERT_CAREFUL, "33", "33", "33", PIT_UNDONE_KEPT, 0},
		{PIT_REVERT_CAREFUL, "10", "10", "60", PIT_UNDONE_RESTORED, 0},
		{PIT_REVERT_CAREFUL, "60", "60", "60", PIT_UNDONE_ALREADY, 0},
		{PIT_REVERT_CAREFUL, "much", NULL, NULL, PIT_UNDONE_FAILED, -EIO},
		{PIT_REVERT_FORCE, "much", NULL, "60", PIT_UNDONE_RESTORED, 0},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct reader r = {.value = rows[i].value};
		struct pit_revert v;
		struct world w;

		apply(&w, changes, 2);
		r.w = &w;
		world_put(&w, &w.change[0].cell, "much");
		assert_int_equal(world_revert(&w, 1, rows[i].mode, becomes_readable, &r, &v, NULL), rows[i].rc);
		assert_int_equal(v.undo[0].how, rows[i].how);
		assert_int_equal(!v.undo[0].error, !rows[i].rc);
		assert_string_equal(v.undo[0].now ? v.undo[0].now : "?", rows[i].found ? rows[i].found : "?");
		if (rows[i].left)
			world_expect(&w, 0, rows[i].left);
		pit_revert_free(&v);
		world_free(&w);
	}
}

static void verdicts_of(const struct world *w, int txn, const enum pit_holds *wanted, size_t count)
{
	struct pit_record r = world_record(w, txn);
	struct pit_verdict *v = NULL;
	struct pit_root *root = NULL;

	assert_int_equal(pit_root_open(w->dir, &root, NULL), 0);
	assert_int_equal(pit_verify(root, &r, &v, NULL), 0);
	for (size_t n = 0; n < count; n++)
		assert_int_equal(v[n].holds, wanted[n]);
	pit_verdicts_free(v, r.entries);
	pit_root_close(root);
	pit_record_free(&r);
}

/* D2: a key that is not there any more fails to verify; D3: the values come along for the message. */
static void d02_missing_key_does_not_hold(void **state)
{
	static const enum pit_holds all[] = {PIT_HOLDS, PIT_HOLDS, PIT_HOLDS, PIT_HOLDS, PIT_HOLDS};
	static const enum pit_holds some[] = {PIT_HOLDS_MISSING, PIT_HOLDS_OLD, PIT_HOLDS_OTHER, PIT_HOLDS,
					      PIT_HOLDS_OLD};
	static const enum pit_holds later[] = {PIT_HOLDS_GONE, PIT_HOLDS_GONE, PIT_HOLDS_GONE, PIT_HOLDS,
					       PIT_HOLDS_OLD};
	struct world w;

	apply(&w, changes, PIT_COUNT(changes));
	verdicts_of(&w, 1, all, PIT_COUNT(all));
	world_put(&w, &w.change[0].cell, NULL);
	world_put(&w, &w.change[1].cell, "1");
	world_put(&w, &w.change[2].cell, "3");
	world_put(&w, &w.change[4].cell, NULL);
	verdicts_of(&w, 1, some, PIT_COUNT(some));
	reboot(&w);
	verdicts_of(&w, 1, later, PIT_COUNT(later));
	world_free(&w);
}

static void d03_verdict_tells_what_was_found(void **state)
{
	struct pit_verdict *v = NULL;
	struct pit_root *root = NULL;
	struct pit_record r;
	struct world w;

	apply(&w, changes, 2);
	world_put(&w, &w.change[1].cell, "5");
	r = world_record(&w, 1);
	assert_int_equal(pit_root_open(w.dir, &root, NULL), 0);
	assert_int_equal(pit_verify(root, &r, &v, NULL), 0);
	assert_int_equal(v[1].holds, PIT_HOLDS_OTHER);
	assert_string_equal(v[1].now, "5");
	assert_string_equal(r.entry[1].cell.object, "kernel.numa_balancing");
	assert_string_equal(r.entry[1].new, "0");
	pit_verdicts_free(v, r.entries);
	pit_root_close(root);
	pit_record_free(&r);
	world_free(&w);
}

/* The second waits for the first, and its transaction comes behind it. */
static void two_applies_at_once(void **state)
{
	struct pit_tune_state *mine;
	struct world w;
	int status;
	pid_t pid;

	world_new(&w, changes, 2);
	mine = world_state(&w);
	pid = fork();
	if (!pid) {
		struct pit_tune_state *s = NULL;
		int rc;

		pit_tune_state_close(mine); /* the copy of the lock that fork made */
		rc = pit_tune_state_open(w.state_dir, true, &s, NULL);
		if (!rc)
			rc = pit_tune_state_lock(s, 0, NULL) == -EBUSY ? pit_tune_state_lock(s, 20, NULL) : -EPROTO;
		pit_tune_state_close(s);
		_exit(rc || world_apply(&w, NULL, NULL, NULL));
	}
	usleep(200000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	pit_tune_state_close(mine);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(world_txn_state(&w, 1), PIT_TXN_APPLIED);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(d12_undo_needs_no_preparation),
		cmocka_unit_test(foreign_change_is_not_overwritten),
		cmocka_unit_test(merge_leaves_and_force_overwrites),
		cmocka_unit_test(kept_can_be_forced_later),
		cmocka_unit_test(forcing_the_kept_can_be_cut_off),
		cmocka_unit_test(after_a_reboot_runtime_values_are_gone),
		cmocka_unit_test(after_a_reboot_persistent_values_are_put_back),
		cmocka_unit_test(later_transaction_counts_as_changed_since),
		cmocka_unit_test(old_value_passes_through_reverted_transactions),
		cmocka_unit_test(files_are_restored_with_their_mode),
		cmocka_unit_test(remains_go_along),
		cmocka_unit_test(vanished_devices_are_gone),
		cmocka_unit_test(cells_not_reached_are_not_suspected),
		cmocka_unit_test(unreadable_values_are_not_overwritten),
		cmocka_unit_test(d02_missing_key_does_not_hold),
		cmocka_unit_test(d03_verdict_tells_what_was_found),
		cmocka_unit_test(two_applies_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
