/* SPDX-License-Identifier: MIT */
#include "host/try.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "base/clock.h"

#define OUT_FD 3
#define ANSWER_MAX (1u << 20)

static void write_all(const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(OUT_FD, (const char *)bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		done += (size_t)n;
	}
}

static void child(int fd, pit_fact_fn make, const char *name, void *arg)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int null = open("/dev/null", O_RDWR), rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pitcrew-try");
	prctl(PR_SET_DUMPABLE, 0);
	if (fd != OUT_FD)
		dup2(fd, OUT_FD);
	for (int i = 0; i < OUT_FD; i++)
		dup2(null, i);
	close_range(OUT_FD + 1, ~0u, 0);
	rc = make(name, arg, &out);
	write_all(&rc, sizeof(rc));
	write_all(out.data, out.len);
	_exit(0);
}

/* Everything up to the end of the pipe. */
static int receive(int fd, int ms, struct pit_buf *out)
{
	int64_t until = pit_now() + ms * PIT_MS;

	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / PIT_MS) + 1) <= 0)
			continue;
		if (out->len > ANSWER_MAX || pit_buf_reserve(out, 4096))
			return -EFBIG;
		n = read(fd, out->data + out->len, 4096);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return 0;
		out->len += n > 0 ? (size_t)n : 0;
	}
}

static int reap(pid_t pid, bool ended)
{
	int status = 0;

	if (!ended)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, ended ? 0 : WNOHANG) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return -EPERM;
	return -EIO;
}

int pit_try(int ms, pit_fact_fn make, const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf answer = PIT_BUF_INIT;
	pit_auto_close int in = -1;
	int pair[2], rc, died, made;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	in = pair[0];
	pid = fork();
	if (!pid)
		child(pair[1], make, name, arg);
	rc = pid < 0 ? -errno : 0;
	close(pair[1]);
	if (rc)
		return rc;
	rc = receive(in, ms, &answer);
	died = reap(pid, !rc);
	if (rc)
		return rc;
	if (answer.len < sizeof(made))
		return died;
	memcpy(&made, answer.data, sizeof(made));
	if (!made)
		pit_buf_add(out, answer.data + sizeof(made), answer.len - sizeof(made));
	return made;
}

char *pit_fact_name(char *ret, size_t size, const char *prefix, const char *path)
{
	size_t start = strlen(prefix) + 1;
	bool changed = false;

	snprintf(ret, size, "%s:%s", prefix, path);
	for (char *c = ret + start; start < size && *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("/._-", *c))
			continue;
		*c = '_';
		changed = true;
	}
	if ((changed || start + strlen(path) >= size) && size > 20) {
		size_t len = strlen(ret), at = len + 18 < size ? len : size - 18;

		snprintf(ret + at, size - at, "-%016" PRIx64, XXH3_64bits(path, strlen(path)));
	}
	return ret;
}
