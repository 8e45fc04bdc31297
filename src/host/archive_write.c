/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include "host/archive.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "host/archive_lib.h"

struct pit_archive {
	struct pit_archive_lib lib;
	struct archive *a;
	char *path;
	char *tmp;
	int fd;
	bool named; /* `tmp` exists; else the file has no name until it is whole, and vanishes with us */
	int64_t now;
};

static int add_filter(const struct pit_archive *w, const char *path)
{
	const struct {
		const char *end;
		int (*add)(struct archive *);
	} filters[] = {
		{".zst", w->lib.archive_write_add_filter_zstd},  {".gz", w->lib.archive_write_add_filter_gzip},
		{".tgz", w->lib.archive_write_add_filter_gzip},  {".xz", w->lib.archive_write_add_filter_xz},
		{".bz2", w->lib.archive_write_add_filter_bzip2}, {".tar", w->lib.archive_write_add_filter_none},
	};

	for (size_t i = 0; i < PIT_COUNT(filters); i++)
		if (pit_ends_with(path, filters[i].end))
			return filters[i].add(w->a) == ARCHIVE_OK ? 0 : -EINVAL;
	return -EINVAL;
}

static int open_new(struct pit_archive *w)
{
	const char *slash = strrchr(w->path, '/');
	pit_auto_free char *dir = slash ? strndup(w->path, (size_t)(slash - w->path) + 1) : strdup(".");

	if (!dir)
		return -ENOMEM;
	w->fd = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		w->named = w->fd >= 0;
	}
	return w->fd < 0 ? -errno : 0;
}

/* Gives the file its name, in place of an older one. */
static int put_in_place(struct pit_archive *w)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	if (fsync(w->fd))
		return -errno;
	if (!w->named && linkat(AT_FDCWD, self, AT_FDCWD, w->tmp, AT_SYMLINK_FOLLOW) &&
	    linkat(w->fd, "", AT_FDCWD, w->tmp, AT_EMPTY_PATH))
		return -errno;
	w->named = true;
	return rename(w->tmp, w->path) ? -errno : 0;
}

int pit_archive_create(const char *path, struct pit_archive **ret, struct pit_error *err)
{
	struct pit_archive *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return pit_fail(err, ENOMEM, "out of memory");
	w->fd = -1;
	w->now = time(NULL);
	rc = pit_archive_lib(&w->lib, err);
	if (rc) {
		pit_archive_abandon(w);
		return rc;
	}
	w->a = w->lib.archive_write_new();
	w->path = strdup(path);
	if (!w->a || !w->path || asprintf(&w->tmp, "%s.tmp.%d", path, getpid()) < 0) {
		w->tmp = NULL;
		pit_archive_abandon(w);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	if (add_filter(w, path)) {
		pit_archive_abandon(w);
		return pit_fail(err, EINVAL, "%s: end the name in .tar.zst, .tar.gz, .tar.xz, .tar.bz2 or .tar", path);
	}
	w->lib.archive_write_set_format_pax_restricted(w->a);
	if (open_new(w) || w->lib.archive_write_open_fd(w->a, w->fd) != ARCHIVE_OK) {
		int code = errno ? errno : EIO;

		pit_archive_abandon(w);
		return pit_fail(err, code, "cannot create %s: %s", path, strerror(code));
	}
	*ret = w;
	return 0;
}

static int put_header(struct pit_archive *w, const char *name, const char *target, size_t len, struct pit_error *err)
{
	struct archive_entry *e = w->lib.archive_entry_new();
	int rc;

	if (!e)
		return pit_fail(err, ENOMEM, "out of memory");
	w->lib.archive_entry_set_pathname(e, name);
	w->lib.archive_entry_set_filetype(e, target ? AE_IFLNK : AE_IFREG);
	w->lib.archive_entry_set_perm(e, target ? 0777 : 0644);
	w->lib.archive_entry_set_mtime(e, w->now, 0);
	w->lib.archive_entry_set_size(e, (la_int64_t)len);
	if (target)
		w->lib.archive_entry_set_symlink(e, target);
	rc = w->lib.archive_write_header(w->a, e);
	w->lib.archive_entry_free(e);
	return rc < ARCHIVE_WARN ? pit_fail(err, EIO, "cannot write %s: %s", w->path, w->lib.archive_error_string(w->a))
				 : 0;
}

int pit_archive_file(struct pit_archive *w, const char *name, const void *bytes, size_t len, struct pit_error *err)
{
	int rc = put_header(w, name, NULL, len, err);

	if (rc)
		return rc;
	if (len && w->lib.archive_write_data(w->a, bytes, len) != (la_ssize_t)len)
		return pit_fail(err, EIO, "cannot write %s: %s", w->path, w->lib.archive_error_string(w->a));
	return 0;
}

int pit_archive_link(struct pit_archive *w, const char *name, const char *target, struct pit_error *err)
{
	return put_header(w, name, target, 0, err);
}

void pit_archive_abandon(struct pit_archive *w)
{
	int saved = errno;

	if (!w)
		return;
	if (w->a)
		w->lib.archive_write_free(w->a);
	if (w->fd >= 0) {
		close(w->fd);
		if (w->named)
			unlink(w->tmp);
	}
	free(w->path);
	free(w->tmp);
	free(w);
	errno = saved;
}

int pit_archive_finish(struct pit_archive *w, struct pit_error *err)
{
	int rc;

	if (w->lib.archive_write_close(w->a) != ARCHIVE_OK) {
		rc = pit_fail(err, EIO, "cannot write %s: %s", w->path, w->lib.archive_error_string(w->a));
	} else {
		rc = put_in_place(w);
		if (rc)
			pit_fail(err, -rc, "cannot finish %s: %s", w->path, strerror(-rc));
	}
	if (!rc) {
		close(w->fd);
		w->fd = -1;
	}
	pit_archive_abandon(w);
	return rc;
}
