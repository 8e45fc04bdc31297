/* SPDX-License-Identifier: MIT */
#include "feed/save.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/path.h"
#include "feed/disk.h"
#include "feed/ladder.h"
#include "feed/save_target.h"
#include "feed/save_write.h"

#define MOST_LINKS 40
#define SMALL ((uint64_t)1 << 18) /* below, finding out what the disk can do takes longer than the write */

static void report_durability(struct pit_ladder *l, const struct pit_disk *d)
{
	if (d->volatile_overlay)
		pit_ladder_add(
			l, "durable", "fsync", PIT_RUNG_REFUSED,
			"this overlay is mounted \"volatile\": fsync does nothing, a power cut may lose what was saved");
	else
		pit_ladder_add(l, "durable", "fsync", PIT_RUNG_TAKEN, "file, rename, directory");
}

static int look_at_disk(const struct pit_save_place *place, const struct pit_image *im, const struct pit_io_want *io,
			struct pit_ladder *l, struct pit_disk *ret, struct pit_error *err)
{
	int rc = 0;

	if (!l && !io->cache && im->header.len + pit_image_bytes(im) < SMALL)
		*ret = (struct pit_disk){.cache = PIT_IO_BUFFERED, .mem_align = 1, .offset_align = 1};
	else
		rc = pit_disk_probe_write(place->dirfd, io->cache, ret, l, err);
	if (!rc)
		report_durability(l, ret);
	return rc;
}

static int check_want(const struct pit_io_want *io, const struct pit_save_place *place, struct pit_error *err)
{
	return io->depth > 4096 ? pit_fail(err, EINVAL, "%s: depth %u is beyond 4096", place->shown, io->depth) : 0;
}

/* What was insisted on and refused has its reason; else the file system speaks. */
static int give_up(const struct pit_target *t, int rc, const char *step, const struct pit_error *why,
		   struct pit_error *err)
{
	if (rc == -EOPNOTSUPP || rc == -EINVAL)
		return pit_fail(err, -rc, "%s: %s: %s", t->shown, step, why->text);
	return pit_target_fail(t, -rc, step, err);
}

int pit_save_image(const struct pit_save_place *place, struct pit_image *im, const struct pit_save_how *how,
		   struct pit_ladder *l, struct pit_saved *ret, struct pit_error *err)
{
	pit_auto_target struct pit_target t = PIT_TARGET_INIT;
	struct pit_write_want want = {.io = how->io, .released = how->released, .arg = how->arg};
	struct pit_saved saved = {.bytes = im->header.len + pit_image_bytes(im), .tensors = im->count};
	struct pit_disk disk = {0};
	struct pit_error why = PIT_ERROR_INIT;
	int rc = check_want(&how->io, place, err);

	if (!rc)
		rc = pit_target_open(place->dirfd, place->name, place->shown, saved.bytes, &t, err);
	if (rc)
		return rc;
	rc = look_at_disk(place, im, &how->io, l, &disk, &why);
	if (rc)
		return give_up(&t, rc, "trying how to write", &why, err);
	t.lies = disk.volatile_overlay;
	want.disk = &disk;
	rc = pit_write_image(t.fd, im, &want, l, &saved.header_sum, &why);
	if (rc)
		return give_up(&t, rc, "writing", &why, err);
	rc = pit_target_publish(&t, saved.bytes, how->name_later, err);
	if (!rc)
		*ret = saved;
	return rc;
}

/* Follows symbolic links at the end of a path, also to what is not there yet. */
static int follow(const char *path, char *out, struct pit_error *err)
{
	char link[PATH_MAX], next[2 * PATH_MAX];

	if (strlen(path) >= PATH_MAX)
		return pit_fail(err, ENAMETOOLONG, "%.200s...: the path is too long", path);
	strcpy(out, path);
	for (int i = 0; i < MOST_LINKS; i++) {
		ssize_t len = readlink(out, link, sizeof(link) - 1);
		int dir = (int)(pit_base_name(out) - out);

		if (len < 0)
			return 0; /* no link, or nothing: what comes next says what is wrong */
		link[len] = '\0';
		snprintf(next, sizeof(next), "%.*s%s", *link == '/' ? 0 : dir, out, link);
		if (strlen(next) >= PATH_MAX)
			return pit_fail(err, ENAMETOOLONG, "%s: where it leads is too long a path", path);
		strcpy(out, next);
	}
	return pit_fail(err, ELOOP, "%s: too many symbolic links", path);
}

static int open_directory(const char *path, struct pit_error *err)
{
	const char *name = pit_base_name(path);
	char dir[PATH_MAX];
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return pit_fail(err, EISDIR, "'%s' is not the name of a file", path);
	snprintf(dir, sizeof(dir), "%.*s%s", (int)(name - path), path, name == path ? "." : "");
	fd = TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	return fd < 0 ? pit_fail(err, errno, "%s: opening its directory: %s", path, strerror(errno)) : fd;
}

int pit_save_file(const char *path, const struct pit_save_tensor *tensors, size_t count,
		  const struct pit_save_want *want, struct pit_error *err)
{
	static const struct pit_save_want all_default = {.size = sizeof(all_default)};
	pit_auto_image struct pit_image im = {.header = PIT_BUF_INIT};
	const struct pit_save_want *w = want ? want : &all_default;
	struct pit_saved saved;
	char real[PATH_MAX];
	pit_auto_close int dir = -1;
	int rc;

	if (w->size != sizeof(*w))
		return pit_fail(err, EINVAL, "struct pit_save_want: size is %zu, not %zu", w->size, sizeof(*w));
	rc = follow(path, real, err);
	if (rc)
		return rc;
	rc = pit_image_make(tensors, count, w->texts, w->text_count, !w->no_checksums, &im, err);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	dir = open_directory(real, err);
	if (dir < 0)
		return dir;
	return pit_save_image(&(struct pit_save_place){.dirfd = dir, .name = pit_base_name(real), .shown = path}, &im,
			      &(struct pit_save_how){.io = w->io}, NULL, &saved, err);
}
