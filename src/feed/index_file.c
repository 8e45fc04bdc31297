/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "feed/index.h"

int pit_shard_index_read(int dir, const char *path, uint64_t most, struct pit_buf *ret)
{
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > most)
		return -EFBIG;
	if (pit_buf_reserve(ret, (size_t)st.st_size))
		return -ENOMEM;
	while (ret->len < (size_t)st.st_size) {
		ssize_t n = read(fd, ret->data + ret->len, (size_t)st.st_size - ret->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG; /* it got shorter meanwhile */
		ret->len += (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const char *p, size_t left)
{
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

int pit_shard_index_write(int dir, const char *path, const struct pit_buf *bytes, struct pit_error *err)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	uint64_t random = 0;
	int fd, rc;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint64_t)getpid();
	pit_buf_printf(&name, "%s.tmp-%016llx", path, (unsigned long long)random);
	if (name.failed || bytes->failed)
		return pit_fail(err, ENOMEM, "out of memory");
	fd = TEMP_FAILURE_RETRY(openat(dir, name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
	if (fd < 0)
		return pit_fail(err, errno, "%s: cannot be made: %s", path, strerror(errno));
	rc = write_all(fd, bytes->data, bytes->len);
	if (close(fd) && !rc) /* NFS tells only now that the disk is full */
		rc = -errno;
	if (!rc && renameat(dir, name.data, dir, path))
		rc = -errno;
	if (rc)
		unlinkat(dir, name.data, 0);
	return rc ? pit_fail(err, -rc, "%s: cannot be written: %s", path, strerror(-rc)) : 0;
}
