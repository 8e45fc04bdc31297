/* SPDX-License-Identifier: MIT */
#include "launch/output_sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

/* Our file with status flags of its own; -1 when that cannot be had (no /proc, another user's terminal). */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool is_writable(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

static void choose_way(struct pit_sink *s, int fd)
{
	struct stat st;

	if (!is_writable(fd) || fstat(fd, &st))
		return;
	s->way = S_ISSOCK(st.st_mode) ? PIT_SINK_SOCKET : PIT_SINK_PLAIN;
	if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		s->fd = open_again(fd);
		s->way = s->fd >= 0 ? PIT_SINK_OWN : PIT_SINK_SHARED;
	}
	if (s->fd < 0)
		s->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

void pit_sink_open(struct pit_sink *s, struct pit_loop *loop, int fd, void (*drained)(void *arg), void *arg)
{
	*s = (struct pit_sink){.loop = loop, .fd = -1, .queue = PIT_BUF_INIT, .drained = drained, .arg = arg};
	choose_way(s, fd);
}

static void unwatch(struct pit_sink *s)
{
	if (s->watch)
		pit_loop_unwatch(s->loop, s->fd);
	s->watch = false;
}

void pit_sink_close(struct pit_sink *s)
{
	unwatch(s);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	pit_buf_free(&s->queue);
	s->done = 0;
}

size_t pit_sink_left(const struct pit_sink *s)
{
	return s->queue.len - s->done;
}

void pit_sink_put(struct pit_sink *s, const void *bytes, size_t len)
{
	if (s->fd >= 0)
		pit_buf_add(&s->queue, bytes, len);
}

/* A pipe that can be written to takes PIPE_BUF bytes without waiting. */
static ssize_t write_shared(int fd, const char *bytes, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (poll(&p, 1, 0) < 0)
		return -1;
	if (!p.revents) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
}

static ssize_t write_some(const struct pit_sink *s)
{
	const char *bytes = s->queue.data + s->done;
	size_t len = pit_sink_left(s);

	switch (s->way) {
	case PIT_SINK_SOCKET:
		return send(s->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case PIT_SINK_SHARED:
		return write_shared(s->fd, bytes, len);
	case PIT_SINK_PLAIN:
	case PIT_SINK_OWN:
		break;
	}
	return write(s->fd, bytes, len);
}

static void drop_all(struct pit_sink *s)
{
	pit_buf_clear(&s->queue);
	s->queue.failed = false;
	s->done = 0;
}

/* The queue after a failed write: kept when there is only no room now; else gone, and with a reader that has left also
 * what will come. */
static void fail(struct pit_sink *s, int error)
{
	if (error == EAGAIN)
		return;
	drop_all(s);
	s->unread |= error == EPIPE || error == ECONNRESET;
	if (s->way == PIT_SINK_PLAIN && !s->error)
		s->error = error;
	if (error != EPIPE && error != EBADF && error != EIO && error != ECONNRESET && error != ENXIO)
		return;
	unwatch(s);
	close(s->fd);
	s->fd = -1;
}

static void write_all(struct pit_sink *s)
{
	while (s->fd >= 0 && pit_sink_left(s)) {
		ssize_t n = write_some(s);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(s, errno);
			break;
		}
		s->done += (size_t)n;
	}
	if (!pit_sink_left(s)) {
		drop_all(s);
	} else if (s->done > PIT_SINK_LOW) {
		memmove(s->queue.data, s->queue.data + s->done, pit_sink_left(s));
		s->queue.len -= s->done;
		s->done = 0;
	}
}

/* A reader that has gone must not kill us (SIGPIPE), nor a terminal that does not let background processes write stop
 * us (SIGTTOU): both are blocked meanwhile, and a SIGPIPE of ours is taken back. */
static void write_quietly(struct pit_sink *s)
{
	sigset_t quiet, before, pending;

	sigemptyset(&quiet);
	sigaddset(&quiet, SIGPIPE);
	sigpending(&pending);
	if (sigismember(&pending, SIGPIPE))
		sigdelset(&quiet, SIGPIPE);
	sigaddset(&quiet, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &quiet, &before);
	write_all(s);
	if (sigismember(&quiet, SIGPIPE)) {
		sigdelset(&quiet, SIGTTOU);
		while (sigtimedwait(&quiet, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int on_room(void *arg, uint32_t events)
{
	struct pit_sink *s = arg;

	pit_sink_flush(s);
	return 0;
}

void pit_sink_flush(struct pit_sink *s)
{
	if (pit_sink_left(s))
		write_quietly(s);
	if (!pit_sink_left(s))
		unwatch(s);
	else if (!s->watch)
		s->watch = !pit_loop_watch(s->loop, s->fd, EPOLLOUT, on_room, s);
	if (!s->watch)
		drop_all(s); /* nobody would ever go on with it */
	if (s->drained && pit_sink_left(s) < PIT_SINK_LOW)
		s->drained(s->arg);
}

/* Waits until more fits. False: the time is over. */
static bool wait_for_room(const struct pit_sink *s, int64_t deadline, struct pit_hurry *hurry)
{
	int64_t left = deadline - pit_now();
	bool forever = hurry->fd >= 0;
	struct pollfd p[] = {{.fd = s->fd, .events = POLLOUT}, {.fd = hurry->fd, .events = POLLIN}};

	if (left <= 0 && !forever)
		return false;
	if (poll(p, PIT_COUNT(p), forever ? -1 : (int)((left + PIT_MS - 1) / PIT_MS)) < 0)
		return errno == EINTR;
	if (p[1].revents && hurry->now(hurry->arg))
		hurry->fd = -1;
	return true;
}

void pit_sink_say(int fd, const void *bytes, size_t len, int ms, const struct pit_hurry *hurry)
{
	struct pit_hurry h = hurry ? *hurry : (struct pit_hurry){.fd = -1};
	int64_t deadline = pit_now() + ms * PIT_MS;
	struct pit_sink s;

	pit_sink_open(&s, NULL, fd, NULL, NULL);
	pit_sink_put(&s, bytes, len);
	do
		write_quietly(&s);
	while (pit_sink_left(&s) && wait_for_room(&s, deadline, &h));
	pit_sink_close(&s);
}

bool pit_sink_same(int fd_a, int fd_b)
{
	struct stat a, b;

	return !fstat(fd_a, &a) && !fstat(fd_b, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
	       a.st_rdev == b.st_rdev;
}
