/* SPDX-License-Identifier: MIT */
#include "feed/save_target.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>

#include "base/parse.h"
#include "feed/folder.h"
#include "feed/save_words.h"

#define ATTEMPTS 100
#define DAY_S (24 * 60 * 60)

/* What decides who may open a file. */
static const char *const kept_attributes[] = {"system.posix_acl_access", "security.selinux", "security.SMACK64"};

/* Locks are seen by everyone who can see the file: all are on this machine. */
static const unsigned long local_filesystems[] = {
	EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC, TMPFS_MAGIC,          RAMFS_MAGIC,
	OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, MSDOS_SUPER_MAGIC, 0x2fc12fc1 /* ZFS */, 0xca451a4e /* bcachefs */,
};

int pit_target_fail(const struct pit_target *t, int code, const char *step, struct pit_error *err)
{
	char why[300];

	pit_save_words(code, t->dirfd, t->need, t->lies, why, sizeof(why));
	return pit_fail(err, code, "%s: %s: %s", t->shown, step, why);
}

static bool is_local(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	for (size_t i = 0; i < PIT_COUNT(local_filesystems); i++)
		if ((unsigned long)fs.f_type == local_filesystems[i])
			return true;
	return false;
}

bool pit_is_abandoned(int fd)
{
	struct stat st;
	bool locked = !flock(fd, LOCK_EX | LOCK_NB);

	if (!locked && errno == EWOULDBLOCK)
		return false;
	if (locked && is_local(fd))
		return true;
	return !fstat(fd, &st) && time(NULL) - st.st_mtime > DAY_S;
}

/* As much of a name as leaves room for what is put around it. */
static int stem_length(const char *name)
{
	size_t len = strlen(name), most = NAME_MAX - sizeof("..4294967295-ffffffff.tmp");

	if (len <= most)
		return (int)len;
	while (most && ((unsigned char)name[most] & 0xc0) == 0x80) /* not in the middle of a character */
		most--;
	return (int)most;
}

/* .NAME.PID-RANDOM.tmp */
static bool is_tmp_of(const char *file, const char *name)
{
	int stem = stem_length(name), end = 0;
	unsigned pid, random;

	return *file == '.' && !strncmp(file + 1, name, (size_t)stem) &&
	       sscanf(file + 1 + stem, ".%10u-%8x.tmp%n", &pid, &random, &end) == 2 && end && !file[1 + stem + end];
}

static void sweep_one(int dirfd, const char *file)
{
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));

	if (fd >= 0 && pit_is_abandoned(fd))
		unlinkat(dirfd, file, 0);
}

static void sweep(int dirfd, const char *name)
{
	pit_auto_closedir DIR *dir = pit_folder_open(dirfd, ".");

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (is_tmp_of(e->d_name, name))
			sweep_one(dirfd, e->d_name);
}

/* A sweeper may have taken the file between its making and its locking: then it has no name any more. */
static int lock_tmp(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EAGAIN;
	if (fstat(fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

static int make_tmp(struct pit_target *t, mode_t mode)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		pit_auto_close int fd = -1;
		unsigned random;
		int rc;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			random = (unsigned)clock() + (unsigned)i;
		snprintf(t->tmp, sizeof(t->tmp), ".%.*s.%u-%08x.tmp", stem_length(t->name), t->name, (unsigned)getpid(),
			 random);
		fd = TEMP_FAILURE_RETRY(
			openat(t->dirfd, t->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		rc = lock_tmp(fd);
		if (!rc) {
			t->fd = pit_take_fd(&fd);
			return 0;
		}
		if (rc != -EAGAIN) {
			unlinkat(t->dirfd, t->tmp, 0);
			return rc;
		}
	}
	return -EEXIST;
}

static void keep_attributes(int from, int to)
{
	char value[4096];

	for (size_t i = 0; i < PIT_COUNT(kept_attributes); i++) {
		ssize_t len = fgetxattr(from, kept_attributes[i], value, sizeof(value));

		if (len > 0)
			(void)!fsetxattr(to, kept_attributes[i], value, (size_t)len, 0);
	}
}

/* Owner, mode and access lists of the file that will be replaced, as far as that is allowed: nobody may come to read
 * the new one who could not read the old one. */
static int keep_access(const struct pit_target *t, const struct stat *old)
{
	pit_auto_close int fd = -1;
	mode_t mode = old->st_mode & 07777;
	bool group = !fchown(t->fd, (uid_t)-1, old->st_gid);

	if (group)
		(void)!fchown(t->fd, old->st_uid, (gid_t)-1);
	else
		mode = (mode & ~(mode_t)070) | (mode & 07) << 3;
	if (fchmod(t->fd, mode))
		return -errno;
	fd = TEMP_FAILURE_RETRY(openat(t->dirfd, t->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
	if (fd >= 0 && group)
		keep_attributes(fd, t->fd);
	return 0;
}

/* Room that cannot be promised is no error: it shows when the bytes are written. */
static int make_room(const struct pit_target *t)
{
	int rc;

	do
		rc = t->need ? TEMP_FAILURE_RETRY(fallocate(t->fd, 0, 0, (off_t)t->need)) : 0;
	while (rc && errno == EINTR);
	if (rc && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
		return -errno;
	return 0;
}

/* The kernel would end the process with SIGXFSZ. */
static bool is_beyond_limit(uint64_t need)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY && need > limit.rlim_cur;
}

static int look_at_old(const struct pit_target *t, struct stat *ret, bool *ret_there, struct pit_error *err)
{
	*ret_there = !fstatat(t->dirfd, t->name, ret, AT_SYMLINK_NOFOLLOW);
	if (!*ret_there && errno != ENOENT)
		return pit_target_fail(t, errno, "looking at it", err);
	if (*ret_there && S_ISDIR(ret->st_mode))
		return pit_fail(err, EISDIR, "%s: is a directory", t->shown);
	if (*ret_there && !S_ISREG(ret->st_mode))
		return pit_fail(err, EINVAL, "%s: is no regular file; it is not replaced", t->shown);
	return 0;
}

int pit_target_open(int dirfd, const char *name, const char *shown, uint64_t need, struct pit_target *ret,
		    struct pit_error *err)
{
	pit_auto_target struct pit_target t = {.dirfd = dirfd, .fd = -1, .shown = shown, .need = need};
	struct stat old;
	bool there;
	int rc;

	if (strlen(name) > NAME_MAX)
		return pit_fail(err, ENAMETOOLONG, "%s: the name is longer than %d bytes", shown, NAME_MAX);
	strcpy(t.name, name);
	rc = look_at_old(&t, &old, &there, err);
	if (rc)
		return rc;
	if (is_beyond_limit(need))
		return pit_target_fail(&t, EFBIG, "making a temporary file", err);
	sweep(dirfd, name);
	rc = make_tmp(&t, there ? 0600 : 0666);
	if (rc)
		return pit_target_fail(&t, -rc, "making a temporary file in its directory", err);
	rc = there ? keep_access(&t, &old) : 0;
	if (rc)
		return pit_target_fail(&t, -rc, "giving the new file the old permissions", err);
	rc = make_room(&t);
	if (rc)
		return pit_target_fail(&t, -rc, "making room", err);
	*ret = t;
	t.fd = -1;
	return 0;
}

void pit_target_drop(struct pit_target *t)
{
	int saved = errno;

	if (t->fd >= 0) {
		unlinkat(t->dirfd, t->tmp, 0);
		close(t->fd);
		t->fd = -1;
	}
	errno = saved;
}

int pit_sync_dir(int dirfd)
{
	struct stat st;

	if (fsync(dirfd))
		return errno == EINVAL || errno == ENOTSUP ? 0 : -errno;
	/* XFS that has shut itself down says 0 all the same; it does not let anybody look */
	return fstat(dirfd, &st) ? -errno : 0;
}

int pit_target_publish(struct pit_target *t, uint64_t bytes, bool name_later, struct pit_error *err)
{
	pit_auto_target struct pit_target own = *t;
	struct stat st;
	int rc;

	t->fd = -1;
	if (fstat(own.fd, &st))
		return pit_target_fail(&own, errno, "looking at the temporary file", err);
	if ((uint64_t)st.st_size != bytes && TEMP_FAILURE_RETRY(ftruncate(own.fd, (off_t)bytes)))
		return pit_target_fail(&own, errno, "cutting the temporary file to its length", err);
	if (fsync(own.fd)) /* once: a second one would hide what the first one lost */
		return pit_target_fail(&own, errno, "fsync", err);
	if (renameat(own.dirfd, own.tmp, own.dirfd, own.name))
		return pit_target_fail(&own, errno, "renaming the temporary file", err);
	close(pit_take_fd(&own.fd));
	rc = name_later ? 0 : pit_sync_dir(own.dirfd);
	return rc ? pit_target_fail(&own, -rc,
				    "fsync of its directory (the new file is in place, but a power cut may undo that)",
				    err)
		  : 0;
}

int pit_write_all(int fd, const void *data, size_t len, uint64_t offset)
{
	for (const char *at = data; len;) {
		ssize_t n = pwrite(fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int pit_target_text(int dirfd, const char *name, const char *shown, const void *text, size_t len, bool name_later,
		    struct pit_error *err)
{
	pit_auto_target struct pit_target t = PIT_TARGET_INIT;
	int rc = pit_target_open(dirfd, name, shown, len, &t, err);

	if (rc)
		return rc;
	rc = pit_write_all(t.fd, text, len, 0);
	return rc ? pit_target_fail(&t, -rc, "writing", err) : pit_target_publish(&t, len, name_later, err);
}
