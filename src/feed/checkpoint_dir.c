/* SPDX-License-Identifier: MIT */
#include "feed/checkpoint_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "feed/folder.h"
#include "feed/manifest.h"
#include "feed/save_target.h"

#define LATEST_TMP ".latest.tmp"
#define ATTEMPTS 100
#define DEPTH 8 /* of directories in a checkpoint, which are not ours */

static const struct {
	const char *before, *after;
} names[] = {
	[PIT_STEP_COMPLETE] = {.before = "step-", .after = ""},
	[PIT_STEP_TMP] = {.before = ".step-", .after = ".tmp"},
	[PIT_STEP_OLD] = {.before = ".step-", .after = ".old"},
	[PIT_STEP_PREV] = {.before = ".step-", .after = ".prev"},
};

char *pit_step_name(uint64_t step, enum pit_step_kind kind, char *out)
{
	snprintf(out, PIT_STEP_NAME_MAX, "%s%08" PRIu64 "%s", names[kind].before, step, names[kind].after);
	return out;
}

bool pit_step_parse(const char *name, enum pit_step_kind kind, uint64_t *ret)
{
	char again[PIT_STEP_NAME_MAX];
	uint64_t step;

	if (strncmp(name, names[kind].before, strlen(names[kind].before)) != 0 ||
	    sscanf(name + strlen(names[kind].before), "%19" SCNu64, &step) != 1 || step > INT64_MAX ||
	    strcmp(pit_step_name(step, kind, again), name) != 0)
		return false;
	*ret = step;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int pit_steps_list(int dirfd, enum pit_step_kind kind, uint64_t **ret, size_t *ret_count)
{
	pit_auto_closedir DIR *dir = pit_folder_open(dirfd, ".");
	pit_auto_free uint64_t *all = NULL;
	size_t count = 0, room = 0;
	uint64_t step;

	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (!pit_step_parse(e->d_name, kind, &step))
			continue;
		if (count == room) {
			uint64_t *more = reallocarray(all, room + 64, sizeof(*more));

			if (!more)
				return -ENOMEM;
			all = more;
			room += 64;
		}
		all[count++] = step;
	}
	if (count)
		qsort(all, count, sizeof(*all), compare);
	*ret = pit_take(all);
	*ret_count = count;
	return 0;
}

bool pit_step_latest(int dirfd, uint64_t *ret)
{
	char target[NAME_MAX + 1];
	ssize_t len = readlinkat(dirfd, PIT_LATEST_NAME, target, sizeof(target) - 1);
	struct stat st;

	if (len < 0)
		return false;
	target[len] = '\0';
	return pit_step_parse(target, PIT_STEP_COMPLETE, ret) && !fstatat(dirfd, target, &st, 0);
}

/* One machine writes its name once: locks of this machine are seen by it on every file system. */
static void sign(int lock)
{
	char host[HOST_NAME_MAX + 2] = "";
	size_t len;

	gethostname(host, HOST_NAME_MAX);
	len = strlen(host);
	host[len] = '\n';
	(void)!write(lock, host, len + 1);
}

static bool only_this_host(int lock)
{
	char host[HOST_NAME_MAX + 2] = "", text[65536];
	ssize_t n = pread(lock, text, sizeof(text) - 1, 0);

	if (n < 0 || (size_t)n == sizeof(text) - 1)
		return false;
	text[n] = '\0';
	gethostname(host, HOST_NAME_MAX);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (strcmp(line, host) != 0)
			return false;
	}
	return true;
}

/* Whether `lock` is still the file of that name below the name of its directory. */
static bool is_in_place(int dirfd, const char *tmp, int lock)
{
	char path[PIT_STEP_NAME_MAX + sizeof(PIT_STEP_LOCK) + 1];
	struct stat there, ours;

	snprintf(path, sizeof(path), "%s/" PIT_STEP_LOCK, tmp);
	return !fstatat(dirfd, path, &there, AT_SYMLINK_NOFOLLOW) && !fstat(lock, &ours) &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

bool pit_step_is_held(int dirfd, uint64_t step, int lock)
{
	char name[PIT_STEP_NAME_MAX];

	return is_in_place(dirfd, pit_step_name(step, PIT_STEP_TMP, name), lock);
}

int pit_step_hold(int dirfd, uint64_t step, int *ret_tmpfd, int *ret_lock, struct pit_error *err)
{
	char name[PIT_STEP_NAME_MAX];

	pit_step_name(step, PIT_STEP_TMP, name);
	for (int i = 0; i < ATTEMPTS; i++) { /* a cleaner may take it away from under us */
		pit_auto_close int tmp = -1, lock = -1;

		if (mkdirat(dirfd, name, 0777) && errno != EEXIST)
			return pit_fail(err, errno, "making %s: %s", name, strerror(errno));
		tmp = TEMP_FAILURE_RETRY(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		if (tmp >= 0)
			lock = TEMP_FAILURE_RETRY(
				openat(tmp, PIT_STEP_LOCK, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666));
		if (lock < 0 && errno != ENOENT)
			return pit_fail(err, errno, "opening %s: %s", name, strerror(errno));
		if (lock < 0)
			continue;
		(void)!TEMP_FAILURE_RETRY(
			flock(lock, LOCK_SH)); /* where there are no locks the cleaners see none and go by age */
		if (!is_in_place(dirfd, name, lock))
			continue;
		sign(lock);
		*ret_tmpfd = pit_take_fd(&tmp);
		*ret_lock = pit_take_fd(&lock);
		return 0;
	}
	return pit_fail(err, EBUSY, "%s is removed by somebody as often as it is made", name);
}

/* Directories within one are not ours, but go, too. */
static int remove_all(int parent, const char *name, unsigned depth)
{
	pit_auto_closedir DIR *dir = pit_folder_open(parent, name);

	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) && (errno == EISDIR || errno == EPERM) && depth)
			remove_all(dirfd(dir), e->d_name, depth - 1);
	}
	return unlinkat(parent, name, AT_REMOVEDIR) ? -errno : 0;
}

static void move(int dirfd, uint64_t step, enum pit_step_kind from, enum pit_step_kind to)
{
	char old[PIT_STEP_NAME_MAX], new[PIT_STEP_NAME_MAX];

	pit_step_name(step, from, old);
	pit_step_name(step, to, new);
	if (!renameat(dirfd, old, dirfd, new) || to != PIT_STEP_OLD || (errno != ENOTEMPTY && errno != EEXIST))
		return;
	remove_all(dirfd, new, DEPTH); /* left by an earlier removal */
	(void)!renameat(dirfd, old, dirfd, new);
}

static void remove_every(int dirfd, enum pit_step_kind kind)
{
	pit_auto_free uint64_t *steps = NULL;
	char name[PIT_STEP_NAME_MAX];
	size_t count = 0;

	if (pit_steps_list(dirfd, kind, &steps, &count))
		return;
	for (size_t i = 0; i < count; i++)
		remove_all(dirfd, pit_step_name(steps[i], kind, name), DEPTH);
}

/* Replaces a complete step in one go where the file system can exchange names, else by way of .prev. */
static int replace(int dirfd, const char *tmp, const char *name, uint64_t step)
{
	if (!renameat2(dirfd, tmp, dirfd, name, RENAME_EXCHANGE)) {
		move(dirfd, step, PIT_STEP_TMP, PIT_STEP_OLD);
		return 0;
	}
	if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP)
		move(dirfd, step, PIT_STEP_COMPLETE, PIT_STEP_PREV);
	if (renameat(dirfd, tmp, dirfd, name)) {
		int rc = -errno;

		move(dirfd, step, PIT_STEP_PREV, PIT_STEP_COMPLETE);
		return rc;
	}
	move(dirfd, step, PIT_STEP_PREV, PIT_STEP_OLD);
	return 0;
}

static int point_latest(int dirfd, const char *name)
{
	for (int i = 0; i < ATTEMPTS; i++) { /* a cleaner may take it away from under us */
		int rc;

		unlinkat(dirfd, LATEST_TMP, 0);
		if (symlinkat(name, dirfd, LATEST_TMP)) /* there are file systems without: readers do without, too */
			return errno == EPERM || errno == ENOTSUP || errno == ENOSYS ? 0 : -errno;
		if (!renameat(dirfd, LATEST_TMP, dirfd, PIT_LATEST_NAME))
			return 0;
		rc = -errno;
		unlinkat(dirfd, LATEST_TMP, 0);
		if (rc != -ENOENT)
			return rc;
	}
	return -EBUSY;
}

int pit_step_publish(int dirfd, uint64_t step, const char **ret_what)
{
	char tmp[PIT_STEP_NAME_MAX], name[PIT_STEP_NAME_MAX];
	struct stat st;
	int rc;

	pit_step_name(step, PIT_STEP_TMP, tmp);
	pit_step_name(step, PIT_STEP_COMPLETE, name);
	*ret_what = "renaming it into place";
	if (!fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		rc = replace(dirfd, tmp, name, step);
	else
		rc = renameat(dirfd, tmp, dirfd, name) ? -errno : 0;
	if (rc)
		return rc;
	*ret_what = "it is in place, but replacing the link 'latest'";
	rc = point_latest(dirfd, name);
	if (rc)
		return rc;
	*ret_what = "it is in place, but a power cut may undo that: fsync of the directory";
	return pit_sync_dir(dirfd);
}

void pit_steps_retain(int dirfd, unsigned keep)
{
	pit_auto_free uint64_t *steps = NULL;
	uint64_t latest = UINT64_MAX;
	size_t count = 0, left, gone = 0;

	if (!keep || pit_steps_list(dirfd, PIT_STEP_COMPLETE, &steps, &count))
		return;
	pit_step_latest(dirfd, &latest);
	left = count;
	for (size_t i = 0; i + 1 < count && left > keep; i++) {
		if (steps[i] == latest)
			continue;
		move(dirfd, steps[i], PIT_STEP_COMPLETE, PIT_STEP_OLD);
		gone++;
		left--;
	}
	if (gone && !pit_sync_dir(dirfd)) /* no checkpoint may come back without its files */
		remove_every(dirfd, PIT_STEP_OLD);
}

static bool is_dead(int dirfd, const char *name, int *ret_lock)
{
	char path[PIT_STEP_NAME_MAX + sizeof(PIT_STEP_LOCK) + 1];
	int lock;

	snprintf(path, sizeof(path), "%s/" PIT_STEP_LOCK, name);
	lock = TEMP_FAILURE_RETRY(openat(dirfd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
	*ret_lock = lock;
	if (lock < 0)
		return false;
	return pit_is_abandoned(lock) || (only_this_host(lock) && !flock(lock, LOCK_EX | LOCK_NB));
}

static void clean_tmp(int dirfd, uint64_t step)
{
	char name[PIT_STEP_NAME_MAX];
	pit_auto_close int lock = -1;

	if (is_dead(dirfd, pit_step_name(step, PIT_STEP_TMP, name), &lock))
		move(dirfd, step, PIT_STEP_TMP, PIT_STEP_OLD);
}

static void put_back(int dirfd, uint64_t step)
{
	char name[PIT_STEP_NAME_MAX];
	struct stat st;
	bool there = !fstatat(dirfd, pit_step_name(step, PIT_STEP_COMPLETE, name), &st, AT_SYMLINK_NOFOLLOW);

	move(dirfd, step, PIT_STEP_PREV, there ? PIT_STEP_OLD : PIT_STEP_COMPLETE);
}

void pit_steps_clean(int dirfd, uint64_t below)
{
	pit_auto_free uint64_t *prev = NULL, *tmp = NULL;
	size_t prevs = 0, tmps = 0;

	unlinkat(dirfd, LATEST_TMP, 0);
	remove_every(dirfd, PIT_STEP_OLD);
	if (!pit_steps_list(dirfd, PIT_STEP_PREV, &prev, &prevs))
		for (size_t i = 0; i < prevs; i++)
			put_back(dirfd, prev[i]);
	if (!pit_steps_list(dirfd, PIT_STEP_TMP, &tmp, &tmps))
		for (size_t i = 0; i < tmps && tmp[i] < below; i++)
			clean_tmp(dirfd, tmp[i]);
	if (prevs || tmps) {
		pit_sync_dir(dirfd);
		remove_every(dirfd, PIT_STEP_OLD);
	}
}
