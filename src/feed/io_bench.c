/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "feed/io_bench.h"
#include "feed/ladder.h"
#include "feed/pool.h"

static const size_t blocks[] = {4 << 10, 128 << 10, 4 << 20};

enum {
	SIZE = 512 << 20,
	SIZE_LEAST = 8 << 20,
	MEMORY = 64 << 20,
	FILL = 4 << 20,        /* blocks by which the file is made */
	FILL_SYNC = 8,         /* so many, then fdatasync: it shall not take much longer than it seems */
	WRITE_MOST = 64 << 20, /* into the page cache, which has to be written back within our time */
	DEPTH = 32,
};

struct bench {
	const struct pit_bench_want *want;
	struct pit_bench *out;
	int dir, fd;
	struct pit_pool *pool;
	struct pit_io *io;
	struct pit_io_field field;
};

/* A signal between making the file and removing its name would leave it. */
static int scratch(int dir)
{
	sigset_t all, old;
	int fd;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	fd = pit_disk_scratch(dir);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return fd;
}

static int open_dir(struct bench *b, struct pit_error *err)
{
	struct statvfs fs;
	uint64_t quarter;
	int rc;

	b->dir = open(b->want->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dir < 0 || fstatvfs(b->dir, &fs))
		return pit_fail(err, errno, "%s", strerror(errno));
	quarter = (uint64_t)fs.f_bavail * fs.f_frsize / 4;
	b->out->size = b->want->size ? b->want->size : SIZE;
	if (b->out->size > quarter)
		b->out->size = quarter;
	b->out->size = b->out->size / FILL * FILL;
	if (b->out->size < SIZE_LEAST)
		return pit_fail(err, ENOSPC, "a file of %d MiB, a quarter of what is free, is needed",
				SIZE_LEAST >> 20);
	b->out->made = true;
	if ((rc = pit_disk_probe_write(b->dir, b->want->io.cache, &b->out->disk, NULL, err)))
		return rc;
	b->fd = scratch(b->dir);
	if (b->fd < 0)
		return pit_fail(err, -b->fd, "no file can be made here: %s", strerror(-b->fd));
	if (b->out->disk.cache == PIT_IO_DIRECT && fcntl(b->fd, F_SETFL, O_RDWR | O_DIRECT))
		return pit_fail(err, errno, "O_DIRECT: %s", strerror(errno));
	return 0;
}

static int open_file(struct bench *b, struct pit_error *err)
{
	pit_auto_close int plain = open(b->want->path, O_RDONLY | O_CLOEXEC);
	off_t size = plain < 0 ? -1 : lseek(plain, 0, SEEK_END); /* of a block device, too */
	bool direct;
	int rc;

	if (size < 0)
		return pit_fail(err, errno, "%s", strerror(errno));
	if (b->want->write)
		return pit_fail(err, EINVAL, "a file is only read; name a directory for writing");
	b->out->size = (uint64_t)size;
	if ((rc = pit_disk_probe_read(plain, b->want->io.cache, &b->out->disk, NULL, err)))
		return rc;
	b->fd = pit_disk_open(&b->out->disk, AT_FDCWD, b->want->path, &direct);
	return b->fd < 0 ? pit_fail(err, -b->fd, "%s", strerror(-b->fd)) : 0;
}

/* Memory and engine as the ladder says; what they say for this size replaces what the small try said. */
static int open_engine(struct bench *b, struct pit_error *err)
{
	struct pit_io_want want = b->want->io;
	struct iovec all;
	int rc = pit_pool_open(MEMORY, &want, &b->out->ladder, &b->pool, err);

	want.depth = want.depth ? want.depth : DEPTH;
	if (!rc)
		rc = pit_io_open(&want, NULL, &b->io, err);
	if (rc)
		return rc;
	all.iov_base = pit_pool_base(b->pool);
	all.iov_len = pit_pool_size(b->pool);
	if (pit_io_engine_of(b->io) == PIT_ENGINE_URING_FIXED)
		pit_io_register(b->io, &all, 1, &b->out->ladder);
	b->field = (struct pit_io_field){
		.io = b->io,
		.fd = b->fd,
		.size = b->out->size,
		.memory = all.iov_base,
		.room = MEMORY,
		.dontcache = b->out->disk.cache == PIT_IO_DONTCACHE,
	};
	return 0;
}

/* Not all zeros: file systems compress. */
static void colour(char *memory, size_t size)
{
	uint64_t z = 1, *at = (uint64_t *)(void *)memory;

	for (size_t i = 0; i < size / sizeof(*at); i++) {
		z ^= z << 13;
		z ^= z >> 7;
		z ^= z << 17;
		at[i] = z;
	}
}

/* Makes the file, as long as it can become in the time. */
static int fill(struct bench *b, int64_t until, struct pit_error *err)
{
	uint64_t at = 0;

	colour(b->field.memory, MEMORY);
	while (at < b->out->size) {
		ssize_t n = pwrite(b->fd, b->field.memory + at % MEMORY, FILL, (off_t)at);

		if (n <= 0)
			return pit_fail(err, n ? errno : ENOSPC, "writing: %s", strerror(n ? errno : ENOSPC));
		at += (uint64_t)n;
		if (at % FILL)
			return pit_fail(err, ENOSPC, "writing: %s", strerror(ENOSPC));
		if (at / FILL % FILL_SYNC == 0 && fdatasync(b->fd))
			return pit_fail(err, errno, "fdatasync: %s", strerror(errno));
		if (at >= SIZE_LEAST && pit_now() >= until)
			break;
	}
	if (fdatasync(b->fd))
		return pit_fail(err, errno, "fdatasync: %s", strerror(errno));
	b->out->size = b->field.size = at;
	return 0;
}

static int measure(struct bench *b, size_t block, bool write, int64_t time_ns, struct pit_error *err)
{
	struct pit_io_timing *t = &b->out->runs[b->out->count];
	bool direct = b->out->disk.cache == PIT_IO_DIRECT;
	int rc;

	if (block > b->out->size || block % b->out->disk.offset_align)
		return 0;
	*t = (struct pit_io_timing){.write = write, .block = block, .depth = pit_io_depth(b->io)};
	b->field.most = direct ? 0 : b->out->size / block * block; /* a second time it would come from memory */
	if (!direct && write && b->field.most > WRITE_MOST)
		b->field.most = WRITE_MOST;
	if (!direct && !write)
		posix_fadvise(b->fd, 0, 0, POSIX_FADV_DONTNEED);
	rc = pit_io_time(&b->field, time_ns, t, err);
	b->out->count += !rc;
	return pit_wrap(err, rc, "blocks of %zu bytes", block);
}

static int measure_all(struct bench *b, int64_t end, struct pit_error *err)
{
	int64_t left = end - pit_now(), each;
	int rc = 0;

	each = (left > 0 ? left : 0) / (int64_t)(PIT_COUNT(blocks) * (b->want->write ? 2 : 1));
	if (each < 50 * PIT_MS)
		each = 50 * PIT_MS;
	for (int write = 0; write <= b->want->write; write++)
		for (size_t i = 0; !rc && i < PIT_COUNT(blocks); i++)
			rc = measure(b, blocks[i], write, each, err);
	return rc;
}

static int run(struct bench *b, struct pit_error *err)
{
	int64_t start = pit_now();
	struct stat st;
	int rc;

	if (stat(b->want->path, &st))
		return pit_fail(err, errno, "%s", strerror(errno));
	rc = S_ISDIR(st.st_mode) ? open_dir(b, err) : open_file(b, err);
	if (!rc)
		rc = open_engine(b, err);
	if (!rc && b->out->made)
		rc = fill(b, start + b->want->time_ns / 4, err);
	return rc ? rc : measure_all(b, start + b->want->time_ns, err);
}

int pit_bench_io(const struct pit_bench_want *want, struct pit_bench *ret, struct pit_error *err)
{
	struct pit_bench out = {0};
	struct bench b = {.want = want, .out = &out, .dir = -1, .fd = -1};
	int rc = pit_io_probe(want->path, &want->io, &out.ladder, err);

	if (rc)
		return rc;
	rc = pit_wrap(err, run(&b, err), "%s", want->path);
	pit_io_close(b.io);
	pit_pool_unref(b.pool);
	pit_cleanup_close(&b.fd);
	pit_cleanup_close(&b.dir);
	if (!rc)
		*ret = out;
	return rc;
}
