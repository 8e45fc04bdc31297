/* SPDX-License-Identifier: MIT */
#include "tune/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define FILES_MOST 65536

static const char ready = 'r', leave = 'l';

/* What is not ours is not close-on-exec. */
static void let_go_of_foreign_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	for (int fd = STDERR_FILENO + 1; fd < FILES_MOST; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
	close_range(FILES_MOST, ~0u, 0);
}

static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	sigset_t none;

	for (size_t i = 0; i < PIT_COUNT(signals); i++)
		signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* True when we are told to leave; false when nobody can tell us any more. */
static bool is_dismissed(int fd)
{
	char word = 0;
	ssize_t n;

	do
		n = read(fd, &word, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 && word == leave;
}

static _Noreturn void guard(struct pit_tune_state *state, struct pit_place *place, int txn, int fd)
{
	const struct pit_txn_options options = {.kind = "guard"};
	struct pit_revert done = {0};

	setsid();
	prctl(PR_SET_NAME, "pitcrew-guard");
	ignore_signals();
	let_go_of_foreign_files();
	if (write(fd, &ready, 1) != 1 || is_dismissed(fd))
		_exit(0);
	_exit(pit_revert(state, place, txn, PIT_REVERT_MERGE, &options, &done, NULL) ? 1 : 0);
}

int pit_guard_start(struct pit_tune_state *state, struct pit_place *place, int txn, struct pit_guard *ret,
		    struct pit_error *err)
{
	int ends[2]; /* ours, its */
	char word = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return pit_fail(err, errno, "cannot make a socket for the guardian: %s", strerror(errno));
	pit_root_end_helper(pit_place_root(place)); /* the guardian would hear it no more, and kill its number */
	pid = fork();
	if (!pid) {
		close(ends[0]);
		guard(state, place, txn, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return pit_fail(err, EAGAIN, "cannot start the guardian process");
	}
	*ret = (struct pit_guard){.pid = pid, .fd = ends[0]};
	while (read(ends[0], &word, 1) < 0 && errno == EINTR)
		;
	if (word == ready)
		return 0;
	pit_guard_dismiss(ret);
	return pit_fail(err, ECHILD, "the guardian process ended at once");
}

void pit_guard_dismiss(struct pit_guard *g)
{
	int saved = errno;

	if (g->pid) {
		(void)!send(g->fd, &leave, 1, MSG_NOSIGNAL);
		close(g->fd);
		while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	*g = (struct pit_guard)PIT_GUARD_INIT;
	errno = saved;
}
