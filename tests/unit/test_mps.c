/* SPDX-License-Identifier: MIT
 *
 * Over the FAKE control program of tests/fake/mps-control: there is no GPU here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../tempdir.h"
#include "base/clock.h"
#include "launch/mps.h"
#include "launch/mps_command.h"
#include "tree.h"

#define SECOND (1000 * PIT_MS)

struct stage {
	char top[64], dir[96], control[128];
	char fake[256], notes[128], clients[64], path[64], pipe[128];
	char visible[32], *environ[10];
};

static int setup(void **state)
{
	static struct stage s;
	char *program = tree_slurp("%s/fake/mps-control", getenv("PITCREW_TESTS"));

	assert_non_null(program);
	s = (struct stage){.path = "PATH=/usr/bin:/bin", .visible = "CUDA_VISIBLE_DEVICES=7"};
	tempdir_new(s.top, sizeof(s.top));
	tempdir_file(s.top, "nvidia-cuda-mps-control", program);
	free(program);
	snprintf(s.dir, sizeof(s.dir), "%s/mps", s.top);
	snprintf(s.control, sizeof(s.control), "%s/nvidia-cuda-mps-control", s.top);
	assert_int_equal(chmod(s.control, 0755), 0);
	snprintf(s.notes, sizeof(s.notes), "FAKE_MPS_NOTES=%s/notes", s.top);
	s.environ[0] = s.path;
	s.environ[1] = s.notes;
	s.environ[2] = s.fake;
	s.environ[3] = s.clients;
	s.environ[4] = s.visible;
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	while (waitpid(-1, NULL, 0) > 0) /* nothing that was started lives on: else the alarm ends us */
		;
	tempdir_remove(((struct stage *)*state)->top);
	return 0;
}

static struct pit_mps_request request(struct stage *s, const char *how)
{
	snprintf(s->fake, sizeof(s->fake), "FAKE_MPS=%s", how);
	return (struct pit_mps_request){
		.control = s->control, .dir = s->dir, .gpus = "GPU-a,GPU-b", .environ = s->environ, .percent = 50};
}

static void assert_notes(const struct stage *s, const char *want)
{
	char *notes = tree_slurp("%s/notes", s->top);

	assert_non_null(notes);
	assert_string_equal(notes, want);
	free(notes);
}

static void assert_gone(pid_t pid)
{
	for (int i = 0; i < 500 && !kill(pid, 0); i++) {
		waitpid(pid, NULL, WNOHANG); /* ours since its parent has gone */
		usleep(20000);
	}
	assert_int_equal(kill(pid, 0), -1);
}

static void a_daemon_from_start_to_end(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	struct pit_mps *m;
	char want[512];
	pid_t pid;

	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	assert_true(pit_mps_ours(m));
	assert_string_equal(pit_mps_dir(m), s->dir);
	pid = pit_mps_pid(m);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(pit_mps_end_client(m, 12345), 0);
	pit_mps_stop(m);
	assert_gone(pid);
	assert_int_equal(access(s->dir, F_OK), -1);
	snprintf(want, sizeof(want),
		 "start gpus=GPU-a,GPU-b log=%s/log\nget_server_list\nset_default_active_thread_percentage\n"
		 "get_server_list\nget_server_list\nquit\n",
		 s->dir);
	assert_notes(s, want);
	pit_mps_stop(NULL);
}

static void clients_then_servers_then_the_daemon(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "server slow");
	pid_t pid, group = fork();
	struct pit_mps *m;
	char *notes;

	if (!group) {
		alarm(60);
		setpgid(0, 0);
		pause();
		_exit(0);
	}
	setpgid(group, group);
	snprintf(s->clients, sizeof(s->clients), "FAKE_MPS_CLIENTS=999999 %d", (int)group);
	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	pid = pit_mps_pid(m);
	assert_int_equal(pit_mps_end_client(m, 4242), 0);  /* no client */
	assert_int_equal(pit_mps_end_client(m, group), 0); /* one */
	assert_int_equal(pit_mps_end_client(m, group), 0); /* no more */
	pit_mps_stop(m);
	assert_gone(pid);
	notes = tree_slurp("%s/notes", s->top);
	assert_non_null(notes);
	{
		char *one = strstr(notes, "terminate_client"), *two = one ? strstr(one + 1, "terminate_client") : NULL;
		char *down = strstr(notes, "shutdown_server"), *quit = strstr(notes, "quit");

		assert_true(one && two && down && quit);
		assert_null(strstr(two + 1, "terminate_client"));
		assert_true(two < down && down < quit);
	}
	free(notes);
	kill(group, SIGKILL);
	waitpid(group, NULL, 0);
}

static void programs_that_are_not_there(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_mps *m = (void *)s;

	r.control = "/does/not/exist";
	assert_int_equal(pit_mps_start(&r, &m, &err), -ENOENT);
	assert_true(*err.text);
	assert_ptr_equal(m, s);
	assert_int_equal(access(s->dir, F_OK), -1);
}

static void the_program_is_found_in_path(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	struct pit_mps *m;

	r.control = NULL;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -ENOENT);
	snprintf(s->path, sizeof(s->path), "PATH=%s:/usr/bin:/bin", s->top);
	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	pit_mps_stop(m);
}

static void requests_that_make_no_sense(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	char longer[200];
	struct pit_mps *m;

	r.percent = 0;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -EINVAL);
	r.percent = 101;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -EINVAL);
	r.percent = 100;
	memset(longer, 'x', 199);
	longer[0] = '/';
	longer[199] = '\0';
	r.dir = longer;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -ENAMETOOLONG);
	tempdir_file(s->top, "mps", "a file");
	r.dir = s->dir;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -EEXIST);
}

/* A directory that others may write to could be prepared by them. */
static void directories_of_others(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	struct pit_mps *m;

	assert_int_equal(mkdir(s->dir, 0777), 0);
	assert_int_equal(chmod(s->dir, 0777), 0);
	assert_int_equal(pit_mps_start(&r, &m, NULL), -EEXIST);
}

static void a_daemon_that_refuses(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "refuses");
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_mps *m;

	assert_int_equal(pit_mps_start(&r, &m, &err), -EIO);
	assert_non_null(strstr(err.text, "already running"));
	assert_int_equal(access(s->dir, F_OK), -1);
}

static void a_daemon_that_dies(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "dies");
	struct pit_error err = PIT_ERROR_INIT;
	int64_t begin = pit_now();
	struct pit_mps *m;

	r.patience = 2 * SECOND;
	assert_int_equal(pit_mps_start(&r, &m, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "Cannot find MPS control daemon"));
	assert_true(pit_now() - begin < 30 * SECOND);
}

static void a_daemon_that_hangs(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "hangs server");
	int64_t begin = pit_now();
	struct pit_mps *m;
	char path[160];

	r.patience = 2 * SECOND;
	assert_int_equal(pit_mps_start(&r, &m, NULL), -ETIMEDOUT);
	assert_true(pit_now() - begin < 40 * SECOND);
	snprintf(path, sizeof(path), "%s/log/control.log", s->dir);
	assert_int_equal(access(path, F_OK), 0); /* stays, for somebody will ask */
}

static void a_daemon_that_hangs_later(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "hangs-later server");
	int64_t begin;
	struct pit_mps *m;
	char *text;
	pid_t pid, server;

	r.patience = 4 * SECOND;
	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	pid = pit_mps_pid(m);
	text = tree_slurp("%s/servers", s->dir);
	assert_non_null(text);
	assert_int_equal(pit_mps_pids(text, &server, 1), 1);
	free(text);
	begin = pit_now();
	assert_int_equal(pit_mps_end_client(m, 1), -ETIMEDOUT);
	assert_true(pit_now() - begin < 15 * SECOND);
	begin = pit_now();
	for (int i = 0; i < 100; i++)
		assert_int_equal(pit_mps_end_client(m, 1), -ETIMEDOUT); /* not asked again */
	assert_true(pit_now() - begin < 4 * SECOND);
	pit_mps_stop(m);
	assert_gone(pid);
	assert_gone(server);
}

static void a_daemon_that_does_not_quit(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "stubborn");
	struct pit_mps *m;
	pid_t pid;

	r.patience = 2 * SECOND;
	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	pid = pit_mps_pid(m);
	pit_mps_stop(m);
	assert_gone(pid);
}

static void the_one_that_runs_already(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, ""), second = r;
	struct pit_mps *first, *m;
	char other[128];

	assert_int_equal(pit_mps_start(&r, &first, NULL), 0);
	snprintf(s->pipe, sizeof(s->pipe), "CUDA_MPS_PIPE_DIRECTORY=%s", s->dir);
	s->environ[5] = s->pipe;
	snprintf(other, sizeof(other), "%s/other", s->top);
	second.dir = other;
	assert_int_equal(pit_mps_start(&second, &m, NULL), 0);
	assert_false(pit_mps_ours(m));
	assert_string_equal(pit_mps_dir(m), s->dir);
	assert_int_equal(pit_mps_pid(m), 0);
	assert_int_equal(pit_mps_end_client(m, 5), 0);
	pit_mps_stop(m);
	assert_int_equal(kill(pit_mps_pid(first), 0), 0); /* still there */
	assert_int_equal(access(other, F_OK), -1);
	pit_mps_stop(first);

	/* It has ended: one of our own. */
	assert_int_equal(pit_mps_start(&second, &m, NULL), 0);
	assert_true(pit_mps_ours(m));
	assert_string_equal(pit_mps_dir(m), other);
	pit_mps_stop(m);
}

static void as_another_user(struct pit_mps_request *r)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_mps *m;
	int rc;

	alarm(30);
	if (setgid(54321) || setuid(54321))
		_exit(9);
	rc = pit_mps_start(r, &m, &err);
	_exit(rc == -EACCES && strstr(err.text, "of user 12345") ? 0 : 1);
}

/* One user at a time. Asked for by a third of them, of a daemon that is not root's either. */
static void the_one_of_another_user(void **state)
{
	struct stage *s = *state;
	struct pit_mps_request r = request(s, "");
	struct pit_mps *m;
	int status;
	pid_t pid;

	if (geteuid())
		skip();
	assert_int_equal(pit_mps_start(&r, &m, NULL), 0);
	assert_int_equal(chown(s->dir, 12345, 12345) | chmod(s->dir, 0755) | chmod(s->top, 0755), 0);
	snprintf(s->pipe, sizeof(s->pipe), "CUDA_MPS_PIPE_DIRECTORY=%s", s->dir);
	s->environ[5] = s->pipe;
	strcpy(s->notes, "FAKE_MPS_NOTES=/dev/null");
	pid = fork();
	if (!pid)
		as_another_user(&r);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pit_mps_stop(m);
}

static void process_ids_in_what_it_prints(void **state)
{
	pid_t pids[4];

	assert_int_equal(pit_mps_pids("12\n34 x\n\nServer 5\n-6\n0\n99999999999\n56\r\n", pids, 4), 3);
	assert_int_equal(pids[0], 12);
	assert_int_equal(pids[1], 34);
	assert_int_equal(pids[2], 56);
	assert_int_equal(pit_mps_pids("1\n2\n3\n4\n5\n", pids, 4), 4);
	assert_int_equal(pit_mps_pids("", pids, 4), 0);
}

static void its_environment(void **state)
{
	char a[] = "A=1", b[] = "CUDA_MPS_PIPE_DIRECTORY=/x", c[] = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=5";
	char d[] = "CUDA_VISIBLE_DEVICES=3", *const block[] = {a, b, c, d, NULL};
	pit_auto_strv struct pit_strv got = {0}, kept = {0};

	assert_int_equal(pit_mps_environ(block, "/d", "/d/log", "GPU-1", &got), 0);
	assert_int_equal(got.count, 4);
	assert_string_equal(got.item[0], "A=1");
	assert_string_equal(got.item[1], "CUDA_VISIBLE_DEVICES=GPU-1");
	assert_string_equal(got.item[2], "CUDA_MPS_PIPE_DIRECTORY=/d");
	assert_string_equal(got.item[3], "CUDA_MPS_LOG_DIRECTORY=/d/log");
	assert_null(got.item[4]);
	assert_int_equal(pit_mps_environ(block, "/d", NULL, NULL, &kept), 0);
	assert_int_equal(kept.count, 3);
	assert_string_equal(kept.item[1], "CUDA_VISIBLE_DEVICES=3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_daemon_from_start_to_end),  TEST(clients_then_servers_then_the_daemon),
		TEST(programs_that_are_not_there), TEST(the_program_is_found_in_path),
		TEST(requests_that_make_no_sense), TEST(directories_of_others),
		TEST(a_daemon_that_refuses),       TEST(a_daemon_that_dies),
		TEST(a_daemon_that_hangs),         TEST(a_daemon_that_hangs_later),
		TEST(a_daemon_that_does_not_quit), TEST(the_one_that_runs_already),
		TEST(the_one_of_another_user),     cmocka_unit_test(process_ids_in_what_it_prints),
		cmocka_unit_test(its_environment),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1); /* as the supervisor is */
	alarm(280);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
