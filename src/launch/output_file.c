/* SPDX-License-Identifier: MIT */
#include "launch/output_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MODE_DIR 0750
#define MODE_FILE 0640

static const char *file_name(const struct pit_output_dir *d, int rank, bool is_stderr, char *out, size_t size)
{
	const char *end = is_stderr ? "err" : "out";

	if (d->attempt > 0)
		snprintf(out, size, "rank-%d.%d.%s", rank, d->attempt, end);
	else
		snprintf(out, size, "rank-%d.%s", rank, end);
	return out;
}

static int make_with_parents(const char *path)
{
	pit_auto_free char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(copy, MODE_DIR) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(copy, MODE_DIR) && errno != EEXIST ? -errno : 0;
}

static int check_room(const struct pit_output_dir *d, struct pit_error *err)
{
	struct statvfs fs;

	if (faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS))
		return pit_fail(err, errno, "--log-dir %s: cannot be written to: %s", d->path, strerror(errno));
	if (!fstatvfs(d->fd, &fs) && fs.f_blocks && !fs.f_bavail)
		return pit_fail(err, ENOSPC, "--log-dir %s: its disk is full", d->path);
	return 0;
}

int pit_output_dir_open(const char *path, int attempt, struct pit_output_dir *ret, struct pit_error *err)
{
	struct pit_output_dir d = {.fd = -1, .attempt = attempt};
	int rc = make_with_parents(path);

	if (rc)
		return pit_fail(err, -rc, "--log-dir %s: cannot be made: %s", path, strerror(-rc));
	d.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0)
		return pit_fail(err, errno, "--log-dir %s: %s", path, strerror(errno));
	d.path = strdup(path);
	rc = d.path ? check_room(&d, err) : pit_fail(err, ENOMEM, "--log-dir %s", path);
	if (rc) {
		pit_output_dir_close(&d);
		return rc;
	}
	*ret = d;
	return 0;
}

/* Behind `text`; NULL: it does not begin so. */
static const char *skip(const char *text, const char *start)
{
	size_t len = strlen(start);

	return text && !strncmp(text, start, len) ? text + len : NULL;
}

/* Behind a number, which is `wanted` unless that is below 0. */
static const char *skip_number(const char *text, int wanted)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!digits || digits > 9 || (wanted >= 0 && atoi(text) != wanted))
		return NULL;
	return text + digits;
}

bool pit_output_dir_is_ours(const char *name, int own)
{
	const char *rank = skip_number(skip(name, "rank-"), own);
	const char *of_one = skip_number(skip(name, "report-rank-"), own);
	const char *rest = rank ? rank : of_one ? of_one : own < 0 ? skip(name, "report") : NULL;
	const char *number = skip_number(skip(rest, "."), -1);

	rest = number ? number : rest;
	if (!rest)
		return false;
	return rank ? !strcmp(rest, ".out") || !strcmp(rest, ".err") : !strcmp(rest, ".json");
}

int pit_output_dir_clean(const char *path, int own, struct pit_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pit_auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		pit_cleanup_close(&fd);
		return 0; /* whoever opens it next says why */
	}
	while ((entry = readdir(dir)))
		if (pit_output_dir_is_ours(entry->d_name, own) &&
		    !fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		    unlinkat(fd, entry->d_name, 0) && errno != ENOENT)
			return pit_fail(err, errno, "--log-dir %s: %s of an earlier job cannot be removed: %s", path,
					entry->d_name, strerror(errno));
	return 0;
}

void pit_output_dir_close(struct pit_output_dir *d)
{
	pit_cleanup_close(&d->fd);
	pit_cleanup_free(&d->path);
	*d = (struct pit_output_dir)PIT_OUTPUT_DIR_INIT;
}

/* No link is followed and no FIFO waited for: the directory may be one that others write to. */
static int open_file(const struct pit_output_dir *d, const char *name, int flags, struct stat *st)
{
	pit_auto_close int fd = openat(d->fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, MODE_FILE);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -ENOTSUP;
	return pit_take_fd(&fd);
}

int pit_output_dir_file(const struct pit_output_dir *d, int rank, bool is_stderr, int *ret_fd, off_t *ret_size,
			struct pit_error *err)
{
	struct stat st;
	char name[48];
	int fd = open_file(d, file_name(d, rank, is_stderr, name, sizeof(name)), O_WRONLY | O_APPEND | O_CREAT, &st);

	if (fd == -ELOOP)
		return pit_fail(err, ELOOP, "--log-dir %s: %s is a link; remove it", d->path, name);
	if (fd == -ENOTSUP || fd == -ENXIO || fd == -EISDIR)
		return pit_fail(err, EEXIST, "--log-dir %s: %s is no plain file; remove it", d->path, name);
	if (fd < 0)
		return pit_fail(err, -fd, "--log-dir %s: %s: %s", d->path, name, strerror(-fd));
	fcntl(fd, F_SETFL, O_APPEND); /* without O_NONBLOCK: the rank gets an ordinary file */
	*ret_fd = fd;
	*ret_size = st.st_size;
	return 0;
}

bool pit_output_dir_last(const struct pit_output_dir *d, int rank, off_t start, size_t most, struct pit_buf *out)
{
	struct stat st;
	char name[48];
	pit_auto_close int fd = open_file(d, file_name(d, rank, true, name, sizeof(name)), O_RDONLY, &st);
	off_t from = start;

	if (fd < 0 || st.st_size <= start || pit_buf_reserve(out, most))
		return false;
	if (st.st_size - start > (off_t)most)
		from = st.st_size - (off_t)most;
	for (size_t left = most; left;) {
		ssize_t n = pread(fd, out->data + out->len, left, from + (off_t)(most - left));

		if (n <= 0)
			break;
		out->len += (size_t)n;
		left -= (size_t)n;
	}
	out->data[out->len] = '\0';
	return from > start;
}
