/* SPDX-License-Identifier: MIT
 *
 * What lies on disk: files are replaced whole, and each change is in the directory for good before we go on.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/inside.h"
#include "base/path.h"
#include "tune/place_inside.h"

#define DIR_MODE 0755

/* A name in its directory, which is open. */
struct spot {
	int dir; /* -1: there is no such directory */
	const char *path;
	const char *name;
};

static void spot_close(struct spot *s)
{
	pit_cleanup_close(&s->dir);
}
#define auto_spot PIT_CLEANUP(spot_close)

/* Nobody else may put a link where we are about to write. */
static int check_owner(const struct pit_place *p, int dir, const char *path, struct pit_error *err)
{
	struct stat st;

	if (fstat(dir, &st))
		return pit_fail(err, errno, "%s: %s", path, strerror(errno));
	if (st.st_uid != 0 && (p->live || st.st_uid != geteuid()))
		return pit_fail(err, EPERM, "the directory of %s belongs to user %u, not to root", path, st.st_uid);
	if (st.st_mode & S_IWOTH || (st.st_mode & S_IWGRP && st.st_gid != 0 && st.st_gid != getegid()))
		return pit_fail(err, EPERM, "the directory of %s is writable for others than root", path);
	return 0;
}

/* Opens the directory of `path`. -ENOENT: there is none. */
static int find_spot(const struct pit_place *p, const char *path, struct spot *ret, struct pit_error *err)
{
	pit_auto_free char *dir = strndup(path, (size_t)(pit_base_name(path) - path));
	auto_spot struct spot s = {.dir = -1, .path = path, .name = pit_base_name(path)};
	int rc;

	if (!dir)
		return pit_fail(err, ENOMEM, "out of memory");
	if (*path != '/' || !*s.name || !strcmp(s.name, ".") || !strcmp(s.name, ".."))
		return pit_fail(err, EINVAL, "'%s' is not the absolute path of a file", path);
	s.dir = pit_open_inside(p->fd, dir, O_RDONLY | O_DIRECTORY);
	if (s.dir < 0)
		return pit_fail(err, -s.dir, "cannot open %s: %s", dir, strerror(-s.dir));
	rc = check_owner(p, s.dir, path, err);
	if (rc)
		return rc;
	*ret = s;
	s.dir = -1;
	return 0;
}

/* For removal: a directory that is not there holds nothing that could be removed. */
static bool nothing_there(int rc, bool remove)
{
	return remove && (rc == -ENOENT || rc == -ENOTDIR);
}

static int sync_dir(const struct spot *s, struct pit_error *err)
{
	return fsync(s->dir) ? pit_fail(err, errno, "the directory of %s: %s", s->path, strerror(errno)) : 0;
}

/* What is at the spot: 1 with *ret set, 0 nothing, -errno. */
static int look(const struct spot *s, struct stat *ret, struct pit_error *err)
{
	if (!fstatat(s->dir, s->name, ret, AT_SYMLINK_NOFOLLOW))
		return 1;
	return errno == ENOENT ? 0 : pit_fail(err, errno, "%s: %s", s->path, strerror(errno));
}

static int look_for_file(const struct spot *s, struct stat *ret, struct pit_error *err)
{
	int there = look(s, ret, err);

	if (there > 0 && S_ISLNK(ret->st_mode))
		return pit_fail(err, ELOOP, "%s is a link; what it points at is not ours to change", s->path);
	if (there > 0 && !S_ISREG(ret->st_mode))
		return pit_fail(err, EINVAL, "%s is there and is no plain file", s->path);
	return there;
}

static int take_away(const struct spot *s, int flags, struct pit_error *err)
{
	if (!unlinkat(s->dir, s->name, flags))
		return sync_dir(s, err);
	if (errno == ENOENT)
		return 0;
	return pit_fail(err, errno == EEXIST ? ENOTEMPTY : errno, "cannot remove %s: %s", s->path,
			strerror(errno == EEXIST ? ENOTEMPTY : errno));
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The text into a new file `name`, on disk when this returns. */
static int fill(const struct spot *s, const char *name, const char *text, unsigned mode, const struct stat *old)
{
	pit_auto_close int fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : write_all(fd, text);

	if (rc)
		return rc;
	if (old && fchown(fd, old->st_uid, old->st_gid))
		return -errno;
	if (fchmod(fd, old ? old->st_mode & 07777 : mode) || fsync(fd))
		return -errno;
	return 0;
}

static int replace(const struct spot *s, const char *text, unsigned mode, const struct stat *old, struct pit_error *err)
{
	char name[NAME_MAX + 16];
	int rc;

	snprintf(name, sizeof(name), ".%s.pitcrew", s->name);
	if (unlinkat(s->dir, name, 0) && errno != ENOENT) /* what an earlier run may have left when it was cut off */
		return pit_fail(err, errno, "%s: %s", s->path, strerror(errno));
	rc = fill(s, name, text, mode, old);
	if (!rc && renameat(s->dir, name, s->dir, s->name))
		rc = -errno;
	if (!rc)
		return sync_dir(s, err);
	(void)unlinkat(s->dir, name, 0);
	return pit_fail(err, -rc, "cannot write %s: %s", s->path, strerror(-rc));
}

int pit_place_store(struct pit_place *p, const char *path, const char *text, unsigned mode, struct pit_error *err)
{
	auto_spot struct spot s = {.dir = -1};
	struct stat old;
	int rc = find_spot(p, path, &s, err), there;

	if (rc)
		return nothing_there(rc, !text) ? 0 : rc;
	there = look_for_file(&s, &old, err);
	if (there < 0)
		return there;
	return text ? replace(&s, text, mode, there ? &old : NULL, err) : take_away(&s, 0, err);
}

int pit_place_mkdir(struct pit_place *p, const char *path, bool present, struct pit_error *err)
{
	auto_spot struct spot s = {.dir = -1};
	struct stat old;
	int rc = find_spot(p, path, &s, err), there;

	if (rc)
		return nothing_there(rc, !present) ? 0 : rc;
	there = look(&s, &old, err);
	if (there < 0)
		return there;
	if (there && S_ISLNK(old.st_mode))
		return pit_fail(err, ELOOP, "%s is a link", path);
	if (there && !S_ISDIR(old.st_mode))
		return pit_fail(err, ENOTDIR, "%s is there and is no directory", path);
	if (!present)
		return take_away(&s, AT_REMOVEDIR, err);
	if (there)
		return 0;
	if (mkdirat(s.dir, s.name, DIR_MODE) || fchmodat(s.dir, s.name, DIR_MODE, 0))
		return pit_fail(err, errno, "cannot make %s: %s", path, strerror(errno));
	return sync_dir(&s, err);
}

int pit_place_is_frozen(struct pit_place *p, const char *path, struct pit_error *err)
{
	pit_auto_close int dir = pit_open_inside(p->fd, path, O_RDONLY | O_DIRECTORY);
	struct statvfs fs;

	if (dir < 0 || fstatvfs(dir, &fs) || !(fs.f_flag & ST_RDONLY))
		return 0;
	return pit_fail(err, EROFS, "cannot write to %s: %s", path, strerror(EROFS));
}

/* A new link beside the old one takes its place at once. */
static int relink(const struct spot *s, const char *target, struct pit_error *err)
{
	char name[NAME_MAX + 16];

	snprintf(name, sizeof(name), ".%s.pitcrew", s->name);
	if (unlinkat(s->dir, name, 0) && errno != ENOENT)
		return pit_fail(err, errno, "%s: %s", s->path, strerror(errno));
	if (symlinkat(target, s->dir, name) || renameat(s->dir, name, s->dir, s->name)) {
		int code = errno;

		(void)unlinkat(s->dir, name, 0);
		return pit_fail(err, code, "cannot make the link %s: %s", s->path, strerror(code));
	}
	return sync_dir(s, err);
}

int pit_place_symlink(struct pit_place *p, const char *path, const char *target, struct pit_error *err)
{
	auto_spot struct spot s = {.dir = -1};
	struct stat old;
	int rc = find_spot(p, path, &s, err), there;

	if (rc)
		return nothing_there(rc, !target) ? 0 : rc;
	there = look(&s, &old, err);
	if (there < 0)
		return there;
	if (there && !S_ISLNK(old.st_mode))
		return pit_fail(err, EEXIST, "%s is there and is no link", path);
	return target ? relink(&s, target, err) : take_away(&s, 0, err);
}
