/* SPDX-License-Identifier: MIT
 *
 * Finds the manifest that is asked for.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "feed/checkpoint_dir.h"
#include "feed/manifest.h"

static int read_text(int fd, size_t size, struct pit_buf *b, struct pit_error *err)
{
	if (pit_buf_reserve(b, size + 1))
		return pit_fail(err, ENOMEM, "out of memory");
	while (b->len <= size) {
		ssize_t n = read(fd, b->data + b->len, size + 1 - b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pit_fail(err, errno, "%s", strerror(errno));
		if (!n)
			return 0;
		b->len += (size_t)n;
	}
	return pit_fail(err, EBADMSG, "it grows while it is read");
}

int pit_manifest_read(int dirfd, const char *name, struct pit_manifest **ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return pit_fail(err, errno, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pit_fail(err, EBADMSG, "%s: is no regular file", name);
	if ((uint64_t)st.st_size > PIT_MANIFEST_MOST)
		return pit_fail(err, EBADMSG, "%s: %lld bytes are no manifest", name, (long long)st.st_size);
	rc = read_text(fd, (size_t)st.st_size, &text, err);
	if (!rc)
		rc = pit_manifest_parse(text.data, text.len, ret, err);
	return pit_wrap(err, rc, "%s", name);
}

int pit_manifest_check_files(int dirfd, const struct pit_manifest *m, struct pit_error *err)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct pit_manifest_file *f = &m->files[i];
		struct stat st;

		if (fstatat(dirfd, f->name, &st, 0))
			return pit_fail(err, errno == ENOENT ? EBADMSG : errno, "%s: %s", f->name,
					errno == ENOENT ? "is missing" : strerror(errno));
		if ((uint64_t)st.st_size != f->bytes)
			return pit_fail(err, EBADMSG, "%s: has %lld bytes, not the %" PRIu64 " of the manifest",
					f->name, (long long)st.st_size, f->bytes);
	}
	return 0;
}

/* The checkpoint in directory `name` of `dirfd`, whole. */
static int open_one(int dirfd, const char *name, struct pit_manifest **ret, struct pit_error *err)
{
	pit_auto_manifest struct pit_manifest *m = NULL;
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int rc;

	if (fd < 0)
		return pit_fail(err, errno, "%s", strerror(errno));
	rc = pit_manifest_read(fd, PIT_MANIFEST_NAME, &m, err);
	if (!rc)
		rc = pit_manifest_check_files(fd, m, err);
	if (!rc)
		*ret = pit_take(m);
	return rc;
}

static bool is_complete(int dirfd, uint64_t step)
{
	pit_auto_manifest struct pit_manifest *m = NULL;
	char name[PIT_STEP_NAME_MAX];

	return !open_one(dirfd, pit_step_name(step, PIT_STEP_COMPLETE, name), &m, NULL);
}

static int find_newest(int dirfd, uint64_t *ret, struct pit_error *err)
{
	pit_auto_free uint64_t *steps = NULL;
	size_t count = 0;
	int rc;

	if (pit_step_latest(dirfd, ret))
		return 0;
	rc = pit_steps_list(dirfd, PIT_STEP_COMPLETE, &steps, &count);
	if (rc)
		return pit_fail(err, -rc, "%s", strerror(-rc));
	while (count && !is_complete(dirfd, steps[count - 1]))
		count--;
	if (!count)
		return pit_fail(err, ENOENT, "there is no complete checkpoint");
	*ret = steps[count - 1];
	return 0;
}

/* A link such as `latest` may lead elsewhere a moment later: what is beside the manifest is found by where it leads. */
static int name_itself(const char *dir, char *path, struct pit_error *err)
{
	char link[PATH_MAX], target[PATH_MAX];
	size_t end = strlen(dir);
	ssize_t len;
	int before;

	snprintf(path, PATH_MAX, "%s", dir);
	while (end > 1 && dir[end - 1] == '/')
		end--;
	snprintf(link, sizeof(link), "%.*s", (int)end, dir);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = '\0';
	before = *target == '/' ? 0 : (int)(pit_base_name(link) - link);
	if (snprintf(path, PATH_MAX, "%.*s%s", before, link, target) >= PATH_MAX)
		return pit_fail(err, ENAMETOOLONG, "%s: where it leads is too long a path", dir);
	return 0;
}

static int choose(const char *dir, int dirfd, int64_t step, char *path, struct pit_error *err)
{
	char name[PIT_STEP_NAME_MAX];
	uint64_t wanted = (uint64_t)step;
	size_t len = strlen(dir);
	int rc;

	if (step < 0 && !faccessat(dirfd, PIT_MANIFEST_NAME, F_OK, 0))
		return name_itself(dir, path, err);
	rc = step < 0 ? find_newest(dirfd, &wanted, err) : 0;
	if (rc)
		return pit_wrap(err, rc, "%s", dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	snprintf(path, PATH_MAX, "%.*s/%s", (int)len, dir, pit_step_name(wanted, PIT_STEP_COMPLETE, name));
	return 0;
}

int pit_manifest_open(const char *dir, int64_t step, struct pit_manifest **ret, struct pit_error *err)
{
	pit_auto_manifest struct pit_manifest *m = NULL;
	pit_auto_close int dirfd = TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	char path[PATH_MAX];
	int rc;

	if (step < -1)
		return pit_fail(err, EINVAL, "there is no step %" PRId64, step);
	if (strlen(dir) + PIT_STEP_NAME_MAX >= PATH_MAX)
		return pit_fail(err, ENAMETOOLONG, "%.200s...: the path is too long", dir);
	if (dirfd < 0)
		return pit_fail(err, errno, "%s: %s", dir, strerror(errno));
	rc = choose(dir, dirfd, step, path, err);
	if (rc)
		return rc;
	rc = open_one(AT_FDCWD, path, &m, err);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	m->path = strdup(path);
	if (!m->path)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = pit_take(m);
	return 0;
}

const char *pit_manifest_path(const struct pit_manifest *m)
{
	return m->path;
}

uint64_t pit_manifest_step(const struct pit_manifest *m)
{
	return m->step;
}

const char *pit_manifest_state(const struct pit_manifest *m)
{
	return m->state;
}

const char *pit_manifest_extra(const struct pit_manifest *m)
{
	return m->extra;
}

size_t pit_manifest_files(const struct pit_manifest *m)
{
	return m->count;
}

const char *pit_manifest_file(const struct pit_manifest *m, size_t n, uint64_t *ret_bytes)
{
	if (n >= m->count)
		return NULL;
	if (ret_bytes)
		*ret_bytes = m->files[n].bytes;
	return m->files[n].name;
}

int pit_checkpoint_list(const char *dir, uint64_t **ret, size_t *ret_count, struct pit_error *err)
{
	pit_auto_close int dirfd = TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	pit_auto_free uint64_t *steps = NULL;
	size_t count = 0, kept = 0;
	int rc;

	if (dirfd < 0)
		return pit_fail(err, errno, "%s: %s", dir, strerror(errno));
	rc = pit_steps_list(dirfd, PIT_STEP_COMPLETE, &steps, &count);
	if (rc)
		return pit_fail(err, -rc, "%s: %s", dir, strerror(-rc));
	for (size_t i = 0; i < count; i++)
		if (is_complete(dirfd, steps[i]))
			steps[kept++] = steps[i];
	*ret = pit_take(steps);
	*ret_count = kept;
	return 0;
}
