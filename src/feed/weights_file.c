/* SPDX-License-Identifier: MIT */
#include "feed/weights_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

int pit_weights_file_open(const char *path, int *ret_fd, struct stat *ret_st, struct pit_error *err)
{
	pit_auto_close int fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));

	if (fd < 0 || fstat(fd, ret_st))
		return pit_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(ret_st->st_mode))
		return pit_fail(err, EOPNOTSUPP, "%s is not a regular file", path);
	*ret_fd = pit_take_fd(&fd);
	return 0;
}

int pit_weights_file_read(const struct pit_weights_file *f, int fd, uint64_t offset, void *data, uint64_t len,
			  struct pit_error *err)
{
	uint64_t got = 0;

	while (got < len) {
		size_t want = len - got < (1U << 30) ? len - got : 1U << 30;
		ssize_t n = pread(fd, (char *)data + got, want, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pit_fail(err, errno, "cannot read %s at %" PRIu64 ": %s", f->path, offset + got,
					strerror(errno));
		if (!n)
			return pit_fail(err, EIO, "%s ends at %" PRIu64 ": it got shorter since it was opened", f->path,
					offset + got);
		got += (uint64_t)n;
	}
	return 0;
}

static int read_header(struct pit_weights_file *f, struct pit_error *err)
{
	pit_auto_free char *json = NULL;
	uint64_t size = (uint64_t)f->st.st_size, len = 0;
	enum pit_safetensors_rule rule = PIT_ST_OK;
	char prefix[8] = {0};
	int rc = pit_weights_file_read(f, f->fd, 0, prefix, size < sizeof(prefix) ? size : sizeof(prefix), err);

	if (rc)
		return rc;
	rc = pit_safetensors_length(prefix, size, &len, &rule, err);
	if (!rc) {
		json = malloc(len + 1);
		if (!json)
			return pit_fail(err, ENOMEM, "%s: no memory for a header of %" PRIu64 " bytes", f->path, len);
		rc = pit_weights_file_read(f, f->fd, sizeof(prefix), json, len, err);
		if (rc)
			return rc;
		rc = pit_safetensors_parse(json, len, size, &f->header, &rule, err);
	}
	if (rc == -EBADMSG)
		return pit_wrap(err, rc, "%s breaks %s", f->path, pit_safetensors_rules[rule]);
	return pit_wrap(err, rc, "%s", f->path);
}

int pit_weights_file_load(const char *path, struct pit_weights_file *f, struct pit_error *err)
{
	int rc;

	*f = (struct pit_weights_file){.fd = -1, .path = strdup(path)};
	if (!f->path)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = pit_weights_file_open(path, &f->fd, &f->st, err);
	return rc ? rc : read_header(f, err);
}

void pit_weights_file_free(struct pit_weights_file *f)
{
	pit_cleanup_close(&f->fd);
	pit_safetensors_free(&f->header);
	pit_cleanup_free(&f->path);
}

int pit_weights_file_same(const struct pit_weights_file *f, int fd, struct pit_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return pit_fail(err, errno, "cannot look at %s: %s", f->path, strerror(errno));
	if (st.st_size < f->st.st_size)
		return pit_fail(err, EIO, "%s got shorter since it was opened: %lld bytes, and it had %lld", f->path,
				(long long)st.st_size, (long long)f->st.st_size);
	if (st.st_dev != f->st.st_dev || st.st_ino != f->st.st_ino)
		return pit_fail(err, EIO, "%s was replaced by another file since it was opened", f->path);
	if (st.st_size != f->st.st_size || st.st_mtim.tv_sec != f->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != f->st.st_mtim.tv_nsec)
		return pit_fail(err, EIO, "%s was written to since it was opened", f->path);
	return 0;
}

int pit_weights_file_fd(const struct pit_weights_file *f, bool *ret_close, struct pit_error *err)
{
	pit_auto_close int fd = -1;
	struct stat st;
	int rc;

	if (f->fd >= 0) {
		*ret_close = false;
		return f->fd;
	}
	rc = pit_weights_file_open(f->path, &fd, &st, err);
	if (!rc)
		rc = pit_weights_file_same(f, fd, err);
	if (rc)
		return rc == -ENOENT ? pit_fail(err, EIO, "%s was removed since it was opened", f->path) : rc;
	*ret_close = true;
	return pit_take_fd(&fd);
}
