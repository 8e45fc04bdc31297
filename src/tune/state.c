/* SPDX-License-Identifier: MIT */
#include "tune/state_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"

#define POLL_NS (50 * PIT_MS) /* between two tries to get the lock */

int pit_state_check_owner(const struct stat *st, const char *dir, const char *name, struct pit_error *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return pit_fail(err, EPERM, "%s/%s belongs to user %u, so it is not used", dir, name, st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return pit_fail(err, EPERM, "%s/%s may be written by others (mode %04o), so it is not used", dir, name,
				st->st_mode & 07777);
	return 0;
}

static int fail_open(const char *dir, const char *name, int code, struct pit_error *err)
{
	if (code == ELOOP || code == ENOTDIR)
		return pit_fail(err, code, "%s/%s is a link or no directory, so it is not used", dir, name);
	if (code == EACCES)
		return pit_fail(err, code, "%s/%s can be read by root only; run this as root", dir, name);
	return pit_fail(err, code, "cannot open %s/%s: %s", dir, name, strerror(code));
}

int pit_state_openat(const struct pit_tune_state *s, const char *name, int flags, struct pit_error *err)
{
	pit_auto_close int fd = openat(s->tune, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	int rc;

	if (fd < 0)
		return fail_open(s->journals, name, errno, err);
	if (fstat(fd, &st))
		return pit_fail(err, errno, "cannot look at %s/%s: %s", s->journals, name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pit_fail(err, EPERM, "%s/%s is no plain file, so it is not used", s->journals, name);
	rc = pit_state_check_owner(&st, s->journals, name, err);
	return rc ? rc : pit_take_fd(&fd);
}

/* Opens, and makes when asked to, the directory `name` of `parent`; its descriptor or -errno. */
static int open_dir(int parent, const char *name, const char *dir, bool make, struct pit_error *err)
{
	pit_auto_close int fd = -1;
	struct stat st;
	int rc;

	if (make && !mkdirat(parent, name, 0700))
		rc = fsync(parent); /* a file system that cannot is as good as it gets */
	else if (make && errno != EEXIST)
		return pit_fail(err, errno, "cannot make %s/%s: %s", dir, name, strerror(errno));
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_open(dir, name, errno, err);
	if (fstat(fd, &st))
		return pit_fail(err, errno, "cannot look at %s/%s: %s", dir, name, strerror(errno));
	rc = pit_state_check_owner(&st, dir, name, err);
	return rc ? rc : pit_take_fd(&fd);
}

/* Splits "/var/lib/pitcrew/" into "/var/lib" and "pitcrew". */
static int split(const char *dir, char *parent, char *name, size_t size)
{
	size_t len = strlen(dir);
	const char *slash;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (*dir != '/' || len < 2 || len >= size)
		return -EINVAL;
	slash = memrchr(dir, '/', len);
	snprintf(parent, size, "%.*s", slash == dir ? 1 : (int)(slash - dir), dir);
	snprintf(name, size, "%.*s", (int)(len - (size_t)(slash + 1 - dir)), slash + 1);
	return strcmp(name, ".") && strcmp(name, "..") ? 0 : -EINVAL;
}

int pit_tune_state_open(const char *dir, bool make, struct pit_tune_state **ret, struct pit_error *err)
{
	char parent[PATH_MAX], name[PATH_MAX];
	pit_auto_close int above = -1, state = -1;
	pit_auto_close int tune = -1;
	struct pit_tune_state *s;
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (split(dir, parent, name, sizeof(parent)))
		return pit_fail(err, EINVAL, "%s: the state directory must be an absolute path", dir);
	above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return pit_fail(err, errno, "cannot open %s: %s", parent, strerror(errno));
	state = open_dir(above, name, parent, make, err);
	if (state < 0)
		return state;
	tune = open_dir(state, "tune", dir, make, err);
	if (tune < 0)
		return tune;
	s = malloc(sizeof(*s));
	if (!s)
		return pit_fail(err, ENOMEM, "out of memory");
	*s = (struct pit_tune_state){.tune = pit_take_fd(&tune), .lock = -1};
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	snprintf(s->journals, sizeof(s->journals), "%.*s/tune", (int)len, dir);
	*ret = s;
	return 0;
}

void pit_tune_state_close(struct pit_tune_state *s)
{
	int saved = errno;

	if (!s)
		return;
	if (s->lock >= 0)
		close(s->lock);
	close(s->tune);
	free(s);
	errno = saved;
}

const char *pit_tune_state_dir(const struct pit_tune_state *s)
{
	return s->dir;
}

/* "4711 (pitcrew)" into the lock, for those who wait. What cannot be written only spoils their message. */
static void sign(int fd)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%d (%.32s)\n", (int)getpid(), program_invocation_short_name);

	if (ftruncate(fd, 0) || pwrite(fd, line, (size_t)len, 0) < 0)
		return;
}

static void read_holder(int fd, char *who, size_t size)
{
	ssize_t n = pread(fd, who, size - 1, 0);

	who[n > 0 ? n : 0] = '\0';
	who[strcspn(who, "\n")] = '\0';
	if (!*who)
		snprintf(who, size, "another process");
}

bool pit_tune_state_is_busy(struct pit_tune_state *s, char *who, size_t size)
{
	pit_auto_close int fd = pit_state_openat(s, "lock", O_RDONLY, NULL);

	if (fd < 0 || !flock(fd, LOCK_SH | LOCK_NB) || errno != EWOULDBLOCK)
		return false;
	read_holder(fd, who, size);
	return true;
}

static int fail_busy(const struct pit_tune_state *s, int fd, struct pit_error *err)
{
	char who[256];

	read_holder(fd, who, sizeof(who));
	return pit_fail(err, EBUSY, "%s is at work on %s", who, s->dir);
}

int pit_tune_state_lock(struct pit_tune_state *s, int seconds, struct pit_error *err)
{
	const int64_t until = pit_now() + seconds * 1000 * PIT_MS;
	const struct timespec pause = {.tv_nsec = POLL_NS};
	pit_auto_close int fd = pit_state_openat(s, "lock", O_RDWR | O_CREAT, err);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return pit_fail(err, errno, "cannot lock %s: %s", s->journals, strerror(errno));
		if (pit_now() >= until)
			return fail_busy(s, fd, err);
		nanosleep(&pause, NULL);
	}
	sign(fd);
	s->lock = pit_take_fd(&fd);
	return 0;
}
