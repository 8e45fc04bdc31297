/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include "host/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

struct pit_archive {
	struct archive *a;
	char *path;
	char *tmp;
	int fd;
	int64_t now;
};

static int add_filter(struct archive *a, const char *path)
{
	static const struct {
		const char *end;
		int (*add)(struct archive *);
	} filters[] = {
		{".zst", archive_write_add_filter_zstd},  {".gz", archive_write_add_filter_gzip},
		{".tgz", archive_write_add_filter_gzip},  {".xz", archive_write_add_filter_xz},
		{".bz2", archive_write_add_filter_bzip2}, {".tar", archive_write_add_filter_none},
	};

	for (size_t i = 0; i < PIT_COUNT(filters); i++)
		if (pit_ends_with(path, filters[i].end))
			return filters[i].add(a) == ARCHIVE_OK ? 0 : -EINVAL;
	return -EINVAL;
}

int pit_archive_create(const char *path, struct pit_archive **ret, struct pit_error *err)
{
	struct pit_archive *w = calloc(1, sizeof(*w));

	if (!w)
		return pit_fail(err, ENOMEM, "out of memory");
	w->fd = -1;
	w->now = time(NULL);
	w->a = archive_write_new();
	w->path = strdup(path);
	if (!w->a || !w->path || asprintf(&w->tmp, "%s.tmp.%d", path, getpid()) < 0) {
		w->tmp = NULL;
		pit_archive_abandon(w);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	if (add_filter(w->a, path)) {
		pit_archive_abandon(w);
		return pit_fail(err, EINVAL, "%s: end the name in .tar.zst, .tar.gz, .tar.xz, .tar.bz2 or .tar", path);
	}
	archive_write_set_format_pax_restricted(w->a);
	w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0 || archive_write_open_fd(w->a, w->fd) != ARCHIVE_OK) {
		int code = errno ? errno : EIO;

		pit_archive_abandon(w);
		return pit_fail(err, code, "cannot create %s: %s", path, strerror(code));
	}
	*ret = w;
	return 0;
}

static int put_header(struct pit_archive *w, const char *name, const char *target, size_t len, struct pit_error *err)
{
	struct archive_entry *e = archive_entry_new();
	int rc;

	if (!e)
		return pit_fail(err, ENOMEM, "out of memory");
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, target ? AE_IFLNK : AE_IFREG);
	archive_entry_set_perm(e, target ? 0777 : 0644);
	archive_entry_set_mtime(e, w->now, 0);
	archive_entry_set_size(e, (la_int64_t)len);
	if (target)
		archive_entry_set_symlink(e, target);
	rc = archive_write_header(w->a, e);
	archive_entry_free(e);
	return rc < ARCHIVE_WARN ? pit_fail(err, EIO, "cannot write %s: %s", w->path, archive_error_string(w->a)) : 0;
}

int pit_archive_file(struct pit_archive *w, const char *name, const void *bytes, size_t len, struct pit_error *err)
{
	int rc = put_header(w, name, NULL, len, err);

	if (rc)
		return rc;
	if (len && archive_write_data(w->a, bytes, len) != (la_ssize_t)len)
		return pit_fail(err, EIO, "cannot write %s: %s", w->path, archive_error_string(w->a));
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
		archive_write_free(w->a);
	if (w->fd >= 0) {
		close(w->fd);
		unlink(w->tmp);
	}
	free(w->path);
	free(w->tmp);
	free(w);
	errno = saved;
}

int pit_archive_finish(struct pit_archive *w, struct pit_error *err)
{
	int rc = 0;

	if (archive_write_close(w->a) != ARCHIVE_OK)
		rc = pit_fail(err, EIO, "cannot write %s: %s", w->path, archive_error_string(w->a));
	else if (fsync(w->fd) || rename(w->tmp, w->path))
		rc = pit_fail(err, errno, "cannot finish %s: %s", w->path, strerror(errno));
	if (!rc) {
		close(w->fd);
		w->fd = -1;
	}
	pit_archive_abandon(w);
	return rc;
}
