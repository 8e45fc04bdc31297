/* SPDX-License-Identifier: MIT */
#include "host/archive.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/strv.h"
#include "host/archive_lib.h"

struct reader {
	struct pit_archive_lib lib;
	struct archive *a; /* NULL: not open */
};

static void free_reader(struct reader *r)
{
	if (r->a)
		r->lib.archive_read_free(r->a);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (type == FTW_DNR || type == FTW_D)
		chmod(path, 0700);
	remove(path);
	return 0;
}

/* The child: waits until nobody holds the other end of the pipe any more. Signals of the terminal are not for it. */
static void keep_house(const char *dir, int pipe)
{
	char c;

	setsid();
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	while (read(pipe, &c, 1) < 0 && errno == EINTR)
		;
	nftw(dir, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

static int start_janitor(struct pit_unpacked *u)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	u->janitor = fork();
	if (!u->janitor) {
		close(ends[1]);
		keep_house(u->base, ends[0]);
	}
	close(ends[0]);
	u->pipe = ends[1];
	return u->janitor < 0 ? -EAGAIN : 0;
}

void pit_unpacked_free(struct pit_unpacked *u)
{
	int saved = errno;

	if (u->pipe >= 0)
		close(u->pipe);
	while (u->janitor > 0 && waitpid(u->janitor, NULL, 0) < 0 && errno == EINTR)
		;
	if (u->janitor <= 0 && u->base)
		nftw(u->base, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
	free(u->base);
	free(u->dir);
	*u = (struct pit_unpacked)PIT_UNPACKED_INIT;
	errno = saved;
}

/* Where members go, and how much came so far. */
struct sink {
	int fd;     /* the directory */
	int parent; /* where the last member lies, since the next mostly lies there too; -1 none */
	char parent_name[3072];
	uint64_t bytes;
	size_t members;
	struct pit_error *err;
};

/* The member's name without "./" and "/" in front; NULL when it has a ".." or is too long. */
static const char *safe_name(const char *name)
{
	while (name && (*name == '/' || !strncmp(name, "./", 2)))
		name++;
	if (!name || strlen(name) > 3000)
		return NULL;
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
			return NULL;
	}
	return name;
}

/* Opens below the directory without following any link. */
static int open_below(const struct sink *s, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, s->fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Opens the directory `name`, and makes what is missing on the way. */
static int open_directory(const struct sink *s, const char *name)
{
	char part[3072];
	int fd = open_below(s, ".", O_PATH | O_DIRECTORY, 0);

	for (const char *end = name; fd >= 0 && *end;) {
		end += strcspn(end + (*end == '/'), "/") + (*end == '/');
		snprintf(part, sizeof(part), "%.*s", (int)(end - name), name);
		close(fd);
		fd = open_below(s, part, O_PATH | O_DIRECTORY, 0);
		if (fd == -ENOENT && !mkdirat(s->fd, part, 0700))
			fd = open_below(s, part, O_PATH | O_DIRECTORY, 0);
	}
	return fd;
}

/* The directory part of `path` as an open directory, which stays the sink's; *ret_last is the last part. */
static int open_parent(struct sink *s, const char *path, const char **ret_last)
{
	const char *slash = strrchr(path, '/');
	char name[3072];

	snprintf(name, sizeof(name), "%.*s", slash ? (int)(slash - path) : 0, path);
	*ret_last = slash ? slash + 1 : path;
	if (s->parent >= 0 && !strcmp(name, s->parent_name))
		return s->parent;
	if (s->parent >= 0)
		close(s->parent);
	s->parent = open_directory(s, name);
	memcpy(s->parent_name, name, sizeof(name));
	return s->parent;
}

static int copy_data(struct reader *r, struct sink *s, int fd)
{
	char chunk[65536];
	la_ssize_t n;

	while ((n = r->lib.archive_read_data(r->a, chunk, sizeof(chunk))) > 0) {
		s->bytes += (uint64_t)n;
		if (s->bytes > PIT_ARCHIVE_BYTES_MAX)
			return pit_fail(s->err, EFBIG, "more than %u GiB unpacked",
					(unsigned)(PIT_ARCHIVE_BYTES_MAX >> 30));
		if (write(fd, chunk, (size_t)n) != n)
			return pit_fail(s->err, errno ? errno : EIO, "cannot write the unpacked file: %s",
					strerror(errno));
	}
	if (n < 0)
		return pit_fail(s->err, EBADMSG, "%s", r->lib.archive_error_string(r->a));
	return 0;
}

static int put_file(struct reader *r, struct sink *s, const char *name)
{
	const char *last;
	pit_auto_close int fd = -1;
	int parent = open_parent(s, name, &last);

	if (parent < 0)
		return 0; /* below a link or a file: left out */
	fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST && !unlinkat(parent, last, 0))
		fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? 0 : copy_data(r, s, fd);
}

static void put_link(struct sink *s, const char *name, const char *target)
{
	const char *last;
	int parent = open_parent(s, name, &last);

	if (parent >= 0 && target && *target && strlen(target) < 4096)
		(void)!symlinkat(target, parent, last);
}

static void put_dir(struct sink *s, const char *name)
{
	char path[3072];
	const char *last;
	int parent;

	snprintf(path, sizeof(path), "%s", name);
	for (size_t n = strlen(path); n && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	parent = *path ? open_parent(s, path, &last) : -1;
	if (parent >= 0)
		mkdirat(parent, last, 0700);
}

/* A hard link's content is the member it names; as a symbolic link it reads the same inside the tree. */
static void put_hard_link(struct sink *s, const char *name, const char *target)
{
	char absolute[3100];

	target = safe_name(target);
	if (!target)
		return;
	snprintf(absolute, sizeof(absolute), "/%s", target);
	put_link(s, name, absolute);
}

static int put_member(struct reader *r, struct archive_entry *e, struct sink *s)
{
	const char *name = r->lib.archive_entry_pathname(e);

	if (++s->members > PIT_ARCHIVE_MEMBERS_MAX)
		return pit_fail(s->err, EFBIG, "more than %d members", PIT_ARCHIVE_MEMBERS_MAX);
	if (!name || *name == '/' || !safe_name(name))
		return pit_fail(s->err, EBADMSG, "member '%.100s' has an absolute name or '..' in it",
				name ? name : "?");
	name = safe_name(name);
	if (!*name)
		return 0;
	if (r->lib.archive_entry_hardlink(e)) {
		put_hard_link(s, name, r->lib.archive_entry_hardlink(e));
		return 0;
	}
	switch (r->lib.archive_entry_filetype(e)) {
	case AE_IFREG:
		return put_file(r, s, name);
	case AE_IFLNK:
		put_link(s, name, r->lib.archive_entry_symlink(e));
		return 0;
	case AE_IFDIR:
		put_dir(s, name);
		return 0;
	default: /* devices, fifos, sockets: left out */
		return 0;
	}
}

static int unpack_all(struct reader *r, struct sink *s)
{
	struct archive_entry *e;

	for (;;) {
		int rc = r->lib.archive_read_next_header(r->a, &e);

		if (rc == ARCHIVE_EOF)
			return s->members ? 0 : pit_fail(s->err, EBADMSG, "it holds nothing");
		if (rc < ARCHIVE_WARN)
			return pit_fail(s->err, EBADMSG, "%s", r->lib.archive_error_string(r->a));
		rc = put_member(r, e, s);
		if (rc)
			return rc;
	}
}

static int open_reader(const char *path, struct reader *r, struct pit_error *err)
{
	int rc = pit_archive_lib(&r->lib, err);

	if (rc)
		return rc;
	r->a = r->lib.archive_read_new();
	if (!r->a)
		return pit_fail(err, ENOMEM, "out of memory");
	r->lib.archive_read_support_filter_gzip(r->a);
	r->lib.archive_read_support_filter_xz(r->a);
	r->lib.archive_read_support_filter_zstd(r->a);
	r->lib.archive_read_support_filter_bzip2(r->a);
	r->lib.archive_read_support_format_tar(r->a);
	if (r->lib.archive_read_open_filename(r->a, path, 65536) == ARCHIVE_OK)
		return 0;
	rc = r->lib.archive_errno(r->a);
	return pit_fail(err, rc > 0 ? rc : EBADMSG, "%s", r->lib.archive_error_string(r->a));
}

static bool is_root_name(const char *name)
{
	static const char *const names[] = {"proc", "sys", "etc", "run", "dev", "usr", "var", ".pitcrew"};

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Steps into single directories ("host-2026-01-01/") until something that belongs to a root appears. */
static void find_root(char *dir, size_t size)
{
	for (int depth = 0; depth < 4; depth++) {
		pit_auto_closedir DIR *d = opendir(dir);
		char only[256] = "";
		struct dirent *e;
		int entries = 0;

		while (d && (e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			if (is_root_name(e->d_name))
				return;
			if (e->d_type == DT_DIR)
				snprintf(only, sizeof(only), "%s", e->d_name);
			entries++;
		}
		if (entries != 1 || !only[0] || strlen(dir) + strlen(only) + 2 > size)
			return;
		strcat(strcat(dir, "/"), only);
	}
}

/* Enough for a recording and for those who share the place. */
#define ROOM_BYTES (UINT64_C(1) << 30)

static const char *place(void)
{
	const char *tmp = getenv("TMPDIR");
	struct statvfs fs;

	if (tmp && *tmp == '/')
		return tmp;
	if (!access("/dev/shm", W_OK | X_OK) && !statvfs("/dev/shm", &fs) &&
	    (uint64_t)fs.f_bavail * fs.f_frsize >= ROOM_BYTES)
		return "/dev/shm";
	return "/tmp";
}

static int make_base(struct pit_unpacked *u, struct pit_error *err)
{
	if (asprintf(&u->base, "%s/pitcrew.XXXXXX", place()) < 0) {
		u->base = NULL;
		return pit_fail(err, ENOMEM, "out of memory");
	}
	if (!mkdtemp(u->base)) {
		int code = errno;

		pit_fail(err, code, "cannot make a directory %s: %s", u->base, strerror(code));
		free(u->base);
		u->base = NULL;
		return -code;
	}
	return start_janitor(u) ? pit_fail(err, EAGAIN, "cannot start a process that cleans up") : 0;
}

static int unpack_into(struct reader *r, const char *base, struct pit_error *err)
{
	struct sink s = {.fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC), .parent = -1, .err = err};
	int rc = unpack_all(r, &s);

	if (s.parent >= 0)
		close(s.parent);
	close(s.fd);
	return rc;
}

int pit_archive_unpack(const char *path, struct pit_unpacked *ret, struct pit_error *err)
{
	PIT_CLEANUP(pit_unpacked_free) struct pit_unpacked u = PIT_UNPACKED_INIT;
	PIT_CLEANUP(free_reader) struct reader r = {0};
	char dir[4096];
	int rc = open_reader(path, &r, err);

	if (rc)
		return pit_wrap(err, rc, "cannot read %s", path);
	rc = make_base(&u, err);
	if (!rc)
		rc = unpack_into(&r, u.base, err);
	if (rc)
		return pit_wrap(err, rc, "cannot unpack %s", path);
	snprintf(dir, sizeof(dir), "%s", u.base);
	find_root(dir, sizeof(dir));
	u.dir = strdup(dir);
	if (!u.dir)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = u;
	u = (struct pit_unpacked)PIT_UNPACKED_INIT;
	return 0;
}
