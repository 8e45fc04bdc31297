/* SPDX-License-Identifier: MIT
 *
 * Directories that several people share: a bounded look at their first levels.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "check/access.h"
#include "check/security.h"
#include "check/storage.h"
#include "check/walk.h"
#include "host/try.h"

#define SCAN_MS 60
#define SCAN_ENTRIES 2000
#define SCAN_DEPTH 3 /* levels of directories */
#define SCAN_LINES 64
#define PLACES_MAX 8

struct scan {
	struct pit_buf *out;
	int64_t until;
	size_t entries, lines;
	bool cut;
};

/* What is worth a line: KIND MODE UID GID PATH. */
static void report(struct scan *s, const char *kind, const struct stat *st, const char *path)
{
	if (s->lines++ < SCAN_LINES && !strchr(path, '\n'))
		pit_buf_printf(s->out, "%s %o %u %u %s\n", kind, st->st_mode & 07777, st->st_uid, st->st_gid, path);
}

static void look_at(struct scan *s, const struct stat *st, const char *path)
{
	if (S_ISDIR(st->st_mode) && (st->st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
		report(s, "open", st, path);
	else if (S_ISDIR(st->st_mode) && (st->st_mode & (S_IWGRP | S_ISGID | S_IWOTH)) == S_IWGRP)
		report(s, "group", st, path);
	else if (S_ISREG(st->st_mode) && ((st->st_mode & (S_ISUID | S_IXUSR)) == (S_ISUID | S_IXUSR) ||
					  (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)))
		report(s, "suid", st, path);
}

static void scan_dir(struct scan *s, int at, const char *name, const char *path, int depth);

static void scan_entry(struct scan *s, int dir, const char *name, const char *above, int depth)
{
	char path[4096];
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	snprintf(path, sizeof(path), "%s/%s", above, name);
	look_at(s, &st, path);
	if (S_ISDIR(st.st_mode) && depth < SCAN_DEPTH)
		scan_dir(s, dir, name, path, depth + 1);
}

static void scan_dir(struct scan *s, int at, const char *name, const char *path, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pit_auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	for (struct dirent *e; dir && !s->cut && (e = readdir(dir));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		s->cut = ++s->entries > SCAN_ENTRIES || pit_now() > s->until;
		if (!s->cut)
			scan_entry(s, dirfd(dir), e->d_name, path, depth);
	}
}

static int make_scan(const char *name, void *arg, struct pit_buf *out)
{
	struct scan s = {.out = out, .until = pit_now() + SCAN_MS * PIT_MS};
	struct stat st;

	if (lstat(arg, &st))
		return -errno;
	look_at(&s, &st, arg);
	if (S_ISDIR(st.st_mode))
		scan_dir(&s, AT_FDCWD, arg, arg, 1);
	pit_buf_printf(out, "entries %zu\n", s.entries);
	return 0;
}

static int try_scan(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(SCAN_MS + 240, make_scan, name, arg, out);
}

static int add_place(struct pit_strv *places, const char *path)
{
	if (!strcmp(path, "/") || pit_strv_has(places, path) || places->count >= PLACES_MAX)
		return 0;
	return pit_strv_add(places, path);
}

static bool is_dir(struct pit_root *root, const char *path)
{
	struct pit_stat st;

	return !pit_root_stat(root, &st, "%s", path) && S_ISDIR(st.mode);
}

static int add_option(struct pit_root *root, struct pit_strv *places, const char *given)
{
	char path[4096];

	if (!given || pit_walk(root, given, NULL, NULL, path, sizeof(path)))
		return 0;
	return add_place(places, path);
}

/* Disks and shares that are mounted under /mnt and answer. */
static int add_mounts(struct pit_facts *facts, struct pit_strv *places)
{
	const struct pit_mounts *mounts;
	int rc = pit_facts_mounts(facts, &mounts, NULL) ? -ENOENT : 0;

	for (size_t i = 0; !rc && i < mounts->count; i++) {
		const struct pit_mount *m = &mounts->item[i];
		struct pit_fsinfo fs;

		if (strncmp(m->target, "/mnt/", 5) != 0 || (!pit_mount_is_data(m) && !pit_mount_is_network(m)))
			continue;
		if (!pit_root_statfs(pit_facts_root(facts), &fs, "%s", m->target))
			rc = add_place(places, m->target);
	}
	return rc == -ENOENT ? 0 : rc;
}

/* Where people share files: what the options name, well-known names, mounts under /mnt. */
static int list_places(struct pit_facts *facts, struct pit_strv *places)
{
	static const char *const names[] = {"/data", "/datasets", "/scratch", "/projects", "/project", "/shared"};
	struct pit_root *root = pit_facts_root(facts);
	int rc = add_option(root, places, pit_facts_options(facts)->data);

	if (!rc)
		rc = add_option(root, places, pit_facts_options(facts)->checkpoint);
	for (size_t i = 0; !rc && i < PIT_COUNT(names); i++)
		if (is_dir(root, names[i]))
			rc = add_place(places, names[i]);
	return rc ? rc : add_mounts(facts, places);
}

struct hit {
	unsigned mode;
	int64_t uid, gid;
	const char *path;
};

typedef void hit_fn(struct pit_root *root, const struct hit *h, struct pit_offenders *o, struct pit_finding *out);

static void each_hit(struct pit_root *root, const char *text, const char *kind, hit_fn *fn, struct pit_offenders *o,
		     struct pit_finding *out)
{
	pit_auto_strv struct pit_strv lines = {0};

	if (pit_strv_split(&lines, text, "\n"))
		return;
	for (size_t i = 0; i < lines.count; i++) {
		char word[16];
		struct hit h;
		int at = 0;

		if (sscanf(lines.item[i], "%15s %o %" SCNd64 " %" SCNd64 " %n", word, &h.mode, &h.uid, &h.gid, &at) ==
			    4 &&
		    at && !strcmp(word, kind)) {
			h.path = lines.item[i] + at;
			fn(root, &h, o, out);
		}
	}
}

static int scan_place(struct pit_facts *facts, const char *path, struct pit_text *ret)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	char name[512];
	int rc = pit_facts_mounts(facts, &mounts, NULL);

	m = rc ? NULL : pit_mounts_find(mounts, path);
	if (m && pit_mount_answers(facts, m, NULL))
		return -ETIMEDOUT;
	pit_fact_name(name, sizeof(name), "permissions", path);
	return pit_root_fact(pit_facts_root(facts), name, try_scan, (void *)path, ret);
}

/* Scans every place and hands the lines of `kind` to `fn`. */
static int judge_places(struct pit_facts *facts, const char *kind, hit_fn *fn, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_strv struct pit_strv places = {0};
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders o = {0};
	int rc = list_places(facts, &places), last = 0;
	size_t seen = 0;

	if (rc)
		return pit_fail(err, -rc, "shared directories");
	if (!places.count)
		return pit_skip(out, "no shared directory known; give --data PATH");
	for (size_t i = 0; i < places.count; i++) {
		struct pit_text text;

		rc = scan_place(facts, places.item[i], &text);
		last = rc ? rc : last;
		if (rc)
			continue;
		seen++;
		each_hit(root, text.data, kind, fn, &o, out);
	}
	if (!seen)
		return pit_fail(err, -last, "the entries of %s", places.item[0]);
	return pit_offenders_judge(&o, out, "none in %s%s", places.item[0], seen > 1 ? " and others" : "");
}

/* A group of the owner's own name has no other members. */
static void judge_group(struct pit_root *root, const struct hit *h, struct pit_offenders *o, struct pit_finding *out)
{
	char owner[64], group[64];

	pit_name_of(root, "passwd", h->uid, owner, sizeof(owner));
	pit_name_of(root, "group", h->gid, group, sizeof(group));
	if (h->gid == 0 || !strcmp(owner, group))
		return;
	pit_offend(o, PIT_WARN, PIT_RISK, "%s: group %s may write, no SGID", h->path, group);
	pit_evidence(out, h->path, "mode %04o, owner %s:%s", h->mode, owner, group);
	if (o->count == 1)
		pit_command(out, "find '%s' -type d -exec chmod g+s {} +", h->path);
}

int pit_probe_sgid(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_want(out, "SGID on directories that a group may write");
	return judge_places(facts, "group", judge_group, out, err);
}

static void judge_open(struct pit_root *root, const struct hit *h, struct pit_offenders *o, struct pit_finding *out)
{
	pit_offend(o, PIT_WARN, PIT_RISK, "%s: everybody may delete everything", h->path);
	pit_evidence(out, h->path, "mode %04o: world-writable without the sticky bit", h->mode);
	if (o->count == 1)
		pit_command(out, "chmod +t '%s'", h->path);
}

int pit_probe_sticky(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	pit_want(out, "the sticky bit on directories that everybody may write");
	return judge_places(facts, "open", judge_open, out, err);
}

static void judge_suid(struct pit_root *root, const struct hit *h, struct pit_offenders *o, struct pit_finding *out)
{
	char owner[64];

	pit_name_of(root, "passwd", h->uid, owner, sizeof(owner));
	pit_offend(o, PIT_WARN, PIT_RISK, "%s runs as %s", h->path, h->mode & S_ISUID ? owner : "its group");
	pit_evidence(out, h->path, "mode %04o, owner %s", h->mode, owner);
	if (o->count == 1)
		pit_command(out, "chmod u-s,g-s '%s'", h->path);
}

int pit_probe_suid(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_want(out, "no SUID or SGID program where users write");
	return judge_places(facts, "suid", judge_suid, out, err);
}
