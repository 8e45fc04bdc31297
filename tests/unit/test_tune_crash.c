/* SPDX-License-Identifier: MIT
 *
 * The end of the process, at each step of an apply and of a revert: the state tells the truth, and a revert puts all
 * back to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tune_world.h"

#define BYTES 21 /* the change that makes the kernel clear the companion behind it */

static const struct world_change changes[] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "60", "10", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.max_map_count", "65530", "262144", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.numa_balancing", "1", "0", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.zone_reclaim_mode", "0", "1", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.pid_max", "32768", "4194304", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_WORDS, "net.ipv4.tcp_rmem", "4096 131072 6291456", "4096 87380 16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_WORDS, "net.ipv4.tcp_wmem", "4096 16384 4194304", "4096 65536 16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_CHOICE, "net.ipv4.tcp_congestion_control", "cubic", "bbr", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net.core.rmem_max", "212992", "16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net.core.wmem_max", "212992", "16777216", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "fs.aio-max-nr", "65536", "1048576", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_TEXT, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave",
	 "performance", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_TEXT, "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave",
	 "performance", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/block/nvme0n1/queue/read_ahead_kb", "128", "4096", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/block/nvme0n1/queue/nr_requests", "1023", "64", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_CPUS, "/proc/irq/35/smp_affinity_list", "0-3", "0-1", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_MASK, "/proc/irq/36/smp_affinity", "ff", "f", false},
	{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/pitcrew", NULL, "present", false},
	{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/pitcrew/boot", NULL, "present", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/pitcrew/boot/99-zz-pitcrew-0001.ini", NULL,
	 "[irq.affinity]\nvalue = local\n", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/sysctl.d/99-zz-pitcrew-0001.conf", NULL, "# ours\nvm.swappiness = 10\n",
	 false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.dirty_bytes", "0", "536870912", false},
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.dirty_ratio", "20", NULL, true},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/default/grub.d/50-site.cfg", "A=\"b\"\n", "A=\"b c\"\n", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/odd", "\xff\xfe\n", "even\n", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/tmpfiles.d/gone.conf", "w /sys/x - - - - 1", NULL, false},
	{PIT_TARGET_LINK, PIT_VALUE_TEXT, "/etc/systemd/system/multi-user.target.wants/pitcrew-tune-0001.service", NULL,
	 "/etc/systemd/system/pitcrew-tune-0001.service", false},
	{PIT_TARGET_LINK, PIT_VALUE_TEXT, "/etc/alternatives/x", "/usr/bin/a", "/usr/bin/b", false},
};

#define CUT 99
#define DONE 98 /* not 0, at which the leak sanitizer would look at all memory each time */

struct crash {
	const struct world *w;
	int at;   /* number of the call of step() that ends the process; -1 none */
	int here; /* calls so far */
};

/* The kernel clears one of a pair of keys when the other is written. */
static void mimic_kernel(const struct world *w, const char *step)
{
	pit_auto_free char *bytes = NULL;

	if (strncmp(step, "write", 5) != 0 && strncmp(step, "restore", 7) != 0)
		return;
	bytes = world_get(w, &w->change[BYTES].cell);
	if (bytes && strcmp(bytes, "0") != 0)
		world_put(w, &w->change[BYTES + 1].cell, "0");
}

static void step(const char *name, void *arg)
{
	struct crash *c = arg;

	mimic_kernel(c->w, name);
	if (c->here++ == c->at)
		_exit(CUT);
}

enum act { APPLY, REVERT };

static int act_here(const struct world *w, enum act what, struct crash *crash)
{
	struct pit_revert v = {.restored = 0};
	int rc;

	if (what == APPLY)
		return world_apply(w, step, crash, NULL);
	rc = world_revert(w, 1, PIT_REVERT_CAREFUL, step, crash, &v, NULL);
	pit_revert_free(&v);
	return rc;
}

/* In a process of its own. Returns whether it was cut. */
static bool act(const struct world *w, enum act what, int at)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct crash crash = {.w = w, .at = at};
		int rc = act_here(w, what, &crash);

		_exit(rc && rc != -ENOENT ? 1 : DONE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == DONE || WEXITSTATUS(status) == CUT);
	return WEXITSTATUS(status) == CUT;
}

static void new_world(struct world *w)
{
	world_new(w, changes, PIT_COUNT(changes));
	world_file(w, "/etc/sysctl.d/README", "of others\n");
	world_file(w, "/etc/systemd/system/multi-user.target.wants/README", "of others\n");
}

static bool is_changed(const struct world *w, const char *before)
{
	pit_auto_free char *now = world_manifest(w);

	return strcmp(before, now) != 0;
}

/* What the journal says must fit what can be seen. */
static void expect_truth(const struct world *w, const char *before, bool cut)
{
	struct pit_tune_state *s = NULL;
	struct pit_record *r;
	size_t count;

	assert_int_equal(pit_tune_state_open(w->state_dir, false, &s, NULL), 0);
	assert_int_equal(pit_tune_state_list(s, &r, &count, NULL), 0);
	assert_true(count <= 1);
	if (!count || r->state == PIT_TXN_EMPTY)
		assert_false(is_changed(w, before));
	else if (!cut)
		assert_int_equal(r->state, PIT_TXN_APPLIED);
	else
		assert_true(r->state == PIT_TXN_INTERRUPTED || r->state == PIT_TXN_APPLIED);
	for (size_t i = 0; count && i < r->entries; i++)
		if (r->entry[i].set && !r->entry[i].companion)
			world_expect(w, i, w->change[i].new);
	assert_false(count && r->damaged);
	pit_records_free(r, count);
	pit_tune_state_close(s);
}

static void expect_restored(const struct world *w, const char *before)
{
	pit_auto_free char *now = world_manifest(w);
	size_t same = 0;

	while (now[same] && now[same] == before[same])
		same++;
	while (same && now[same - 1] != '\n')
		same--;
	if (strcmp(now, before) != 0)
		fail_msg("was '%.200s', is '%.200s'", before + same, now + same);
}

static void revert_to(const struct world *w, const char *before)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v;
	struct crash none = {.w = w, .at = -1};
	int rc = world_revert(w, 1, PIT_REVERT_CAREFUL, step, &none, &v, &err);

	if (rc && rc != -ENOENT)
		print_error("%s\n", err.text);
	assert_true(!rc || rc == -ENOENT);
	assert_int_equal(v.foreign + v.failed + v.kept + v.gone, 0);
	pit_revert_free(&v);
	expect_restored(w, before);
}

static void cut_at_each_step_of_an_apply(void **state)
{
	bool cut = true;
	int at;

	for (at = 0; cut; at++) {
		pit_auto_free char *before = NULL;
		struct world w;

		new_world(&w);
		before = world_manifest(&w);
		cut = act(&w, APPLY, at);
		expect_truth(&w, before, cut);
		revert_to(&w, before);
		world_free(&w);
	}
	print_message("# note apply: cut at %d steps, none lost\n", at - 1);
	assert_true(at > 100);
}

static void cut_at_each_step_of_a_revert(void **state)
{
	bool cut = true;
	int at;

	for (at = 0; cut; at++) {
		pit_auto_free char *before = NULL;
		struct world w;

		new_world(&w);
		before = world_manifest(&w);
		act(&w, APPLY, -1);
		assert_true(is_changed(&w, before));
		cut = act(&w, REVERT, at);
		if (cut)
			assert_int_not_equal(world_txn_state(&w, 1), PIT_TXN_EMPTY);
		else
			assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
		revert_to(&w, before);
		assert_int_equal(world_txn_state(&w, 1), PIT_TXN_REVERTED);
		world_free(&w);
	}
	print_message("# note revert: cut at %d steps, none lost\n", at - 1);
	assert_true(at > 100);
}

/* Cut off in an apply, then in the revert of that, then reverted at last. */
static void cut_twice(void **state)
{
	for (int first = 60; first < 160; first += 13)
		for (int second = 0; second < 100; second += 11) {
			pit_auto_free char *before = NULL;
			struct world w;

			new_world(&w);
			before = world_manifest(&w);
			act(&w, APPLY, first);
			act(&w, REVERT, second);
			revert_to(&w, before);
			world_free(&w);
		}
}

/* D1: another apply after the cut does not take the tuned values for the ones to be restored. */
static void d01_second_apply_does_not_rebaseline(void **state)
{
	for (int at = 60; at < 170; at += 5) {
		struct pit_revert v;
		struct world w;
		pit_auto_free char *before = NULL;

		new_world(&w);
		before = world_manifest(&w);
		act(&w, APPLY, at);
		world_replan(&w);
		assert_int_equal(world_apply(&w, NULL, NULL, NULL), 0);
		for (int txn = 2; txn > 0; txn--) {
			assert_int_equal(world_revert(&w, txn, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
			pit_revert_free(&v);
		}
		expect_restored(&w, before);
		world_free(&w);
	}
}

/* Bytes up to the end of the last record that was synced: a power cut may take any part of what follows. */
static size_t synced_length(const char *journal)
{
	static const char *const synced[] = {"{\"is\":\"ready\"}", "{\"is\":\"undo\","};
	size_t len = 0;

	for (size_t i = 0; i < PIT_COUNT(synced); i++) {
		const char *at = strstr(journal, synced[i]);

		if (at)
			len = (size_t)(strchr(at, '\n') + 1 - journal);
	}
	return len;
}

/* The values and the journal as a cut left them. */
struct wreck {
	char *now[PIT_COUNT(changes)];
	char *journal;
};

static void wreck_new(enum act what, int at, struct wreck *ret)
{
	struct world w;

	new_world(&w);
	act(&w, APPLY, what == APPLY ? at : -1);
	if (what == REVERT)
		act(&w, REVERT, at);
	for (size_t i = 0; i < PIT_COUNT(changes); i++)
		ret->now[i] = world_get(&w, &w.change[i].cell);
	ret->journal = tree_slurp("%s/tune/0001.journal", w.state_dir);
	world_free(&w);
}

static void wreck_free(struct wreck *r)
{
	for (size_t i = 0; i < PIT_COUNT(changes); i++)
		free(r->now[i]);
	free(r->journal);
}

/* Cut at a step, then every so many bytes of what the last sync did not cover. */
static void tear(enum act what, int at, size_t stride)
{
	struct wreck wreck;
	size_t len;

	wreck_new(what, at, &wreck);
	len = strlen(wreck.journal);
	for (size_t cut = synced_length(wreck.journal); cut <= len; cut += stride) {
		pit_auto_free char *before = NULL;
		struct world w;

		new_world(&w);
		before = world_manifest(&w);
		for (size_t i = 0; i < PIT_COUNT(changes); i++)
			world_put(&w, &w.change[i].cell, wreck.now[i]);
		assert_int_equal(mkdir(w.state_dir, 0700), 0);
		assert_int_equal(tempdir_write(w.state_dir, "tune/0001.journal", wreck.journal, cut), 0);
		assert_int_equal(world_txn_state(&w, 1), what == APPLY ? PIT_TXN_INTERRUPTED : PIT_TXN_UNDOING);
		revert_to(&w, before);
		world_free(&w);
	}
	wreck_free(&wreck);
}

static void torn_at_each_byte(void **state)
{
	tear(APPLY, 120, 1);
	tear(APPLY, 165, 7);
	tear(REVERT, 60, 3);
	tear(REVERT, 110, 7);
}

/* Before "ready" nothing was written, and that is what any beginning of the journal says. */
static void any_beginning_is_readable(void **state)
{
	pit_auto_free char *journal = NULL;
	struct world w;
	size_t ready;

	new_world(&w);
	act(&w, APPLY, -1);
	journal = tree_slurp("%s/tune/0001.journal", w.state_dir);
	ready = synced_length(journal);
	for (size_t cut = 0; cut <= strlen(journal); cut++) {
		struct pit_record r = {0};

		assert_int_equal(pit_journal_parse(journal, cut, &r, NULL), 0);
		assert_false(r.damaged);
		if (cut < ready)
			assert_int_equal(r.state, PIT_TXN_EMPTY);
		else if (cut < strlen(journal))
			assert_int_equal(r.state, PIT_TXN_INTERRUPTED);
		else
			assert_int_equal(r.state, PIT_TXN_APPLIED);
		pit_record_free(&r);
	}
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_each_step_of_an_apply),
		cmocka_unit_test(cut_at_each_step_of_a_revert),
		cmocka_unit_test(cut_twice),
		cmocka_unit_test(d01_second_apply_does_not_rebaseline),
		cmocka_unit_test(torn_at_each_byte),
		cmocka_unit_test(any_beginning_is_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
