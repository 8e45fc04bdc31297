/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "feed/disk.h"
#include "feed/io.h"
#include "feed/ladder.h"
#include "feed/pool.h"

enum { POOL = 4 << 20, PIECE = 65536 };

#define pit_auto_pool PIT_CLEANUP(unref)
static void unref(struct pit_pool **p)
{
	pit_pool_unref(*p);
}

static const struct pit_io_want automatic;

/* The place: a file that is read, or a nameless one that is written. */
struct place {
	int fd, dir;
	bool write;
	struct pit_pool *pool;
	char *piece;
};

static const char *const engine_names[] = {
	[PIT_ENGINE_URING_FIXED] = "io_uring, registered",
	[PIT_ENGINE_URING] = "io_uring",
	[PIT_ENGINE_THREADS] = "threads",
};

static void done(struct pit_io_op *op)
{
}

static int transfer(struct pit_io *io, const struct place *p)
{
	struct pit_io_op op = {.kind = p->write ? PIT_IO_WRITE : PIT_IO_READ,
			       .fd = p->fd,
			       .buf = p->piece,
			       .len = PIECE,
			       .done = done};
	int rc = 0;

	pit_io_submit(io, &op);
	while (!rc && pit_io_pending(io))
		rc = pit_io_wait(io, -1) < 0 ? -EIO : 0;
	return rc ? rc : op.res < 0 ? (int)op.res : 0;
}

/* One engine by a real transfer, with the pool registered where it knows that. `why`: of the rung. */
static int try_engine(const struct place *p, const struct pit_io_want *want, struct pit_ladder *buffers,
		      struct pit_error *why)
{
	struct pit_ladder l = {0};
	pit_auto_io struct pit_io *io = NULL;
	int rc = pit_io_open(want, &l, &io, why);

	if (rc)
		return rc;
	if (want->engine == PIT_ENGINE_URING_FIXED) {
		struct iovec all = {.iov_base = pit_pool_base(p->pool), .iov_len = pit_pool_size(p->pool)};

		pit_io_register(io, &all, 1, buffers);
	}
	if ((rc = transfer(io, p)))
		return pit_fail(why, -rc, "%s failed: %s", p->write ? "a write" : "a read", strerror(-rc));
	pit_fail(why, 0, "%s", pit_ladder_taken(&l, "engine")->why);
	return 0;
}

static int try_engines(const struct place *p, const struct pit_io_want *want, struct pit_ladder *l,
		       struct pit_error *err)
{
	struct pit_error last = PIT_ERROR_INIT;
	struct pit_ladder buffers = {0};
	enum pit_io_engine chosen = PIT_ENGINE_AUTO;
	int rc = 0;

	for (enum pit_io_engine e = PIT_ENGINE_URING_FIXED; e <= PIT_ENGINE_THREADS; e++) {
		struct pit_io_want one = *want;
		struct pit_error why = PIT_ERROR_INIT;
		bool take;

		one.engine = e;
		rc = try_engine(p, &one, &buffers, &why);
		take = !rc && !chosen && (!want->engine || want->engine == e);
		pit_ladder_add(l, "engine", engine_names[e],
			       rc     ? PIT_RUNG_REFUSED
			       : take ? PIT_RUNG_TAKEN
				      : PIT_RUNG_UNUSED,
			       "%s%s", rc || take ? "" : "it works: ", why.text);
		chosen = take ? e : chosen;
		if (rc && (!want->engine || want->engine == e))
			last = why;
	}
	if (buffers.count && chosen != PIT_ENGINE_URING_FIXED)
		pit_ladder_add(&buffers, "buffers", "registered", PIT_RUNG_UNUSED, "another engine was taken");
	pit_ladder_append(l, &buffers);
	return chosen ? 0 : pit_fail(err, last.code ? last.code : EINVAL, "%s", last.text);
}

/* Opens the place; `dir` is where files are made, or -1. */
static int open_place(const char *path, struct place *p, struct pit_error *err)
{
	struct stat st;

	if (stat(path, &st))
		return pit_fail(err, errno, "%s", strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return pit_fail(err, EINVAL, "neither a directory nor a file");
	p->fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
	if (p->fd < 0)
		return pit_fail(err, errno, "%s", strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return 0;
	p->dir = p->fd;
	p->write = true;
	p->fd = pit_disk_scratch(p->dir);
	return p->fd < 0 ? pit_fail(err, -p->fd, "no file can be made here (name one to have reading tried): %s",
				    strerror(-p->fd))
			 : 0;
}

static int probe(struct place *p, const struct pit_io_want *want, struct pit_ladder *l, struct pit_error *err)
{
	pit_auto_pool struct pit_pool *pool = NULL;
	struct pit_ladder memory = {0};
	struct pit_disk disk;
	int rc = pit_pool_open(POOL, want, &memory, &pool, err);

	if (rc)
		return rc;
	p->pool = pool;
	p->piece = pit_pool_get(pool, PIECE);
	rc = p->piece ? try_engines(p, want, l, err) : -ENOMEM;
	if (!rc && p->write)
		rc = pit_disk_probe_write(p->dir, want->cache, &disk, l, err);
	else if (!rc)
		rc = pit_disk_probe_read(p->fd, want->cache, &disk, l, err);
	pit_pool_put(pool, p->piece);
	pit_ladder_append(l, &memory);
	return rc;
}

int pit_io_probe(const char *path, const struct pit_io_want *want, struct pit_ladder *ret, struct pit_error *err)
{
	struct pit_ladder l = {0};
	struct place p = {.fd = -1, .dir = -1};
	int rc = open_place(path, &p, err);

	if (!rc)
		rc = probe(&p, want ? want : &automatic, &l, err);
	pit_cleanup_close(&p.fd);
	pit_cleanup_close(&p.dir);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	*ret = l;
	return 0;
}
