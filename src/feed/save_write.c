/* SPDX-License-Identifier: MIT */
#include "feed/save_write.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "feed/io.h"
#include "feed/ladder.h"
#include "feed/save_hash.h"
#include "feed/team.h"

#define DEPTH 8
#define MOST_DEPTH 64 /* of blocks: 256 MiB of buffers */
#define THREADS 8
#define SMALL ((uint64_t)1 << 20) /* one thread is enough */

struct writer;

struct slot {
	struct pit_team_task task;
	struct pit_io_op op;
	struct writer *w;
	char *buf;   /* of the pool; NULL until it is needed */
	uint64_t at; /* in the stream */
	size_t len;
	struct slot *next;
};

struct writer {
	const struct pit_write_want *want;
	struct pit_image *im;
	struct pit_io *io;
	struct pit_team *team;
	struct pit_pool *pool;
	struct pit_ladder *ladder;
	struct pit_hasher hasher;
	int fd;
	uint32_t mem_align, offset_align;
	bool direct, dontcache, released;
	uint64_t next, end;
	uint64_t borrowed; /* bytes that are not staged, of which this many are not written */
	int rc;
	struct slot slots[MOST_DEPTH];
	unsigned depth, active;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct slot *ready; /* filled by the team */
	char *header;
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static void fail(struct writer *w, int rc)
{
	if (!w->rc)
		w->rc = rc;
	atomic_store(&w->hasher.stop, true);
}

static void written(struct pit_io_op *op);

static void submit(struct slot *s, void *data, size_t len)
{
	struct writer *w = s->w;

	s->op = (struct pit_io_op){
		.kind = PIT_IO_WRITE,
		.fd = w->fd,
		.dontcache = w->dontcache,
		.buf = data,
		.len = len,
		.offset = w->im->header.len + s->at,
		.done = written,
		.arg = s,
	};
	pit_io_submit(w->io, &s->op);
}

/* In a thread of the team. */
static void fill(struct pit_team_task *task)
{
	struct slot *s = (struct slot *)task;
	struct writer *w = s->w;

	pit_image_copy(w->im, s->at, s->buf, s->len);
	memset(s->buf + s->len, 0, round_up(s->len, w->offset_align) - s->len);
	pthread_mutex_lock(&w->lock);
	s->next = w->ready;
	w->ready = s;
	pthread_cond_signal(&w->filled);
	pit_io_wake(w->io);
	pthread_mutex_unlock(&w->lock);
}

static int need_buffer(struct slot *s)
{
	struct writer *w = s->w;
	struct pit_io_want io = w->want->io;
	uint64_t least = round_up(w->end < PIT_WRITE_BLOCK ? w->end : PIT_WRITE_BLOCK, PIT_POOL_ALIGN);

	if (s->buf)
		return 0;
	if (!w->pool) {
		if (!io.lock)
			io.lock = PIT_LOCK_NONE; /* each write pins its pages */
		if (pit_pool_open(least * w->depth, &io, w->ladder, &w->pool, NULL))
			return -ENOMEM;
	}
	s->buf = pit_pool_get(w->pool, least);
	return s->buf ? 0 : -ENOMEM;
}

static void copy_block(struct slot *s)
{
	int rc = need_buffer(s);

	if (rc) {
		fail(s->w, rc);
		s->w->active--;
		return;
	}
	s->task.fn = fill;
	pit_team_do(s->w->team, &s->task);
}

static bool suits(const struct writer *w, const char *data, size_t len)
{
	return (uintptr_t)data % w->mem_align == 0 && len % w->offset_align == 0;
}

/* The next block, in place or through the buffer. */
static void give(struct slot *s)
{
	struct writer *w = s->w;
	uint64_t left = w->end - w->next, in_row;
	const char *data;

	if (w->rc || !left) {
		w->active--;
		return;
	}
	s->at = w->next;
	s->len = left < PIT_WRITE_BLOCK ? left : PIT_WRITE_BLOCK;
	w->next += s->len;
	data = pit_image_at(w->im, s->at, &in_row);
	if (in_row >= s->len && suits(w, data, s->len))
		submit(s, (void *)data, s->len);
	else
		copy_block(s);
}

/* Page cache that is written behind while we go on need not be waited for at the end. */
static void start_writeback(const struct slot *s)
{
	if (!s->w->direct)
		sync_file_range(s->w->fd, (off_t)s->op.offset, (off_t)s->op.len, SYNC_FILE_RANGE_WRITE);
}

static void written(struct pit_io_op *op)
{
	struct slot *s = op->arg;
	struct writer *w = s->w;

	if (op->res == -EFAULT && op->buf != s->buf) { /* memory of a device, which the disk cannot read from */
		copy_block(s);
		return;
	}
	if (op->res < 0 || (size_t)op->res != op->len) {
		fail(w, op->res < 0 ? (int)op->res : -EIO);
		w->active--;
		return;
	}
	start_writeback(s);
	if (s->at < w->im->staged_from)
		w->borrowed -= s->len;
	give(s);
}

static void submit_filled(struct writer *w)
{
	struct slot *s;

	pthread_mutex_lock(&w->lock);
	s = w->ready;
	w->ready = NULL;
	pthread_mutex_unlock(&w->lock);
	while (s) {
		struct slot *next = s->next;

		submit(s, s->buf, round_up(s->len, w->offset_align));
		s = next;
	}
}

static void look_released(struct writer *w)
{
	if (w->released || w->borrowed || atomic_load(&w->hasher.left) || !w->want->released)
		return;
	w->released = true;
	w->want->released(w->want->arg);
}

static void wait_filled(struct writer *w)
{
	pit_team_help(w->team);
	pthread_mutex_lock(&w->lock);
	while (!w->ready)
		pthread_cond_wait(&w->filled, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static void write_blocks(struct writer *w)
{
	w->active = w->depth;
	for (unsigned i = 0; i < w->depth; i++) {
		w->slots[i].w = w;
		give(&w->slots[i]);
	}
	while (w->active) {
		int rc;

		submit_filled(w);
		look_released(w);
		if (!pit_io_pending(w->io)) {
			if (w->active)
				wait_filled(w);
			continue;
		}
		rc = pit_io_wait(w->io, -1);
		if (rc < 0) { /* the ring is broken for good */
			fail(w, rc);
			return;
		}
	}
}

static void wake(void *arg)
{
	pit_io_wake(arg);
}

static void piece_written(struct pit_io_op *op)
{
	((struct writer *)op->arg)->active = 0;
}

static int write_piece(struct writer *w, char *data, size_t len, uint64_t offset)
{
	struct pit_io_op *op = &w->slots[0].op;
	int rc = 0;

	*op = (struct pit_io_op){
		.kind = PIT_IO_WRITE,
		.fd = w->fd,
		.dontcache = w->dontcache,
		.buf = data,
		.len = len,
		.offset = offset,
		.done = piece_written,
		.arg = w,
	};
	w->active = 1;
	pit_io_submit(w->io, op);
	while (w->active && rc >= 0)
		rc = pit_io_wait(w->io, -1);
	if (rc < 0)
		return rc;
	return op->res < 0 ? (int)op->res : op->res != (int64_t)len ? -EIO : 0;
}

static int write_header(struct writer *w)
{
	size_t len = w->im->header.len;
	int rc = 0;

	w->header = aligned_alloc(PIT_POOL_ALIGN, len);
	if (!w->header)
		return -ENOMEM;
	memcpy(w->header, w->im->header.data, len);
	for (size_t at = 0, n; at < len && !rc; at += n) {
		n = len - at < PIT_WRITE_BLOCK ? len - at : PIT_WRITE_BLOCK;
		rc = write_piece(w, w->header + at, n, at);
	}
	return rc;
}

/* O_DIRECT only where every block, the header and buffers of the pool suit it. */
static void choose(struct writer *w)
{
	const struct pit_disk *d = w->want->disk;

	w->mem_align = w->offset_align = 1;
	w->dontcache = d->dontcache && d->cache == PIT_IO_DONTCACHE;
	if (d->cache != PIT_IO_DIRECT || w->im->header.len % d->offset_align || PIT_POOL_ALIGN % d->mem_align ||
	    PIT_WRITE_BLOCK % d->offset_align)
		return;
	if (fcntl(w->fd, F_SETFL, O_DIRECT)) {
		pit_ladder_add(w->ladder, "cache", "O_DIRECT", PIT_RUNG_REFUSED, "this file refuses: %s",
			       strerror(errno));
		return;
	}
	w->direct = true;
	w->mem_align = d->mem_align ? d->mem_align : 1;
	w->offset_align = d->offset_align ? d->offset_align : 1;
}

static int open_writer(struct writer *w, uint64_t *sums, struct pit_error *err)
{
	struct pit_io_want io = w->want->io;
	uint64_t blocks = (w->end + PIT_WRITE_BLOCK - 1) / PIT_WRITE_BLOCK;
	int rc;

	w->depth = io.depth ? io.depth : DEPTH;
	if (w->depth > MOST_DEPTH)
		w->depth = MOST_DEPTH;
	if (w->depth > blocks)
		w->depth = blocks ? (unsigned)blocks : 1;
	io.depth = w->depth;
	rc = pit_io_open(&io, w->ladder, &w->io, err);
	if (rc)
		return rc;
	pit_hasher_init(&w->hasher, w->im, sums);
	w->hasher.all_read = wake;
	w->hasher.arg = w->io;
	w->team = pit_team_open(w->end < SMALL ? 0 : pit_team_size(THREADS), sums ? pit_hasher_step : NULL, &w->hasher);
	return w->team ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

static int write_all(struct writer *w, uint64_t *sums, uint64_t *ret_header_sum, struct pit_error *err)
{
	write_blocks(w);
	pit_team_finish(pit_take(w->team));
	if (!w->rc && atomic_load(&w->hasher.failed))
		fail(w, -ENOMEM);
	if (w->rc)
		return pit_fail(err, -w->rc, "%s", strerror(-w->rc));
	look_released(w);
	pit_image_seal(w->im, sums, ret_header_sum);
	w->rc = write_header(w);
	return w->rc ? pit_fail(err, -w->rc, "%s", strerror(-w->rc)) : 0;
}

/* The engine last of those who use memory: it waits for what is in the kernel. */
static void close_writer(struct writer *w)
{
	pit_team_finish(w->team);
	pit_io_close(w->io);
	pit_pool_unref(w->pool);
	free(w->header);
	pthread_cond_destroy(&w->filled);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int pit_write_image(int fd, struct pit_image *im, const struct pit_write_want *want, struct pit_ladder *l,
		    uint64_t *ret_header_sum, struct pit_error *err)
{
	pit_auto_free uint64_t *sums = im->checksums ? calloc(im->count + 1, sizeof(*sums)) : NULL;
	struct writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w || (im->checksums && !sums)) {
		free(w);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->filled, NULL);
	w->want = want;
	w->im = im;
	w->ladder = l;
	w->fd = fd;
	w->end = pit_image_bytes(im);
	w->borrowed = w->end < im->staged_from ? w->end : im->staged_from;
	choose(w);
	rc = open_writer(w, sums, err);
	if (!rc)
		rc = write_all(w, sums, ret_header_sum, err);
	close_writer(w);
	return rc;
}
