/* SPDX-License-Identifier: MIT */
#include "host/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"

#define OUR_FD 3
#define CHUNK 65536

#define REAP_NS (50 * PIT_MS) /* enough for a child that can be killed at all */

/* Handlers and blocked signals are our program's own business. */
static void forget_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const struct pit_child_job *job, int fd)
{
	const struct rlimit no_core = {0};
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, job->name);
	setrlimit(RLIMIT_CORE, &no_core);
	forget_signals();
	fd = fcntl(fd, F_DUPFD, OUR_FD + 1); /* it is one of the first where these were closed */
	for (int i = 0; i < OUR_FD; i++)
		dup2(null, i);
	fd = dup2(fd, OUR_FD);
	close_range(OUR_FD + 1, ~0u, 0);
	job->run(fd, job->arg);
	_exit(0);
}

int pit_child_start(const struct pit_child_job *job, struct pit_child *ret)
{
	int ends[2]; /* ours, the child's */
	pid_t pid;

	if (job->talks ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) : pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become(job, ends[1]);
	if (pid < 0) {
		int rc = -errno;

		close(ends[0]);
		close(ends[1]);
		return rc;
	}
	close(ends[1]);
	*ret = (struct pit_child){.pid = pid, .fd = ends[0]};
	return 0;
}

int pit_child_read(const struct pit_child *c, int64_t until, size_t most, struct pit_buf *out)
{
	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / PIT_MS) + 1) <= 0)
			continue;
		if (out->len >= most)
			return -EFBIG;
		if (pit_buf_reserve(out, CHUNK))
			return -ENOMEM;
		n = read(c->fd, out->data + out->len, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		return n > 0;
	}
}

int pit_child_write(int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		const char *rest = (const char *)bytes + done;
		ssize_t n = send(fd, rest, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == ENOTSOCK)
			n = write(fd, rest, len - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int pit_child_stop(struct pit_child *c)
{
	const struct timespec pause = {.tv_nsec = PIT_MS / 5};
	int64_t until = pit_now() + REAP_NS;
	int saved = errno, status = -1;

	if (c->pid) {
		kill(c->pid, SIGKILL);
		close(c->fd);
		while (waitpid(c->pid, &status, WNOHANG) == 0 && pit_now() < until)
			nanosleep(&pause, NULL);
	}
	*c = (struct pit_child)PIT_CHILD_INIT;
	errno = saved;
	return status;
}

/* Gives what the pipe holds now. False: it has ended. */
static bool drain(int fd, pit_child_heard_fn heard, void *arg)
{
	char bytes[4096];

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n > 0)
			heard(arg, bytes, (size_t)n);
		else if (!n)
			return false;
		else if (errno != EINTR)
			return errno == EAGAIN;
	}
}

int pit_child_attend(const struct pit_child *c, int64_t until, pit_child_heard_fn heard, void *arg)
{
	pit_auto_close int pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = c->fd, .events = POLLIN}};

	if (pidfd < 0 || fcntl(c->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	while (!(p[0].revents & POLLIN)) {
		int64_t left = until - pit_now();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(p, 2, (int)(left / PIT_MS) + 1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents && !drain(c->fd, heard, arg))
			p[1].fd = -1;
	}
	(void)drain(c->fd, heard, arg);
	return 0;
}
