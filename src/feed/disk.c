/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "feed/disk.h"
#include "feed/disk_mount.h"
#include "feed/ladder.h"

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN 0x2000U
#endif

enum { ALIGN = 4096, TRY_MOST = 1 << 16, TMPFS = 0x01021994, RAMFS = 0x858458f6u, HUGETLBFS = 0x958458f6u };

/* struct statx up to what Linux 6.1 added, which older headers lack. */
union statx_block {
	struct statx known;
	struct {
		uint8_t before[0x98];
		uint32_t mem_align, offset_align;
	} late;
};

/* One way to read or write a first block of `len` bytes; bytes or -errno. */
struct trial {
	int fd;
	bool write;
	void *buf;
};

static int64_t transfer(const struct trial *t, size_t len, int rwf)
{
	struct iovec iov = {.iov_base = t->buf, .iov_len = len};
	ssize_t n;

	do {
		if (rwf)
			n = t->write ? pwritev2(t->fd, &iov, 1, 0, rwf) : preadv2(t->fd, &iov, 1, 0, rwf);
		else
			n = t->write ? pwrite(t->fd, t->buf, len, 0) : pread(t->fd, t->buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* What statx says of O_DIRECT: false when it says nothing. Alignments of 0 mean that there is none. */
static bool told(int fd, struct pit_disk *d)
{
	union statx_block b = {0};

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_DIOALIGN, &b.known))
		return false;
	d->block = b.known.stx_blksize;
	if (!(b.known.stx_mask & STATX_DIOALIGN))
		return false;
	d->mem_align = b.late.mem_align;
	d->offset_align = b.late.offset_align;
	return true;
}

static bool in_memory(int fd)
{
	struct statfs f;

	return !fstatfs(fd, &f) &&
	       ((unsigned)f.f_type == TMPFS || (unsigned)f.f_type == RAMFS || (unsigned)f.f_type == HUGETLBFS);
}

/* Tries O_DIRECT by `t->fd`, which is open so. 0, or -errno with the alignment that it was tried by. */
static int try_direct(const struct trial *t, bool statx_told, struct pit_disk *d)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	int64_t n;

	if (statx_told && (!d->offset_align || d->offset_align > TRY_MOST || d->mem_align > page))
		return -EOPNOTSUPP;
	if (statx_told) {
		n = transfer(t, d->offset_align, 0);
		return n < 0 ? (int)n : 0;
	}
	d->mem_align = d->offset_align = ALIGN;
	n = transfer(t, ALIGN, 0);
	if (n == -EINVAL && page > ALIGN && page <= TRY_MOST) {
		d->mem_align = d->offset_align = page;
		n = transfer(t, page, 0);
	}
	return n < 0 ? (int)n : 0;
}

/* The same file opened once more with O_DIRECT: the caller's descriptor stays as it is. */
static int open_direct(int fd, int access)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = TEMP_FAILURE_RETRY(open(path, access | O_DIRECT | O_CLOEXEC));
	return again < 0 ? -errno : again;
}

static bool direct_works(struct trial t, enum pit_io_cache want, struct pit_disk *d, struct pit_ladder *l)
{
	bool known = told(t.fd, d);
	pit_auto_close int fd = -1;
	int rc;

	if (want == PIT_IO_CACHE_AUTO && in_memory(t.fd)) {
		pit_ladder_add(l, "cache", "O_DIRECT", PIT_RUNG_REFUSED, "%s is in memory: nothing to gain",
			       d->filesystem);
		return false;
	}
	fd = open_direct(t.fd, t.write ? O_RDWR : O_RDONLY);
	if ((rc = fd) >= 0) {
		t.fd = fd;
		rc = try_direct(&t, known, d);
	}
	if (rc < 0) {
		pit_ladder_add(l, "cache", "O_DIRECT", PIT_RUNG_REFUSED, "%s: %s %s: %s", d->filesystem,
			       fd < 0    ? "opening"
			       : t.write ? "a write"
					 : "a read",
			       "with it", strerror(-rc));
		return false;
	}
	pit_ladder_add(l, "cache", "O_DIRECT", PIT_RUNG_TAKEN, "%s: memory aligned to %u, offsets to %u bytes%s",
		       d->filesystem, d->mem_align, d->offset_align, known ? "" : " (a guess: statx does not tell)");
	return true;
}

static void say_dontcache(struct pit_ladder *l, const struct pit_disk *d, int64_t n, enum pit_rung_state state)
{
	if (n < 0)
		pit_ladder_add(l, "cache", "RWF_DONTCACHE", PIT_RUNG_REFUSED,
			       "%s: %s (it needs Linux 6.14 and ext4, xfs, btrfs, ...)", d->filesystem,
			       strerror((int)-n));
	else
		pit_ladder_add(l, "cache", "RWF_DONTCACHE", state, "%s",
			       state == PIT_RUNG_TAKEN ? "through the page cache, dropped at once" : "it would work");
}

/* Down the ladder, or the rung that is wanted alone. */
static int choose(const struct trial *t, enum pit_io_cache want, struct pit_disk *d, struct pit_ladder *l,
		  struct pit_error *err)
{
	bool any = want == PIT_IO_CACHE_AUTO, direct = false;
	int64_t n = transfer(t, 1, RWF_DONTCACHE);

	d->dontcache = n >= 0;
	if (any || want == PIT_IO_DIRECT)
		direct = direct_works(*t, want, d, l);
	else
		pit_ladder_add(l, "cache", "O_DIRECT", PIT_RUNG_UNUSED, "another is wanted");
	d->cache = direct                                              ? PIT_IO_DIRECT
		   : d->dontcache && (any || want == PIT_IO_DONTCACHE) ? PIT_IO_DONTCACHE
								       : PIT_IO_BUFFERED;
	if (any && in_memory(t->fd))
		d->cache = PIT_IO_BUFFERED;
	say_dontcache(l, d, n, d->cache == PIT_IO_DONTCACHE ? PIT_RUNG_TAKEN : PIT_RUNG_UNUSED);
	pit_ladder_add(l, "cache", "page cache", d->cache == PIT_IO_BUFFERED ? PIT_RUNG_TAKEN : PIT_RUNG_UNUSED, "%s",
		       d->cache == PIT_IO_BUFFERED ? d->filesystem : "a better one was taken");
	if (!direct)
		d->mem_align = d->offset_align = 1;
	if (!any && d->cache != want)
		return pit_fail(err, EOPNOTSUPP, "%s does not work on this %s",
				want == PIT_IO_DIRECT ? "O_DIRECT" : "RWF_DONTCACHE", d->filesystem);
	return 0;
}

/* The kernel says so before it looks for the data. */
static bool knows_nowait(int fd)
{
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};

	return preadv2(fd, &iov, 1, 0, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

static int probe(int fd, bool write, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
		 struct pit_error *err)
{
	struct pit_disk d = {.block = ALIGN};
	struct trial t = {.fd = fd, .write = write};
	int rc;

	if (want > PIT_IO_BUFFERED)
		return pit_fail(err, EINVAL, "there is no way of caching %d", (int)want);
	pit_disk_mount(fd, &d);
	told(fd, &d);
	d.waits = !write && !knows_nowait(fd);
	t.buf = mmap(NULL, TRY_MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.buf == MAP_FAILED)
		return pit_fail(err, errno, "no memory to try a disk with: %s", strerror(errno));
	rc = choose(&t, want, &d, l, err);
	munmap(t.buf, TRY_MOST);
	if (!rc)
		*ret = d;
	return rc;
}

int pit_disk_probe_read(int fd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			struct pit_error *err)
{
	char byte;

	if (TEMP_FAILURE_RETRY(pread(fd, &byte, 1, 0)) < 0)
		return pit_fail(err, errno, "cannot be read: %s", strerror(errno));
	return probe(fd, false, want, ret, l, err);
}

int pit_disk_scratch(int dirfd)
{
	int fd = TEMP_FAILURE_RETRY(openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	char name[64];

	for (unsigned i = 0; fd < 0 && i < 100; i++) {
		snprintf(name, sizeof(name), ".pitcrew-try-%ld-%u", (long)getpid(), i);
		fd = TEMP_FAILURE_RETRY(openat(dirfd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
		if (fd >= 0)
			unlinkat(dirfd, name, 0);
		else if (errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

int pit_disk_probe_write(int dirfd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			 struct pit_error *err)
{
	pit_auto_close int fd = pit_disk_scratch(dirfd);
	static const char block[ALIGN];
	ssize_t n = 0;

	if (fd < 0)
		return pit_fail(err, -fd, "no file can be made here: %s", strerror(-fd));
	for (size_t done = 0; done < sizeof(block); done += (size_t)n)
		if ((n = TEMP_FAILURE_RETRY(pwrite(fd, block, sizeof(block) - done, (off_t)done))) <= 0)
			return pit_fail(err, n ? errno : ENOSPC, "cannot be written: %s", strerror(n ? errno : ENOSPC));
	return probe(fd, true, want, ret, l, err);
}

int pit_disk_only_file(int fd)
{
	struct stat st;
	int flags;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
	flags = fcntl(fd, F_GETFL);
	return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) ? -errno : 0;
}

int pit_disk_open_file(int dirfd, const char *path, int flags)
{
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
	int rc = fd < 0 ? -errno : pit_disk_only_file(fd);

	return rc ? rc : pit_take_fd(&fd);
}

int pit_disk_open(const struct pit_disk *d, int dirfd, const char *path, bool *ret_direct)
{
	bool direct = d->cache == PIT_IO_DIRECT;
	int fd = pit_disk_open_file(dirfd, path, direct ? O_DIRECT : 0);
	struct trial t;

	if (fd == -EINVAL && direct) {
		direct = false;
		fd = pit_disk_open_file(dirfd, path, 0);
	}
	if (fd < 0)
		return fd;
	t = (struct trial){.fd = fd};
	if (direct) {
		t.buf = mmap(NULL, TRY_MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (t.buf == MAP_FAILED || transfer(&t, d->offset_align, 0) == -EINVAL) {
			direct = false;
			fcntl(fd, F_SETFL, O_RDONLY);
		}
		if (t.buf != MAP_FAILED)
			munmap(t.buf, TRY_MOST);
	}
	*ret_direct = direct;
	return fd;
}
