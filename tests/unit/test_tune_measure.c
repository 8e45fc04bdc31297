/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../tempdir.h"
#include "base/clock.h"
#include "tune/measure.h"

struct asked {
	const char *script, *pattern;
	pit_hear_fn hear;
	void *arg;
};

static int measure(const struct asked *a, struct pit_measure *ret, struct pit_error *err)
{
	const struct pit_metric metric = {.pattern = a->pattern};
	const char *const argv[] = {"/bin/sh", "-c", a->script, NULL};
	pit_auto_interrupt struct pit_interrupt signals = PIT_INTERRUPT_INIT;
	struct pit_meter *m = NULL;
	int rc;

	assert_int_equal(pit_meter_new(&metric, argv, a->hear, a->arg, &m, err), 0);
	assert_int_equal(pit_interrupt_hold(&signals), 0);
	rc = pit_measure(m, &signals, ret, err);
	pit_meter_free(m);
	return rc;
}

static void takes_the_time(void **state)
{
	const struct asked a = {.script = "sleep 0.2"};
	struct pit_measure m = {0};

	assert_int_equal(measure(&a, &m, NULL), 0);
	assert_true(m.value >= 0.2 && m.value < 60);
	assert_true(m.value == m.seconds);
	pit_measure_free(&m);
}

static void takes_the_last_number_printed(void **state)
{
	static const struct asked cases[] = {
		{.script = "echo rate 5; echo rate 12.5; echo other 7", .pattern = "^rate"},
		{.script = "printf 'rate 5\\rrate 12.5' >&2", .pattern = "^rate"}, /* a progress bar, no newline */
		{.script = "i=0; while [ $i -lt 20000 ]; do echo filling $i; i=$((i + 1)); done; echo rate 12.5",
		 .pattern = "^rate"},
		{.script = "printf 'a\\0b\\nrate 12.5\\n'", .pattern = "rate ([0-9.]+)"},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct pit_measure m = {0};

		assert_int_equal(measure(&cases[i], &m, NULL), 0);
		assert_true(m.value == 12.5);
		assert_true(m.seconds > 0);
		pit_measure_free(&m);
	}
}

static void tells_why_it_failed(void **state)
{
	static const struct {
		struct asked asked;
		int rc;
		const char *text, *words;
	} cases[] = {
		{{.script = "echo one; echo two >&2; exit 7"}, -ECHILD, "ended with exit code 7: two", "one\ntwo"},
		{{.script = "kill -9 $$"}, -ECHILD, "killed by signal 9", ""},
		{{.script = "echo done", .pattern = "rate"}, -ENOMSG, "no line that fits", "done"},
		{{.script = "echo rate fine", .pattern = "rate"}, -ENOMSG, "without a number", "rate fine"},
		{{.script = "echo rate 0", .pattern = "rate"}, -ENOMSG, "above 0", "rate 0"},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_measure m = {0};

		assert_int_equal(measure(&cases[i].asked, &m, &err), cases[i].rc);
		print_message("# %s\n", err.text);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_string_equal(m.words, cases[i].words);
		pit_measure_free(&m);
	}
}

static void tells_what_cannot_be_started(void **state)
{
	const char *const argv[] = {"/nowhere/to/be/found", NULL};
	pit_auto_interrupt struct pit_interrupt signals = PIT_INTERRUPT_INIT;
	const struct pit_metric wall = {.pattern = NULL};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_meter *meter = NULL;
	struct pit_measure m = {0};

	assert_int_equal(pit_meter_new(&wall, argv, NULL, NULL, &meter, &err), 0);
	assert_int_equal(pit_interrupt_hold(&signals), 0);
	assert_int_equal(pit_measure(meter, &signals, &m, &err), -ENOEXEC);
	assert_string_equal(err.text, "cannot run /nowhere/to/be/found: No such file or directory");
	assert_null(m.words);
	pit_meter_free(meter);
}

static void refuses_a_bad_pattern(void **state)
{
	const struct pit_metric bad = {.pattern = "("};
	const char *const argv[] = {"true", NULL};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_meter *meter = NULL;

	assert_int_equal(pit_meter_new(&bad, argv, NULL, NULL, &meter, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'(' is no regular expression"));
	assert_null(meter);
}

/* No terminal, no input, nothing left behind, and no wait for what holds the pipe. */
static void leaves_nothing_running(void **state)
{
	char dir[64], script[256], path[128];
	struct asked a = {.script = script};
	struct pit_measure m = {0};
	int64_t began = pit_now();
	pid_t left = 0;
	FILE *f;

	tempdir_new(dir, sizeof(dir));
	snprintf(script, sizeof(script),
		 "sleep 300 & echo $! >%s/left; cat; (: </dev/tty) 2>/dev/null && exit 1; touch %s/done", dir, dir);
	assert_int_equal(measure(&a, &m, NULL), 0);
	assert_true(pit_now() - began < 200 * 1000 * PIT_MS);
	snprintf(path, sizeof(path), "%s/done", dir);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/left", dir);
	f = fopen(path, "r");
	assert_int_equal(fscanf(f, "%d", &left), 1);
	fclose(f);
	for (int i = 0; i < 2000 && !kill(left, 0); i++)
		usleep(10000);
	assert_int_equal(kill(left, 0), -1);
	pit_measure_free(&m);
	tempdir_remove(dir);
}

static void hear(const char *bytes, size_t len, void *arg)
{
	pit_buf_add(arg, bytes, len);
}

static void lets_the_output_be_heard(void **state)
{
	pit_auto_buf struct pit_buf heard = PIT_BUF_INIT;
	const struct asked a = {.script = "echo one; echo two >&2", .hear = hear, .arg = &heard};
	struct pit_measure m = {0};

	assert_int_equal(measure(&a, &m, NULL), 0);
	assert_string_equal(heard.data, "one\ntwo\n");
	pit_measure_free(&m);
}

/* We are sent a signal while the command runs: it goes to the command. */
static void hands_signals_on(void **state)
{
	static const struct {
		const char *script;
		int signal;
		const char *words;
	} cases[] = {
		{"trap 'echo bye; exit 0' TERM; kill -TERM $PPID; while :; do sleep 0.1; done", SIGTERM, "bye"},
		{"kill -INT $PPID; sleep 20", SIGINT, ""},
		{"trap '' INT; kill -INT $PPID; sleep 0.3; kill -INT $PPID; sleep 20", SIGINT, ""},
		{"kill -TSTP $PPID; kill -HUP $PPID; sleep 20", SIGHUP, ""},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		const struct asked a = {.script = cases[i].script};
		struct pit_measure m = {0};

		assert_int_equal(measure(&a, &m, NULL), 0);
		assert_int_equal(m.signal, cases[i].signal);
		assert_non_null(strstr(m.words, cases[i].words)); /* some shells tell of the sleep that ended, too */
		assert_true(m.seconds < 60); /* on a busy machine two signals become one, and the grace passes */
		pit_measure_free(&m);
	}
}

static void leaves_ignored_signals_alone(void **state)
{
	const struct asked a = {.script = "kill -HUP $PPID; sleep 0.1"};
	struct pit_measure m = {0};

	signal(SIGHUP, SIG_IGN); /* as nohup does */
	assert_int_equal(measure(&a, &m, NULL), 0);
	assert_int_equal(m.signal, 0);
	pit_measure_free(&m);
	signal(SIGHUP, SIG_DFL);
}

static void gives_the_command_signals_as_they_were(void **state)
{
	/* SIGPIPE is the 13th; others may be ignored since before us */
	const struct asked a = {.script = "set -- $(sed -n 's/^Sig\\(Blk\\|Ign\\):.//p' /proc/self/status); "
					  "echo $1 $((0x$2 >> 12 & 1))"};
	struct pit_measure m = {0};

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(measure(&a, &m, NULL), 0);
	assert_string_equal(m.words, "0000000000000000 0");
	pit_measure_free(&m);
}

static void keeps_the_last_lines(void **state)
{
	const struct asked a = {.script = "seq 100000; exit 1"};
	struct pit_measure m = {0};

	assert_int_equal(measure(&a, &m, NULL), -ECHILD);
	assert_string_equal(m.words, "99995\n99996\n99997\n99998\n99999\n100000");
	pit_measure_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_time),
		cmocka_unit_test(takes_the_last_number_printed),
		cmocka_unit_test(tells_why_it_failed),
		cmocka_unit_test(tells_what_cannot_be_started),
		cmocka_unit_test(refuses_a_bad_pattern),
		cmocka_unit_test(leaves_nothing_running),
		cmocka_unit_test(lets_the_output_be_heard),
		cmocka_unit_test(hands_signals_on),
		cmocka_unit_test(leaves_ignored_signals_alone),
		cmocka_unit_test(gives_the_command_signals_as_they_were),
		cmocka_unit_test(keeps_the_last_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
