/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/inside.h"
#include "host/answer.h"

static int read_inside(const struct pit_recording *r, const char *path, struct pit_buf *out)
{
	pit_auto_close int fd = pit_open_inside(r->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? fd : pit_read_fd(fd, out);
}

/* The part of `name` that a file name can hold: unusual bytes as %XX, and a hash where it would be too long. */
static void escape(const char *name, struct pit_buf *out)
{
	size_t start = out->len;

	for (const char *c = name; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("._:-", *c))
			pit_buf_putc(out, *c);
		else
			pit_buf_printf(out, "%%%02X", (unsigned char)*c);
	}
	if (out->len - start > 200 && !out->failed) {
		out->len = start + 180;
		pit_buf_printf(out, "%016" PRIx64, XXH3_64bits(name, strlen(name)));
	}
}

void pit_recording_name(enum pit_kind kind, const char *path, struct pit_buf *out)
{
	pit_buf_printf(out, ".pitcrew/%s/", pit_kind_names[kind]);
	escape(path, out);
}

/* One line of .pitcrew/missing: "errno kind path". */
static int note_missing(struct pit_recording *r, char *line)
{
	char *end;
	long code = strtol(line, &end, 10);

	if (code <= 0 || code > 4095 || *end != ' ')
		return -EBADMSG;
	return pit_strmap_put(&r->missing, end + 1, (void *)(intptr_t)-code);
}

static int load_missing(struct pit_recording *r, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = read_inside(r, ".pitcrew/missing", &text);
	char *save = NULL;

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return pit_fail(err, -rc, ".pitcrew/missing: %s", strerror(-rc));
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		rc = note_missing(r, line);
		if (rc)
			return pit_fail(err, -rc, ".pitcrew/missing: '%.80s' is not 'errno kind path'", line);
	}
	return 0;
}

int pit_recording_open(struct pit_recording *r, const char *dir, struct pit_error *err)
{
	pit_auto_close int probe = -1;
	int rc;

	r->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->fd < 0)
		return pit_fail(err, errno, "cannot open the recording %s: %s", dir, strerror(errno));
	probe = pit_open_inside(r->fd, "/", O_PATH | O_DIRECTORY);
	if (probe < 0)
		return pit_fail(err, -probe, "this kernel cannot read a recording safely (openat2: %s)",
				strerror(-probe));
	close(probe);
	probe = pit_open_inside(r->fd, ".pitcrew/format", O_PATH);
	r->ours = probe >= 0;
	rc = load_missing(r, err);
	return pit_wrap(err, rc, "%s", dir);
}

void pit_recording_close(struct pit_recording *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	pit_strmap_free(&r->missing, NULL);
}

/* The target of the last component, which must not be followed: its directory is resolved inside the recording. */
static int link_inside(const struct pit_recording *r, const char *path, struct pit_buf *out)
{
	pit_auto_close int fd = pit_open_inside(r->fd, path, O_PATH | O_NOFOLLOW);
	char target[4096];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", target, sizeof(target));
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? -ENOLINK : -errno;
	pit_buf_add(out, target, (size_t)n);
	return 0;
}

/* What the file system of the recording itself says; its owner is not the recorded one. */
static int stat_inside(const struct pit_recording *r, const char *path, struct pit_buf *out)
{
	pit_auto_close int fd = pit_open_inside(r->fd, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	pit_buf_printf(out, "%o -1 -1 %" PRIu64 " %" PRIu64 " 0 0 0\n", st.st_mode, (uint64_t)st.st_size,
		       (uint64_t)st.st_nlink);
	return 0;
}

static int list_inside(const struct pit_recording *r, const char *path, struct pit_buf *out)
{
	int fd = pit_open_inside(r->fd, path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : pit_list_fd(fd, out);
}

static int exists_inside(const struct pit_recording *r, const char *path)
{
	pit_auto_close int fd = pit_open_inside(r->fd, path, O_PATH);

	return fd < 0 ? fd : 0;
}

/* From the tree of files itself. */
static int from_tree(const struct pit_recording *r, enum pit_kind kind, const char *path, struct pit_buf *out)
{
	switch (kind) {
	case PIT_KIND_FILE:
		return read_inside(r, path, out);
	case PIT_KIND_LIST:
		return list_inside(r, path, out);
	case PIT_KIND_LINK:
		return link_inside(r, path, out);
	case PIT_KIND_STAT:
		return stat_inside(r, path, out);
	case PIT_KIND_EXISTS:
		return exists_inside(r, path);
	default:
		return -ENODATA;
	}
}

static int from_missing(const struct pit_recording *r, enum pit_kind kind, const char *path)
{
	pit_auto_buf struct pit_buf key = PIT_BUF_INIT;

	pit_buf_printf(&key, "%s %s", pit_kind_names[kind], path);
	return (int)(intptr_t)pit_strmap_get(&r->missing, key.data);
}

int pit_answer_recorded(const struct pit_recording *r, enum pit_kind kind, const char *path, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	int rc = from_missing(r, kind, path);

	if (rc)
		return rc;
	if (kind != PIT_KIND_FILE && kind != PIT_KIND_LINK) {
		pit_recording_name(kind, path, &name);
		rc = read_inside(r, name.data, out);
		if (rc != -ENOENT && rc != -ENOTDIR)
			return rc;
	}
	pit_buf_clear(out);
	rc = from_tree(r, kind, path, out);
	return rc == -ENOENT && r->ours ? -ENODATA : rc;
}
