/* SPDX-License-Identifier: MIT */
#undef _FILE_OFFSET_BITS /* it would give both names of a call to one function */
#include "io_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const char *const io_fault_names[IO_FAULTS] = {
	[IO_FAULT_SHORT] = "short", [IO_FAULT_EINTR] = "EINTR",   [IO_FAULT_EAGAIN] = "EAGAIN",
	[IO_FAULT_EIO] = "EIO",     [IO_FAULT_ENOSPC] = "ENOSPC", [IO_FAULT_ENOMEM] = "ENOMEM",
};

enum {
	DIRECT = 4096, /* bytes: what direct transfers are short by */
};

/* Written while nobody else is at work; what counts is atomic. */
static char below[PATH_MAX];
static atomic_uint rate, wanted;
static io_faults_step watcher;
static void *watcher_arg;
static _Atomic uint64_t dice;
static _Atomic uint64_t counts[IO_FAULTS];
static atomic_uint steps;
static _Thread_local bool spared;

void io_faults_set(const char *dir, uint64_t seed, unsigned per_mille, unsigned kinds)
{
	wanted = 0;
	snprintf(below, sizeof(below), "%s", dir);
	atomic_store(&dice, seed);
	rate = per_mille;
	wanted = kinds;
}

void io_faults_watch(const char *dir, io_faults_step at, void *arg)
{
	snprintf(below, sizeof(below), "%s", dir);
	atomic_store(&steps, 0);
	watcher_arg = arg;
	watcher = at;
}

void io_faults_spare(bool yes)
{
	spared = yes;
}

uint64_t io_faults_count(enum io_fault fault)
{
	return atomic_load(&counts[fault]);
}

/* splitmix64 over a counter, so that threads need no lock. */
uint64_t io_faults_random(void)
{
	uint64_t x = atomic_fetch_add(&dice, UINT64_C(0x9e3779b97f4a7c15)) + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

bool io_faults_roll(enum io_fault fault)
{
	if (spared || !(wanted & 1u << fault) || io_faults_random() % 1000 >= rate)
		return false;
	atomic_fetch_add(&counts[fault], 1);
	return true;
}

/* ---- which calls are meant ---- */

static bool path_is_below(const char *path)
{
	size_t len = strlen(below);

	return len && !strncmp(path, below, len) && (path[len] == '/' || !path[len]);
}

static bool fd_is_below(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return path_is_below(path);
}

static bool at_is_below(int dirfd, const char *path)
{
	return path && *path == '/' ? path_is_below(path) : dirfd >= 0 && fd_is_below(dirfd);
}

static bool meant(int fd)
{
	int saved = errno;
	bool yes = (wanted || watcher) && !spared && fd_is_below(fd);

	errno = saved;
	return yes;
}

static bool meant_at(int dirfd, const char *path)
{
	int saved = errno;
	bool yes = (wanted || watcher) && !spared && at_is_below(dirfd, path);

	errno = saved;
	return yes;
}

static void step(const char *name)
{
	if (watcher)
		watcher(watcher_arg, atomic_fetch_add(&steps, 1), name);
}

/* One of `these` faults, as errno; 0: none. */
static int roll(unsigned these)
{
	static const int codes[IO_FAULTS] = {
		[IO_FAULT_EINTR] = EINTR,   [IO_FAULT_EAGAIN] = EAGAIN, [IO_FAULT_EIO] = EIO,
		[IO_FAULT_ENOSPC] = ENOSPC, [IO_FAULT_ENOMEM] = ENOMEM,
	};

	for (unsigned f = IO_FAULT_EINTR; f < IO_FAULTS; f++)
		if (these & 1u << f && io_faults_roll(f))
			return codes[f];
	return 0;
}

static int fails(unsigned these)
{
	int code = roll(these);

	if (!code)
		return 0;
	errno = code;
	return -1;
}

/* EAGAIN is no answer of these calls on files; of requests it is (tests/crash/stress_faults.c). */
#define BIT(fault) (1u << IO_FAULT_##fault)
#define READS (BIT(EINTR) | BIT(EIO) | BIT(ENOMEM))
#define WRITES (BIT(EINTR) | BIT(EIO) | BIT(ENOSPC))
#define OPENS (BIT(EINTR) | BIT(ENOMEM))
#define MAKES (BIT(EIO) | BIT(ENOSPC) | BIT(ENOMEM))

/* Direct transfers stay aligned. */
static size_t shortened(int fd, size_t len)
{
	size_t unit = syscall(SYS_fcntl, fd, F_GETFL) & O_DIRECT ? DIRECT : 1, units = len / unit;

	if (units < 2 || !io_faults_roll(IO_FAULT_SHORT))
		return len;
	return (1 + io_faults_random() % (units - 1)) * unit;
}

/* ---- the calls ---- */

static ssize_t get(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	struct iovec one = v[0];

	if (n == 1 && meant(fd)) {
		if (fails(READS))
			return -1;
		one.iov_len = shortened(fd, one.iov_len);
		v = &one;
	}
	if (n == 1 && !flags)
		return syscall(SYS_pread64, fd, v->iov_base, v->iov_len, at);
	return syscall(SYS_preadv2, fd, v, n, at, 0, flags);
}

static ssize_t put(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	struct iovec one = v[0];

	if (n == 1 && meant(fd)) {
		step("write");
		if (fails(WRITES))
			return -1;
		one.iov_len = shortened(fd, one.iov_len);
		v = &one;
	}
	if (n == 1 && !flags)
		return syscall(SYS_pwrite64, fd, v->iov_base, v->iov_len, at);
	return syscall(SYS_pwritev2, fd, v, n, at, 0, flags);
}

#define IOV(buf, len) (&(struct iovec){.iov_base = (void *)(uintptr_t)(buf), .iov_len = (len)}), 1

ssize_t pread(int fd, void *buf, size_t len, off_t at)
{
	return get(fd, IOV(buf, len), at, 0);
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t at)
{
	return get(fd, IOV(buf, len), at, 0);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return put(fd, IOV(buf, len), at, 0);
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
	return put(fd, IOV(buf, len), at, 0);
}

ssize_t preadv2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	return get(fd, v, n, at, flags);
}

ssize_t preadv64v2(int fd, const struct iovec *v, int n, off64_t at, int flags)
{
	return get(fd, v, n, at, flags);
}

ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	return put(fd, v, n, at, flags);
}

ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off64_t at, int flags)
{
	return put(fd, v, n, at, flags);
}

ssize_t read(int fd, void *buf, size_t len)
{
	if (meant(fd)) {
		if (fails(READS))
			return -1;
		len = shortened(fd, len);
	}
	return syscall(SYS_read, fd, buf, len);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	if (meant(fd)) {
		step("write");
		if (fails(WRITES))
			return -1;
		len = shortened(fd, len);
	}
	return syscall(SYS_write, fd, buf, len);
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	bool hit = meant_at(dirfd, path);

	if (hit && flags & O_CREAT)
		step("create");
	if (hit && fails(OPENS))
		return -1;
	return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

#define MODE_OF(flags)                                                                                                 \
	({                                                                                                             \
		mode_t mode_ = 0;                                                                                      \
		va_list ap_;                                                                                           \
		if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                 \
			va_start(ap_, flags);                                                                          \
			mode_ = va_arg(ap_, mode_t);                                                                   \
			va_end(ap_);                                                                                   \
		}                                                                                                      \
		mode_;                                                                                                 \
	})

int open(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags, MODE_OF(flags));
}

int open64(const char *path, int flags, ...)
{
	return open_at(AT_FDCWD, path, flags | O_LARGEFILE, MODE_OF(flags));
}

int openat(int dirfd, const char *path, int flags, ...)
{
	return open_at(dirfd, path, flags, MODE_OF(flags));
}

int openat64(int dirfd, const char *path, int flags, ...)
{
	return open_at(dirfd, path, flags | O_LARGEFILE, MODE_OF(flags));
}

static int sync_file(int fd, long number, const char *name)
{
	if (meant(fd)) {
		step(name);
		if (fails(BIT(EIO) | BIT(ENOSPC)))
			return -1;
	}
	return (int)syscall(number, fd);
}

int fsync(int fd)
{
	return sync_file(fd, SYS_fsync, "fsync");
}

int fdatasync(int fd)
{
	return sync_file(fd, SYS_fdatasync, "fdatasync");
}

int statx(int dirfd, const char *restrict path, int flags, unsigned mask, struct statx *restrict st)
{
	if (meant_at(dirfd, path) && fails(BIT(ENOMEM)))
		return -1;
	return (int)syscall(SYS_statx, dirfd, path, flags, mask, st);
}

static int reserve(int fd, int mode, off_t at, off_t len)
{
	if (meant(fd)) {
		step("fallocate");
		if (fails(BIT(ENOSPC) | BIT(EINTR)))
			return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, len);
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return reserve(fd, mode, at, len);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	return reserve(fd, mode, at, len);
}

static int cut(int fd, off_t len)
{
	if (meant(fd)) {
		step("ftruncate");
		if (fails(BIT(EIO) | BIT(EINTR)))
			return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate(int fd, off_t len)
{
	return cut(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return cut(fd, len);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	if (meant_at(to, new)) {
		step("rename");
		if (fails(MAKES))
			return -1;
	}
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int renameat(int from, const char *old, int to, const char *new)
{
	return renameat2(from, old, to, new, 0);
}

int rename(const char *old, const char *new)
{
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	if (meant_at(dirfd, path)) {
		step("mkdir");
		if (fails(MAKES))
			return -1;
	}
	return (int)syscall(SYS_mkdirat, dirfd, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int symlinkat(const char *target, int dirfd, const char *path)
{
	if (meant_at(dirfd, path)) {
		step("symlink");
		if (fails(MAKES))
			return -1;
	}
	return (int)syscall(SYS_symlinkat, target, dirfd, path);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

/* Not made to fail: what a test left behind could then not be told from what the library did. */
int unlinkat(int dirfd, const char *path, int flags)
{
	if (meant_at(dirfd, path))
		step("unlink");
	return (int)syscall(SYS_unlinkat, dirfd, path, flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- preloaded ---- */

static unsigned kinds_of(const char *words)
{
	unsigned kinds = 0;

	for (unsigned f = 0; f < IO_FAULTS; f++)
		if (strcasestr(words, io_fault_names[f]))
			kinds |= 1u << f;
	return kinds;
}

__attribute__((constructor)) static void from_environment(void)
{
	const char *plan = getenv("PIT_FAULTS"), *text;
	char dir[PATH_MAX] = "";
	uint64_t seed = 1;
	unsigned per_mille = 100, kinds = 0;

	if (!plan)
		return;
	if ((text = strstr(plan, "below=")))
		sscanf(text, "below=%4095[^,]", dir);
	if ((text = strstr(plan, "seed=")))
		seed = strtoull(text + strlen("seed="), NULL, 10);
	if ((text = strstr(plan, "rate=")))
		per_mille = (unsigned)strtoul(text + strlen("rate="), NULL, 10);
	if ((text = strstr(plan, "kinds=")))
		kinds = kinds_of(text);
	io_faults_set(dir, seed, per_mille, kinds);
}
