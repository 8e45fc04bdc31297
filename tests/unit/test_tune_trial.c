/* SPDX-License-Identifier: MIT
 *
 * Trials on a machine of plain files: the command is a shell script that reads "the kernel's" values and prints a rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "report/text.h"
#include "tune/guard.h"
#include "tune/trial.h"
#include "tune_world.h"

static const struct world_change changes[] = {
	{PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness", "60", "10", false},
	{PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/block/nvme0n1/queue/read_ahead_kb", "128", "4096", false},
};

struct lab {
	struct world w;
	struct pit_setting setting[PIT_COUNT(changes)];
	struct pit_trial_options options;
	struct pit_trial trial;
	struct pit_error err;
	char script[2048];
	const char *argv[4];
};

/* In the script "$s" is the value of vm.swappiness, "$f" its file, "$d" the directory above the machine. */
static void lab_new(struct lab *l, const char *script)
{
	*l = (struct lab){.argv = {"/bin/sh", "-c", l->script, NULL}};
	world_new(&l->w, changes, PIT_COUNT(changes));
	for (size_t i = 0; i < PIT_COUNT(changes); i++) {
		l->setting[i] = (struct pit_setting){
			.knob = pit_knob_find(i ? "block.readahead" : "vm.swappiness"),
			.value = l->w.change[i].new,
		};
		assert_non_null(l->setting[i].knob);
		l->w.change[i].setting = &l->setting[i];
		l->w.change[i].knob = l->setting[i].knob;
	}
	snprintf(l->script, sizeof(l->script), "d=%s; f=%s/proc/sys/vm/swappiness; s=$(cat $f); %s", l->w.top, l->w.dir,
		 script);
	l->options = (struct pit_trial_options){
		.rounds = 6,
		.confidence = 0.95,
		.least = 0.01,
		.metric = {.pattern = "^rate", .higher_is_better = true},
		.argv = l->argv,
	};
}

static void lab_free(struct lab *l)
{
	pit_trial_free(&l->trial);
	world_free(&l->w);
}

static int lab_run(struct lab *l)
{
	struct pit_tune_state *s = world_state(&l->w);
	struct pit_place *p = world_place(&l->w);
	int rc = pit_trial_run(s, p, &l->w.plan, &l->options, &l->trial, &l->err);

	pit_place_close(p);
	pit_tune_state_close(s);
	return rc;
}

static void expect_as_before(const struct lab *l)
{
	world_expect(&l->w, 0, "60");
	world_expect(&l->w, 1, "128");
	assert_int_equal(world_txn_state(&l->w, 1), PIT_TXN_REVERTED);
}

static void finds_an_effect_and_puts_all_back(void **state)
{
	struct lab l;
	pit_auto_free char *before = NULL, *after = NULL;

	lab_new(&l, "if [ $s = 10 ]; then echo rate 120; else echo rate 100; fi");
	before = world_manifest(&l.w);
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_DONE);
	assert_int_equal(l.trial.txn, 1);
	assert_int_equal(l.trial.pairs.count, 6);
	assert_int_equal(l.trial.pairs.effect, PIT_EFFECT_BETTER);
	assert_true(l.trial.pairs.ratio.low > 1.199 && l.trial.pairs.ratio.high < 1.201);
	assert_true(l.trial.restored);
	assert_int_equal(l.trial.kept.count, 0);
	assert_true(pit_trial_is_proven(&l.trial));
	after = world_manifest(&l.w);
	assert_string_equal(before, after);
	expect_as_before(&l);
	lab_free(&l);
}

static void finds_none_in_a_placebo(void **state)
{
	struct lab l;

	lab_new(&l, "n=$(cat $d/n 2>/dev/null || echo 0); echo $((n + 1)) >$d/n; echo rate $((1000 + n * 7919 % 31))");
	l.options.rounds = 8;
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.pairs.effect, PIT_EFFECT_NONE);
	assert_false(pit_trial_is_proven(&l.trial));
	expect_as_before(&l);
	lab_free(&l);
}

static void runs_in_turns(void **state)
{
	struct lab l;
	pit_auto_free char *log = NULL;

	lab_new(&l, "printf '%s ' $s >>$d/log; echo rate 1");
	l.options.rounds = 4;
	l.options.warmup = 2;
	assert_int_equal(lab_run(&l), 0);
	log = tree_slurp("%s/log", l.w.top);
	assert_string_equal(log, "60 60 60 10 10 60 60 10 10 60 ");
	lab_free(&l);
}

/* The kernel changes read-ahead along with the scheduler, which the script plays. */
static void runs_without_what_the_kernel_changed_along(void **state)
{
	static const char script[] =
		"a=$d/machine/sys/block/nvme0n1/queue/read_ahead_kb; read -r r <$a; printf '%s/%s ' $s $r >>$d/log; "
		"[ $s = 10 ] && echo 512 >$a; echo rate 1";
	pit_auto_free char *log = NULL;
	struct lab l;

	lab_new(&l, script);
	l.w.change[1].companion = true;
	l.w.change[1].setting = &l.setting[0];
	l.options.rounds = 4;
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_DONE);
	log = tree_slurp("%s/log", l.w.top);
	assert_string_equal(log, "60/128 10/128 10/512 60/128 60/128 10/128 10/512 60/128 ");
	lab_free(&l);
}

static void stops_when_the_command_fails(void **state)
{
	struct lab l;

	lab_new(&l, "echo x >>$d/n; [ $(wc -l <$d/n) = 7 ] && { echo no memory; exit 9; }; echo rate 1");
	l.options.warmup = 1;
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_COMMAND);
	assert_string_equal(l.trial.stopped, "run 7: /bin/sh ended with exit code 9: no memory");
	assert_string_equal(l.trial.words, "no memory");
	assert_int_equal(l.trial.pairs.count, 2); /* the third was cut off */
	assert_true(l.trial.pairs.judged);
	assert_true(l.trial.restored);
	assert_false(pit_trial_is_proven(&l.trial));
	expect_as_before(&l);
	lab_free(&l);
}

static void leaves_what_the_command_changes(void **state)
{
	struct lab l;

	lab_new(&l, "[ $s = 10 ] && echo 33 >$f; echo rate 1");
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_FOREIGN);
	print_message("# %s\n", l.trial.stopped);
	assert_non_null(strstr(l.trial.stopped, "vm.swappiness"));
	assert_non_null(strstr(l.trial.stopped, "from 10 to 33"));
	assert_int_equal(l.trial.kept.count, 1);
	assert_non_null(strstr(l.trial.kept.item[0], "33"));
	assert_true(l.trial.restored);
	world_expect(&l.w, 0, "33");
	world_expect(&l.w, 1, "128");
	lab_free(&l);
}

static void leaves_what_the_last_run_changes(void **state)
{
	struct lab l;

	lab_new(&l, "echo x >>$d/n; [ $(wc -l <$d/n) = 12 ] && echo 33 >$f; echo rate 1");
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_DONE);
	assert_int_equal(l.trial.kept.count, 1);
	world_expect(&l.w, 0, "33");
	world_expect(&l.w, 1, "128");
	lab_free(&l);
}

static void ends_on_a_signal(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	for (size_t i = 0; i < PIT_COUNT(signals); i++) {
		struct lab l;
		char script[128];

		snprintf(script, sizeof(script),
			 "echo x >>$d/n; [ $(wc -l <$d/n) = 6 ] && { kill -%d $PPID; sleep 20; }; echo rate 1",
			 signals[i]);
		lab_new(&l, script);
		assert_int_equal(lab_run(&l), 0);
		assert_int_equal(l.trial.end, PIT_TRIAL_SIGNAL);
		assert_int_equal(l.trial.signal, signals[i]);
		assert_int_equal(l.trial.pairs.count, 2);
		expect_as_before(&l);
		lab_free(&l);
	}
}

/* Runs the trial in a process of its own; its wait status. */
static int run_apart(struct lab *l)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		_exit(lab_run(l) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool restored_within(const struct lab *l, int ms)
{
	for (int64_t until = pit_now() + ms * PIT_MS; pit_now() < until; usleep(10000)) {
		pit_auto_free char *a = world_get(&l->w, &l->w.change[0].cell);
		pit_auto_free char *b = world_get(&l->w, &l->w.change[1].cell);

		if (!strcmp(a, "60") && !strcmp(b, "128") && world_txn_state(&l->w, 1) == PIT_TXN_REVERTED)
			return true;
	}
	return false;
}

/* The lock that the guardian kept is free when it is gone. */
static void wait_for_lock(const struct lab *l)
{
	struct pit_tune_state *s = NULL;

	assert_int_equal(pit_tune_state_open(l->w.state_dir, false, &s, NULL), 0);
	assert_int_equal(pit_tune_state_lock(s, 5, NULL), 0);
	pit_tune_state_close(s);
}

static void is_put_right_by_the_guardian_when_killed(void **state)
{
	struct pit_record r;
	struct lab l;

	lab_new(&l, "[ $s = 10 ] && { kill -9 -$PPID; sleep 20; }; echo rate 1");
	assert_true(WIFSIGNALED(run_apart(&l)));
	assert_true(restored_within(&l, 1000));
	wait_for_lock(&l);
	r = world_record(&l.w, 1);
	assert_string_equal(r.kind, "trial");
	assert_string_equal(r.why, "guard");
	pit_record_free(&r);
	lab_free(&l);
}

static void is_interrupted_when_the_guardian_is_killed_too(void **state)
{
	struct pit_revert v;
	struct lab l;

	lab_new(&l,
		"[ $s = 10 ] && { kill -STOP $PPID; pkill -9 -P $PPID pitcrew-guard; kill -9 $PPID; }; echo rate 1");
	assert_true(WIFSIGNALED(run_apart(&l)));
	wait_for_lock(&l);
	assert_int_equal(world_txn_state(&l.w, 1), PIT_TXN_INTERRUPTED);
	world_expect(&l.w, 0, "10");
	assert_int_equal(world_revert(&l.w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &v, NULL), 0);
	pit_revert_free(&v);
	expect_as_before(&l);
	lab_free(&l);
}

/* Dismissed, it does nothing; it holds nothing of what we were handed; it does not heed what ends others. */
static void has_a_quiet_guardian(void **state)
{
	struct pit_guard g = PIT_GUARD_INIT;
	struct pit_tune_state *s;
	struct pit_place *p;
	struct lab l;
	int ends[2];
	char byte;

	lab_new(&l, "");
	assert_int_equal(world_apply(&l.w, NULL, NULL, NULL), 0);
	s = world_state(&l.w);
	p = world_place(&l.w);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pit_guard_start(s, p, 1, &g, NULL), 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	kill(g.pid, SIGTERM);
	kill(g.pid, SIGINT);
	kill(g.pid, SIGHUP);
	usleep(50000);
	assert_int_equal(kill(g.pid, 0), 0);
	pit_guard_dismiss(&g);
	assert_int_equal(g.pid, 0);
	world_expect(&l.w, 0, "10");
	close(ends[0]);
	pit_place_close(p);
	pit_tune_state_close(s);
	lab_free(&l);
}

static void applies_what_is_to_be_kept(void **state)
{
	pit_auto_strv struct pit_strv notes = {0};
	struct pit_tune_state *s;
	struct pit_place *p;
	struct lab l;
	int txn = 0;

	lab_new(&l, "if [ $s = 10 ]; then echo rate 120; else echo rate 100; fi");
	assert_int_equal(lab_run(&l), 0);
	s = world_state(&l.w);
	p = world_place(&l.w);
	assert_int_equal(pit_trial_keep(s, p, &l.w.plan, &txn, &notes, NULL), 0);
	assert_int_equal(txn, 2);
	assert_int_equal(world_txn_state(&l.w, 2), PIT_TXN_APPLIED);
	world_expect(&l.w, 0, "10");
	pit_place_close(p);
	pit_tune_state_close(s);
	lab_free(&l);
}

static void refuses_before_it_begins(void **state)
{
	struct pit_knob later = {.id = "limits.memlock", .takes = PIT_TAKES_LOGIN};
	struct lab l;

	lab_new(&l, "echo rate 1");
	l.options.metric.pattern = "(";
	assert_int_equal(lab_run(&l), -EINVAL);
	l.options.metric.pattern = "rate";
	l.w.change[1].knob = &later;
	assert_int_equal(lab_run(&l), -EOPNOTSUPP);
	assert_non_null(strstr(l.err.text, "new logins only"));
	l.w.plan.changes = 0;
	assert_int_equal(lab_run(&l), -ENOENT);
	l.w.plan.changes = PIT_COUNT(changes);
	assert_int_equal(l.trial.txn, 0);
	world_expect(&l.w, 0, "60");
	lab_free(&l);
}

static void cannot_start_the_command(void **state)
{
	struct lab l;

	lab_new(&l, "");
	l.argv[0] = "/nowhere/to/be/found";
	assert_int_equal(lab_run(&l), 0);
	assert_int_equal(l.trial.end, PIT_TRIAL_COMMAND);
	assert_non_null(strstr(l.trial.stopped, "cannot run /nowhere/to/be/found"));
	assert_false(l.trial.pairs.judged);
	expect_as_before(&l);
	lab_free(&l);
}

static void tells_it_as_text_and_json(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = {.out = &out, .width = 80};
	struct lab l;
	json_t *j;

	lab_new(&l, "if [ $s = 10 ]; then echo rate 120; else echo rate 100; fi");
	assert_int_equal(lab_run(&l), 0);
	pit_trial_text(&l.trial, &l.w.plan, &l.options, &page);
	print_message("# %s\n", out.data);
	assert_non_null(strstr(out.data, "vm.swappiness: 60 -> 10"));
	assert_non_null(strstr(out.data, "Better: with it the number is 20 % higher"));
	assert_non_null(strstr(out.data, "Every value is as it was before the trial."));
	assert_non_null(strstr(out.data, "(95 % interval)"));
	assert_true(pit_trial_is_proven(&l.trial));
	j = pit_trial_json(&l.trial, &l.w.plan, &l.options);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "pairs")), 6);
	assert_string_equal(json_string_value(json_object_get(j, "effect")), "better");
	assert_true(json_is_true(json_object_get(j, "restored")));
	json_decref(j);
	lab_free(&l);
}

static void tells_large_shares_in_plain_digits(void **state)
{
	static const struct {
		double high;
		const char *text;
	} cases[] = {{2.6, "up to 160 % may"}, {1.996, "up to 100 % may"}, {1.031, "up to 3.1 % may"}};
	const struct pit_trial_options options = {.rounds = 8, .confidence = 0.95, .least = 0.01};
	const struct pit_plan plan = {.changes = 0};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_page page = {.out = &out, .width = 200};
		struct pit_trial t = {.pairs.judged = true, .pairs.effect = PIT_EFFECT_NONE};

		t.pairs.ratio.low = 0.99;
		t.pairs.ratio.median = 1;
		t.pairs.ratio.high = cases[i].high;
		t.pairs.ratio.confidence = 0.95;
		pit_trial_text(&t, &plan, &options, &page);
		assert_non_null(strstr(out.data, cases[i].text));
	}
}

/* All three of three pairs on one side: one placebo in four does that. */
static void calls_nothing_better_that_few_pairs_show(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = {.out = &out, .width = 80};
	struct lab l;
	json_t *j;

	lab_new(&l, "if [ $s = 10 ]; then echo rate 120; else echo rate 100; fi");
	l.options.rounds = 3;
	assert_int_equal(lab_run(&l), 0);
	pit_trial_text(&l.trial, &l.w.plan, &l.options, &page);
	print_message("# %s\n", out.data);
	assert_null(strstr(out.data, "Better"));
	assert_non_null(strstr(out.data, "Not enough pairs to tell."));
	assert_non_null(strstr(out.data, "--rounds=6"));
	assert_non_null(strstr(out.data, "(75 % interval)"));
	assert_false(pit_trial_is_proven(&l.trial));
	j = pit_trial_json(&l.trial, &l.w.plan, &l.options);
	assert_string_equal(json_string_value(json_object_get(j, "effect")), "unsure");
	json_decref(j);
	lab_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_an_effect_and_puts_all_back),
		cmocka_unit_test(finds_none_in_a_placebo),
		cmocka_unit_test(runs_in_turns),
		cmocka_unit_test(runs_without_what_the_kernel_changed_along),
		cmocka_unit_test(stops_when_the_command_fails),
		cmocka_unit_test(leaves_what_the_command_changes),
		cmocka_unit_test(leaves_what_the_last_run_changes),
		cmocka_unit_test(ends_on_a_signal),
		cmocka_unit_test(is_put_right_by_the_guardian_when_killed),
		cmocka_unit_test(is_interrupted_when_the_guardian_is_killed_too),
		cmocka_unit_test(has_a_quiet_guardian),
		cmocka_unit_test(applies_what_is_to_be_kept),
		cmocka_unit_test(refuses_before_it_begins),
		cmocka_unit_test(cannot_start_the_command),
		cmocka_unit_test(tells_it_as_text_and_json),
		cmocka_unit_test(tells_large_shares_in_plain_digits),
		cmocka_unit_test(calls_nothing_better_that_few_pairs_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
