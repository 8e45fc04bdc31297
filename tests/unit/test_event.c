/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/event.h"

#define ENOUGH 7 /* what a callback returns to end the loop */

/* What callbacks did, in order. */
struct log {
	struct pit_loop *loop;
	char text[256];
	int fd[2], id[8];
	int rounds;
};

static void note(struct log *log, char c)
{
	size_t len = strlen(log->text);

	if (len + 1 < sizeof(log->text))
		log->text[len] = c;
}

static int setup(void **state)
{
	struct log *log = calloc(1, sizeof(*log));

	alarm(20);
	if (!log || pit_loop_open(&log->loop) || pipe2(log->fd, O_CLOEXEC | O_NONBLOCK))
		return -1;
	*state = log;
	return 0;
}

static int teardown(void **state)
{
	struct log *log = *state;

	pit_loop_close(log->loop);
	close(log->fd[0]);
	close(log->fd[1]);
	free(log);
	return 0;
}

static int on_read(void *arg, uint32_t events)
{
	struct log *log = arg;
	char c;

	note(log, events & EPOLLIN ? 'r' : 'h');
	return read(log->fd[0], &c, 1) == 1 ? 0 : ENOUGH;
}

static int on_end(void *arg, uint32_t events)
{
	note(arg, 'e');
	return ENOUGH;
}

static int on_a(void *arg, uint32_t events)
{
	assert_int_equal(events, 0);
	note(arg, 'a');
	return 0;
}

static int on_b(void *arg, uint32_t events)
{
	note(arg, 'b');
	return 0;
}

static void nothing_to_wait_for(void **state)
{
	struct log *log = *state;

	assert_int_equal(pit_loop_run(log->loop), 0);
	pit_loop_close(NULL);
}

static void files_are_served_until_a_callback_ends_it(void **state)
{
	struct log *log = *state;

	assert_int_equal(write(log->fd[1], "xy", 2), 2);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[0], EPOLLIN, on_read, log), 0);
	assert_true(pit_loop_at(log->loop, pit_now() + 20 * PIT_MS, on_end, log) > 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_string_equal(log->text, "rre");
	close(log->fd[1]);
	log->fd[1] = -1;
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_string_equal(log->text, "rreh");
}

static int on_unwatch(void *arg, uint32_t events)
{
	struct log *log = arg;

	note(log, 'u');
	pit_loop_unwatch(log->loop, log->fd[0]);
	pit_loop_unwatch(log->loop, log->fd[1]);
	pit_loop_unwatch(log->loop, 10000);
	pit_loop_unwatch(log->loop, -1);
	return 0;
}

/* Both ends are ready in the same round; whichever is served first stops watching both. */
static void an_unwatched_file_is_not_served_any_more(void **state)
{
	struct log *log = *state;

	assert_int_equal(write(log->fd[1], "x", 1), 1);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[0], EPOLLIN, on_unwatch, log), 0);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[1], EPOLLOUT, on_unwatch, log), 0);
	assert_int_equal(pit_loop_run(log->loop), 0);
	assert_string_equal(log->text, "u");
}

static int on_swap(void *arg, uint32_t events)
{
	struct log *log = arg;

	note(log, 's');
	pit_loop_unwatch(log->loop, log->fd[1]);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[1], EPOLLIN, on_b, log), 0);
	pit_loop_unwatch(log->loop, log->fd[0]);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[0], EPOLLPRI, on_b, log), 0);
	return 0;
}

/* What was reported for an earlier watch of the same number is not given to the later one. */
static void a_watch_hears_only_what_came_for_itself(void **state)
{
	struct log *log = *state;

	assert_int_equal(write(log->fd[1], "x", 1), 1);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[0], EPOLLIN, on_swap, log), 0);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[1], EPOLLOUT, on_swap, log), 0);
	assert_true(pit_loop_at(log->loop, pit_now() + 20 * PIT_MS, on_end, log) > 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_string_equal(log->text, "se");
}

static void what_is_watched_for_can_change(void **state)
{
	struct log *log = *state;

	assert_int_equal(pit_loop_watch(log->loop, log->fd[1], EPOLLIN, on_b, log), 0);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[1], EPOLLOUT, on_end, log), 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_string_equal(log->text, "e");
	assert_int_equal(pit_loop_watch(log->loop, -1, EPOLLIN, on_b, log), -EBADF);
	assert_int_equal(pit_loop_watch(log->loop, 9999, EPOLLIN, on_b, log), -EBADF);
}

static void a_plain_file_is_always_ready(void **state)
{
	struct log *log = *state;
	char path[] = "/tmp/pitcrew-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(pit_loop_watch(log->loop, fd, EPOLLOUT, on_b, log), 0);
	assert_int_equal(pit_loop_watch(log->loop, fd, EPOLLIN, on_end, log), 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	pit_loop_unwatch(log->loop, fd);
	assert_int_equal(pit_loop_run(log->loop), 0);
	assert_string_equal(log->text, "e");
	close(fd);
}

static void timers_come_in_their_order(void **state)
{
	struct log *log = *state;
	int64_t now = pit_now();

	assert_true(pit_loop_at(log->loop, now + 30 * PIT_MS, on_end, log) > 0);
	assert_true(pit_loop_at(log->loop, now + 10 * PIT_MS, on_b, log) > 0);
	assert_true(pit_loop_at(log->loop, now + 10 * PIT_MS, on_a, log) > 0);
	assert_true(pit_loop_at(log->loop, 0, on_a, log) > 0);
	assert_true(pit_loop_at(log->loop, INT64_MAX, on_b, log) > 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_true(pit_now() >= now + 30 * PIT_MS);
	assert_string_equal(log->text, "abae");
}

static int on_cancel(void *arg, uint32_t events)
{
	struct log *log = arg;

	note(log, 'c');
	for (int i = 0; i < 8; i++)
		pit_loop_cancel(log->loop, log->id[i]);
	pit_loop_cancel(log->loop, 12345);
	return 0;
}

static void a_cancelled_timer_does_not_come(void **state)
{
	struct log *log = *state;

	log->id[0] = pit_loop_at(log->loop, 0, on_cancel, log);
	for (int i = 1; i < 8; i++)
		log->id[i] = pit_loop_at(log->loop, i * PIT_MS, on_b, log);
	assert_int_equal(pit_loop_run(log->loop), 0);
	assert_string_equal(log->text, "c");
}

static int on_again(void *arg, uint32_t events)
{
	struct log *log = arg;

	log->rounds++;
	return pit_loop_at(log->loop, INT64_MIN, on_again, log) > 0 ? 0 : -1;
}

/* A timer that sets itself for long ago starves neither files nor the timers that are due. */
static void a_busy_timer_lets_others_in(void **state)
{
	struct log *log = *state;

	assert_true(pit_loop_at(log->loop, 0, on_again, log) > 0);
	assert_true(pit_loop_at(log->loop, pit_now() + PIT_MS, on_a, log) > 0);
	assert_int_equal(write(log->fd[1], "x", 1), 1);
	assert_int_equal(pit_loop_watch(log->loop, log->fd[0], EPOLLIN, on_read, log), 0);
	assert_true(pit_loop_at(log->loop, pit_now() + 20 * PIT_MS, on_end, log) > 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_non_null(strchr(log->text, 'r'));
	assert_non_null(strchr(log->text, 'a'));
	assert_true(log->rounds > 1);
}

static void many_files_and_timers(void **state)
{
	struct log *log = *state;
	int fd[300];

	for (int i = 0; i < 300; i++) {
		fd[i] = dup(log->fd[0]);
		assert_int_equal(pit_loop_watch(log->loop, fd[i], EPOLLIN, on_read, log), 0);
		assert_true(pit_loop_at(log->loop, (300 - i) * PIT_MS, on_b, log) > 0);
	}
	assert_true(pit_loop_at(log->loop, pit_now(), on_end, log) > 0);
	for (int i = 0; i < 300; i++) {
		pit_loop_unwatch(log->loop, fd[i]);
		close(fd[i]);
	}
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
}

/* Ends of processes are told in the order in which they came: the first failure is the first. */
static void ends_come_in_their_order(void **state)
{
	struct log *log = *state;
	int fd[2], go[2];
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		int end[2];

		assert_int_equal(pipe2(end, O_CLOEXEC), 0);
		pid[i] = fork();
		if (!pid[i]) {
			close(end[1]);
			_exit((int)read(end[0], end, 1));
		}
		go[i] = end[1];
		close(end[0]);
		fd[i] = (int)syscall(SYS_pidfd_open, pid[i], 0);
		if (fd[i] < 0)
			skip();
		assert_int_equal(pit_loop_watch(log->loop, fd[i], EPOLLIN, i ? on_b : on_end, log), 0);
	}
	for (int i = 1; i >= 0; i--) { /* the second ends first */
		siginfo_t info;

		assert_int_equal(write(go[i], "x", 1), 1);
		close(go[i]);
		assert_int_equal(waitid(P_PID, (id_t)pid[i], &info, WEXITED | WNOWAIT), 0);
	}
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_string_equal(log->text, "be");
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		waitpid(pid[i], NULL, 0);
	}
}

static int on_child(void *arg, uint32_t events)
{
	struct signalfd_siginfo info;

	note(arg, 'c');
	return read(((struct log *)arg)->id[0], &info, sizeof(info)) == sizeof(info) ? ENOUGH : -1;
}

static void on_alarm(int signal)
{
}

/* A signal with a handler interrupts the wait and does not end it. */
static void an_interrupt_is_no_end(void **state)
{
	struct log *log = *state;
	pid_t self = getpid(), pid = fork();

	if (!pid) {
		usleep(20000);
		kill(self, SIGUSR1);
		_exit(0);
	}
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_alarm}, NULL);
	assert_true(pit_loop_at(log->loop, pit_now() + 100 * PIT_MS, on_end, log) > 0);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(log->text, "e");
}

static void signals_are_files(void **state)
{
	struct log *log = *state;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	log->id[0] = signalfd(-1, &set, SFD_CLOEXEC);
	assert_int_equal(pit_loop_watch(log->loop, log->id[0], EPOLLIN, on_child, log), 0);
	raise(SIGUSR2);
	assert_int_equal(pit_loop_run(log->loop), ENOUGH);
	close(log->id[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(nothing_to_wait_for),
		T(files_are_served_until_a_callback_ends_it),
		T(an_unwatched_file_is_not_served_any_more),
		T(a_watch_hears_only_what_came_for_itself),
		T(what_is_watched_for_can_change),
		T(a_plain_file_is_always_ready),
		T(timers_come_in_their_order),
		T(a_cancelled_timer_does_not_come),
		T(a_busy_timer_lets_others_in),
		T(many_files_and_timers),
		T(ends_come_in_their_order),
		T(an_interrupt_is_no_end),
		T(signals_are_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
