/* SPDX-License-Identifier: MIT
 *
 * Temporary directories for tests, and files in them under the paths of a machine ("/proc/meminfo"). The functions
 * return 0 or -errno; those without a return value end the test program when they fail.
 */
#ifndef PIT_TESTS_TEMPDIR_H
#define PIT_TESTS_TEMPDIR_H

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* Makes "PARENT/pitcrew-test-XXXXXX", whose name it writes to `dir`. */
static inline void tempdir_new_in(const char *parent, char *dir, size_t size)
{
	snprintf(dir, size, "%s/pitcrew-test-XXXXXX", parent);
	if (!mkdtemp(dir))
		abort();
}

static inline void tempdir_new(char *dir, size_t size)
{
	tempdir_new_in("/tmp", dir, size);
}

/* Makes the directories above the last component of DIR/PATH, whose name it writes to `full`. */
static inline void tempdir_parents(const char *dir, const char *path, char *full, size_t size)
{
	snprintf(full, size, "%s%s%s", dir, *path == '/' ? "" : "/", path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
}

static inline int tempdir_write(const char *dir, const char *path, const void *bytes, size_t len)
{
	char full[4096];
	pit_auto_close int fd = -1;

	tempdir_parents(dir, path, full, sizeof(full));
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	return write(fd, bytes, len) == (ssize_t)len ? 0 : -EIO;
}

static inline int tempdir_symlink(const char *dir, const char *path, const char *target)
{
	char full[4096];

	tempdir_parents(dir, path, full, sizeof(full));
	return symlink(target, full) ? -errno : 0;
}

static inline void tempdir_file(const char *dir, const char *path, const char *text)
{
	if (tempdir_write(dir, path, text, strlen(text)))
		abort();
}

static inline void tempdir_link(const char *dir, const char *path, const char *target)
{
	if (tempdir_symlink(dir, path, target))
		abort();
}

static inline int tempdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void tempdir_remove(const char *dir)
{
	nftw(dir, tempdir_remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

#endif
