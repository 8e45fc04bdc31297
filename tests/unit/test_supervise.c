/* SPDX-License-Identifier: MIT
 *
 * The parts of supervision that can be tried alone; tests/launch tries them together.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "launch/children.h"
#include "launch/killed.h"
#include "launch/supervisor.h"
#include "launch/terminal.h"
#include "tree.h"

static pid_t sleeper(bool own_group)
{
	pid_t pid = fork();

	if (!pid) {
		if (own_group)
			setpgid(0, 0);
		alarm(60);
		for (;;)
			pause();
	}
	if (own_group)
		setpgid(pid, pid);
	return pid;
}

static void children_are_found_and_ended(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_children c = {0};
	pid_t one, other;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_true(pit_children_none(root, NULL));
	assert_int_equal(pit_children_list(root, &c), 0);
	assert_int_equal(c.count, 0);
	one = sleeper(true);
	other = sleeper(true);
	assert_int_equal(pit_children_list(root, &c), 0);
	assert_int_equal(c.count, 2);
	assert_true(pit_children_has(&c, one) && pit_children_has(&c, other));
	assert_false(pit_children_has(&c, getpid()) || pit_children_has(NULL, one));
	assert_false(pit_children_none(root, NULL));
	assert_true(pit_children_none(root, &c));
	assert_int_equal(pit_children_kill(root, &c), 0);
	assert_int_equal(pit_children_ended(), 0);
	kill(one, SIGKILL);
	while (!pit_children_ended())
		usleep(1000);
	assert_int_equal(pit_children_ended(), one); /* still to be waited for */
	assert_false(pit_children_none(root, NULL));
	assert_int_equal(pit_children_end(root, NULL, NULL, 10000 * PIT_MS), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	pit_children_free(&c);
	pit_children_free(&c);
}

static void our_own_group_is_spared(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	pid_t pid = sleeper(false);

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_true(pit_children_none(root, NULL));
	assert_int_equal(pit_children_kill(root, NULL), 0);
	assert_int_equal(pit_children_end(root, NULL, NULL, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Each in a session of its own: only by becoming ours do they come within reach. */
static void descendants_are_ended_as_they_become_ours(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 8 && !fork(); i++)
			setsid();
		setsid();
		alarm(60);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (int i = 0; i < 9; i++)
		assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(pit_children_end(root, NULL, NULL, 10000 * PIT_MS), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	close(ready[0]);
	close(ready[1]);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void a_wait_ends_by_time_request_or_loss(void **state)
{
	const struct pit_front_message other = {.signal = SIGUSR1}, stop = {.signal = SIGTERM, .sender = 7};
	struct pit_front_message got = {0};
	int64_t start = pit_now();
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(pit_supervisor_wait(ends[0], start + 30 * PIT_MS, &got), 0);
	assert_true(pit_now() >= start + 30 * PIT_MS);
	assert_int_equal(send(ends[1], &other, sizeof(other), 0), sizeof(other));
	assert_int_equal(pit_supervisor_wait(ends[0], pit_now() + 30 * PIT_MS, &got), 0);
	assert_int_equal(send(ends[1], &stop, sizeof(stop), 0), sizeof(stop));
	assert_int_equal(pit_supervisor_wait(ends[0], INT64_MAX, &got), 1);
	assert_int_equal(got.signal, SIGTERM);
	assert_int_equal(got.sender, 7);
	close(ends[1]);
	assert_int_equal(pit_supervisor_wait(ends[0], INT64_MAX, &got), -EPIPE);
	close(ends[0]);
}

static void gpus_are_held_by_ranks(void **state)
{
	static const struct tree_file some[] = {
		{.path = "/.pitcrew/fact/nvml",
		 .text = "{\"count\":2,\"gpus\":[{\"index\":0,\"processes\":[{\"pid\":11,\"type\":\"C\"},{\"pid\":99}]},"
			 "{\"index\":1,\"processes\":[{\"pid\":12}]},{\"index\":2}]}"},
		{.path = NULL},
	};
	static const struct tree_file none[] = {{.path = "/proc/uptime", .text = "1 1\n"}, {.path = NULL}};
	struct pit_rank_end rank[] = {{.pid = 11}, {.pid = 12}, {.pid = 0}};
	struct pit_exit_report r = {.rank = rank, .ranks = 3};
	struct tree t = tree_open(some);

	assert_int_equal(pit_supervisor_gpus_held(t.root, &r), 2);
	rank[0].pid = 13;
	assert_int_equal(pit_supervisor_gpus_held(t.root, &r), 1);
	tree_close(&t);
	t = tree_open(none);
	assert_true(pit_supervisor_gpus_held(t.root, &r) < 0);
	tree_close(&t);
}

static void some_signals_ask_to_stop(void **state)
{
	static const int stop[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	static const int other[] = {SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD, SIGKILL, 0, 64};

	for (size_t i = 0; i < PIT_COUNT(stop); i++)
		assert_true(pit_front_asks_to_stop(stop[i]));
	for (size_t i = 0; i < PIT_COUNT(other); i++)
		assert_false(pit_front_asks_to_stop(other[i]));
}

/* What nohup and shells without job control have us ignore stays nobody's; the rest is read, and the old mask comes
 * back.
 */
static void ignored_signals_are_not_read(void **state)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
	sigset_t old, now;
	int fd = -1;

	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGCHLD, &ignore, NULL);
	assert_int_equal(pit_front_signals(&fd, &old), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, &now), 0);
	assert_true(sigismember(&now, SIGTERM) && sigismember(&now, SIGINT) && sigismember(&now, SIGTTOU));
	assert_false(sigismember(&now, SIGHUP) || sigismember(&now, SIGSEGV) || sigismember(&now, SIGALRM));
	assert_false(sigismember(&old, SIGTERM));
	sigaction(SIGHUP, &usual, NULL);
	close(fd);
}

/* The tests run without a terminal of their own, or with one that must stay as it is. */
static void without_a_terminal_nothing_is_done(void **state)
{
	struct pit_terminal t = {.fd = -1};

	assert_false(pit_terminal_give(&t, getpid()));
	pit_terminal_take_back(&t);
	pit_terminal_close(&t, true);
	assert_int_equal(t.fd, -1);
}

static struct pit_kmsg kmsg(const char *text)
{
	struct pit_kmsg k = {0};

	assert_int_equal(pit_kmsg_parse(text, &k), 0);
	return k;
}

static void kills_for_memory_are_read(void **state)
{
	struct pit_kmsg k =
		kmsg("3,1,1000000,-;Out of memory: Killed process 50 (old) total-vm:1kB\n"
		     "3,2,5000000,-;Memory cgroup out of memory: Killed process 123 (python3) total-vm:1kB\n"
		     "3,3,5000001,-;Out of memory: Killed process 124 (a b) c), UID 0, total-vm:1kB\n"
		     "3,4,5000002,-;Out of memory: Killed process 125 (cut\n"
		     "3,5,5000003,-;Killed process nothing, Killed process -5 (x), Killed process 99999999999 (y)\n");
	struct pit_killed found = {.pid = -1};

	assert_false(pit_killed_pid(&k, 0, 12, &found));
	assert_false(pit_killed_pid(&k, 2000000, 50, &found));
	assert_int_equal(found.pid, -1);
	assert_true(pit_killed_pid(&k, 0, 50, &found));
	assert_false(found.group);
	assert_true(pit_killed_pid(&k, 2000000, 123, &found));
	assert_true(found.group);
	assert_string_equal(found.name, "python3");
	assert_true(pit_killed_pid(&k, 0, 124, &found));
	assert_false(found.group);
	assert_string_equal(found.name, "a b");
	assert_true(pit_killed_pid(&k, 0, 125, &found));
	assert_string_equal(found.name, "cut");
	pit_kmsg_free(&k);
}

static void faults_are_read(void **state)
{
	struct pit_kmsg k = kmsg("6,1,1000000,-;old[12]: segfault at 0 ip 0 sp 0 error 4 in x[1+2]\n"
				 "6,2,5000000,-;python3[123]: segfault at 0 ip 0 sp 0 error 4 in libc.so.6[7f+1]\n"
				 "6,3,5000001,-;traps: a [b][124] trap invalid opcode ip:0 sp:0 error:0 in x[1+2]\n"
				 "6,4,5000002,-;python3[125]: unhandled exception: DABT (lower EL), ESR 0x92000006\n"
				 "6,5,5000003,-;nvme[126]: something else\n");

	assert_false(pit_killed_fault(&k, 2000000, 12));
	assert_true(pit_killed_fault(&k, 0, 12));
	for (pid_t pid = 123; pid <= 125; pid++)
		assert_true(pit_killed_fault(&k, 2000000, pid));
	assert_false(pit_killed_fault(&k, 0, 126));
	assert_false(pit_killed_fault(&k, 0, 23));
	pit_kmsg_free(&k);
}

static void kills_in_a_group_are_read(void **state)
{
	struct pit_kmsg k = kmsg(
		"6,1,10,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=rank-1,mems_allowed=0-1,oom_memcg="
		"/pitcrew-7/rank-1,task_memcg=/pitcrew-7/rank-1,task=pt,pid=1,data,pid=181,uid=0\n"
		"6,2,20,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg="
		"/user.slice/pitcrew-7/rank-2,task=python3,pid=182,uid=0\n"
		"6,3,30,-;oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/pitcrew-7/rank-3\n"
		"6,4,40,-;oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/pitcrew-7/rank-4,task=x,pid=no,uid=0\n");
	struct pit_killed found = {.pid = -1};

	assert_true(pit_killed_in(&k, 0, "/pitcrew-7/rank-1", &found));
	assert_true(found.group && found.pid == 181);
	assert_string_equal(found.name, "pt,pid=1,data");
	assert_true(pit_killed_in(&k, 0, "/pitcrew-7/rank-2", &found));
	assert_true(!found.group && found.pid == 182);
	assert_false(pit_killed_in(&k, 0, "/pitcrew-7/rank-3", &found));
	assert_false(pit_killed_in(&k, 0, "/pitcrew-7/rank-4", &found));
	assert_false(pit_killed_in(&k, 0, "/pitcrew-7/rank-11", &found));
	assert_false(pit_killed_in(&k, 15, "/pitcrew-7/rank-1", &found));
	pit_kmsg_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_are_found_and_ended),
		cmocka_unit_test(our_own_group_is_spared),
		cmocka_unit_test(descendants_are_ended_as_they_become_ours),
		cmocka_unit_test(a_wait_ends_by_time_request_or_loss),
		cmocka_unit_test(gpus_are_held_by_ranks),
		cmocka_unit_test(some_signals_ask_to_stop),
		cmocka_unit_test(ignored_signals_are_not_read),
		cmocka_unit_test(without_a_terminal_nothing_is_done),
		cmocka_unit_test(kills_for_memory_are_read),
		cmocka_unit_test(faults_are_read),
		cmocka_unit_test(kills_in_a_group_are_read),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
