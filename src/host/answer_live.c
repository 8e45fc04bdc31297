/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/strv.h"
#include "host/answer.h"
#include "host/root.h"

const char *const pit_kind_names[PIT_KINDS] = {
	[PIT_KIND_FILE] = "file", [PIT_KIND_LIST] = "list",     [PIT_KIND_LINK] = "link",
	[PIT_KIND_STAT] = "stat", [PIT_KIND_STATFS] = "statfs", [PIT_KIND_EXISTS] = "exists",
	[PIT_KIND_FACT] = "fact", [PIT_KIND_AGAIN] = "again",
};

int pit_read_fd(int fd, struct pit_buf *out)
{
	struct stat st;
	size_t start = out->len;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	for (;;) {
		ssize_t n;

		if (pit_buf_reserve(out, 4096))
			return -ENOMEM;
		n = read(fd, out->data + out->len, out->size - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		out->data[out->len + (size_t)n] = '\0';
		if (!n)
			return 0;
		out->len += (size_t)n;
		if (out->len - start > PIT_ROOT_FILE_MAX)
			return -EFBIG;
	}
}

static int read_path(const char *path, struct pit_buf *out)
{
	pit_auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : pit_read_fd(fd, out);
}

int pit_list_fd(int fd, struct pit_buf *out)
{
	pit_auto_strv struct pit_strv names = {0};
	pit_auto_closedir DIR *dir = fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	while (errno = 0, (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || strchr(e->d_name, '\n'))
			continue;
		if (names.count >= PIT_ROOT_LIST_MAX)
			return -EFBIG;
		if (pit_strv_add(&names, e->d_name))
			return -ENOMEM;
	}
	if (errno)
		return -errno;
	pit_strv_sort(&names);
	for (size_t i = 0; i < names.count; i++)
		pit_buf_printf(out, "%s\n", names.item[i]);
	return 0;
}

static int list_path(const char *path, struct pit_buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	return fd < 0 ? -errno : pit_list_fd(fd, out);
}

static int link_path(const char *path, struct pit_buf *out)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return errno == EINVAL ? -ENOLINK : -errno;
	pit_buf_add(out, target, (size_t)n);
	return 0;
}

static void print_stat(const struct stat *st, struct pit_buf *out)
{
	pit_buf_printf(out, "%o %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", st->st_mode,
		       st->st_uid, st->st_gid, (uint64_t)st->st_size, (uint64_t)st->st_nlink,
		       (uint64_t)major(st->st_dev) << 32 | minor(st->st_dev),
		       (uint64_t)major(st->st_rdev) << 32 | minor(st->st_rdev), (int64_t)st->st_mtime);
}

static int stat_path(const char *path, struct pit_buf *out)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	print_stat(&st, out);
	return 0;
}

static int statfs_path(const char *path, struct pit_buf *out)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return -errno;
	pit_buf_printf(out,
		       "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		       "\n",
		       (uint64_t)fs.f_type, (uint64_t)fs.f_bsize, (uint64_t)fs.f_blocks, (uint64_t)fs.f_bfree,
		       (uint64_t)fs.f_bavail, (uint64_t)fs.f_files, (uint64_t)fs.f_ffree, (uint64_t)fs.f_flags);
	return 0;
}

int pit_answer_live(enum pit_kind kind, const char *path, struct pit_buf *out)
{
	switch (kind) {
	case PIT_KIND_FILE:
	case PIT_KIND_AGAIN:
		return read_path(path, out);
	case PIT_KIND_LIST:
		return list_path(path, out);
	case PIT_KIND_LINK:
		return link_path(path, out);
	case PIT_KIND_STAT:
		return stat_path(path, out);
	case PIT_KIND_STATFS:
		return statfs_path(path, out);
	case PIT_KIND_EXISTS:
		return access(path, F_OK) ? -errno : 0;
	default:
		return -EINVAL;
	}
}
