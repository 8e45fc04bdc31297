/* SPDX-License-Identifier: MIT
 *
 * A read that hangs in the kernel (a dead NFS server, a process that holds its address space) cannot be interrupted, so
 * it is made by a child which is left behind when the deadline passes. The child keeps none of our files open: whoever
 * waits for the end of our output must not wait for it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "host/answer.h"

struct request {
	int kind;
	char path[4096];
};

struct reply {
	int rc;
	size_t len;
};

static const char *const never_block[] = {"/proc/", "/sys/", "/etc/", "/usr/", "/lib/",
					  "/boot/", "/dev/", "/run/", "/."};

/* Files under /proc/PID that take the lock of that process's address space, and those that ask a device. */
static bool asks_others(const char *path)
{
	static const char *const names[] = {"/cmdline",   "/environ", "/maps",  "/smaps",  "/smaps_rollup",
					    "/numa_maps", "/auxv",    "/speed", "/duplex", "/temp1_alarm"};
	const char *last = strrchr(path, '/');

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!strcmp(last, names[i]))
			return strcmp(path, "/proc/cmdline") != 0;
	return false;
}

bool pit_may_block(enum pit_kind kind, const char *path)
{
	if (kind == PIT_KIND_STATFS || kind == PIT_KIND_FACT)
		return kind == PIT_KIND_STATFS;
	if (!strncmp(path, "/run/user/", 10) || !strncmp(path, "/run/media/", 11))
		return true;
	for (size_t i = 0; i < PIT_COUNT(never_block); i++)
		if (!strncmp(path, never_block[i], strlen(never_block[i])))
			return asks_others(path);
	return true;
}

static bool send_all(int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void serve(int fd)
{
	struct request q;

	while (recv(fd, &q, sizeof(q), MSG_WAITALL) == (ssize_t)sizeof(q)) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct reply r = {.rc = pit_answer_live((enum pit_kind)q.kind, q.path, &out)};

		r.len = r.rc ? 0 : out.len;
		if (!send_all(fd, &r, sizeof(r)) || !send_all(fd, out.data, r.len))
			break;
	}
	_exit(0);
}

static void become_helper(int fd)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pitcrew-reader");
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	fd = dup2(fd, 3);
	close_range(4, ~0u, 0);
	serve(fd);
}

static int start(struct pit_deadline *d)
{
	int pair[2];

	if (d->pid)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	d->pid = fork();
	if (d->pid < 0) {
		int rc = -errno;

		d->pid = 0;
		close(pair[0]);
		close(pair[1]);
		return rc;
	}
	if (!d->pid)
		become_helper(pair[1]);
	close(pair[1]);
	d->fd = pair[0];
	return 0;
}

void pit_deadline_close(struct pit_deadline *d)
{
	int saved = errno;

	if (d->pid) {
		kill(d->pid, SIGKILL);
		close(d->fd);
		waitpid(d->pid, NULL, WNOHANG);
	}
	d->pid = 0;
	d->fd = -1;
	errno = saved;
}

/* Exactly `len` bytes before the time `until`. */
static int receive(int fd, void *bytes, size_t len, int64_t until)
{
	for (size_t done = 0; done < len;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)(left / PIT_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		n = recv(fd, (char *)bytes + done, len - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int exchange(struct pit_deadline *d, const struct request *q, struct pit_buf *out)
{
	int64_t until = pit_now() + d->ms * PIT_MS;
	struct reply r;
	int rc;

	if (!send_all(d->fd, q, sizeof(*q)))
		return -EIO;
	rc = receive(d->fd, &r, sizeof(r), until);
	if (rc)
		return rc;
	if (r.rc || !r.len)
		return r.rc;
	if (pit_buf_reserve(out, r.len))
		return -ENOMEM;
	rc = receive(d->fd, out->data + out->len, r.len, until);
	if (rc)
		return rc;
	out->len += r.len;
	out->data[out->len] = '\0';
	return 0;
}

int pit_answer_deadline(struct pit_deadline *d, enum pit_kind kind, const char *path, struct pit_buf *out)
{
	struct request q = {.kind = (int)kind};
	int64_t started = pit_now();
	int rc;

	if (strlen(path) >= sizeof(q.path))
		return -ENAMETOOLONG;
	strcpy(q.path, path);
	if (d->spent_ns > PIT_DEADLINE_TOTAL_MS * PIT_MS)
		return -ETIMEDOUT;
	rc = start(d);
	if (rc)
		return rc;
	rc = exchange(d, &q, out);
	if (rc == -ETIMEDOUT || rc == -ENOMEM || rc == -EIO)
		pit_deadline_close(d);
	if (rc == -ETIMEDOUT)
		d->spent_ns += pit_now() - started;
	return rc;
}
