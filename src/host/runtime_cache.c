/* SPDX-License-Identifier: MIT */
#include "host/runtime_cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "host/answer.h"

static bool is_ours(int fd, mode_t type, mode_t rights)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       (st.st_mode & 07777) == rights;
}

static int open_base(void)
{
	const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");

	if (!base || *base != '/')
		return -ENOENT;
	return open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_dir(bool make)
{
	pit_auto_close int base = open_base();
	pit_auto_close int dir = -1;

	if (base < 0)
		return -ENOENT;
	if (make && mkdirat(base, "pitcrew", 0700) && errno != EEXIST)
		return -errno;
	dir = openat(base, "pitcrew", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || !is_ours(dir, S_IFDIR, 0700))
		return -ENOENT;
	return pit_take_fd(&dir);
}

int pit_runtime_cache_get(const char *name, const char *key, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_close int dir = open_dir(false);
	pit_auto_close int fd = -1;
	size_t len = strlen(key);

	if (dir < 0)
		return -ENOENT;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_ours(fd, S_IFREG, 0600) || pit_read_fd(fd, &text))
		return -ENOENT;
	if (text.len <= len || memcmp(text.data, key, len) != 0 || text.data[len] != '\n')
		return -ENOENT;
	pit_buf_add(out, text.data + len + 1, text.len - len - 1);
	return 0;
}

static int write_file(int dir, const char *name, const struct pit_buf *text)
{
	pit_auto_close int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600))
		return -errno;
	return write(fd, text->data, text->len) == (ssize_t)text->len ? 0 : -EIO;
}

int pit_runtime_cache_put(const char *name, const char *key, const char *text, size_t len)
{
	pit_auto_buf struct pit_buf whole = PIT_BUF_INIT;
	pit_auto_close int dir = open_dir(true);
	char temporary[64];
	int rc;

	if (dir < 0)
		return dir;
	pit_buf_printf(&whole, "%s\n", key);
	pit_buf_add(&whole, text, len);
	if (whole.failed)
		return -ENOMEM;
	snprintf(temporary, sizeof(temporary), ".%.40s.%d", name, getpid());
	rc = write_file(dir, temporary, &whole);
	if (!rc && renameat(dir, temporary, dir, name))
		rc = -errno;
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}
