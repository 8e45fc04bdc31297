/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/pool.h"
#include "feed/pool_pages.h"

struct segment { /* one behind the other, without holes */
	size_t begin;
	bool used;
};

struct pit_pool {
	atomic_uint refs;
	pthread_mutex_t lock;
	struct pit_pages_map map;
	struct segment *segments;
	size_t count, room;
};

int pit_pool_open_soon(size_t bytes, size_t first, const struct pit_io_want *want, struct pit_ladder *l,
		       struct pit_pool **ret, struct pit_error *err)
{
	static const struct pit_io_want automatic = {0};
	pit_auto_free struct pit_pool *p = calloc(1, sizeof(*p));
	pit_auto_free struct segment *segments = calloc(8, sizeof(*segments));
	int rc;

	if (!p || !segments)
		return pit_fail(err, ENOMEM, "no memory for a pool");
	rc = pit_pages_open(bytes, first, want ? want : &automatic, l, &p->map, err);
	if (rc)
		return rc;
	pthread_mutex_init(&p->lock, NULL);
	atomic_init(&p->refs, 1);
	p->segments = pit_take(segments);
	p->room = 8;
	p->count = 1;
	*ret = pit_take(p);
	return 0;
}

int pit_pool_open(size_t bytes, const struct pit_io_want *want, struct pit_ladder *l, struct pit_pool **ret,
		  struct pit_error *err)
{
	return pit_pool_open_soon(bytes, bytes, want, l, ret, err);
}

struct pit_pool *pit_pool_ref(struct pit_pool *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void pit_pool_unref(struct pit_pool *p)
{
	int saved = errno;

	if (p && atomic_fetch_sub(&p->refs, 1) == 1) {
		pit_pages_close(&p->map);
		pthread_mutex_destroy(&p->lock);
		free(p->segments);
		free(p);
	}
	errno = saved;
}

static size_t segment_len(const struct pit_pool *p, size_t i)
{
	return (i + 1 < p->count ? p->segments[i + 1].begin : p->map.size) - p->segments[i].begin;
}

static int make_room(struct pit_pool *p)
{
	struct segment *more;

	if (p->count < p->room)
		return 0;
	more = reallocarray(p->segments, p->room * 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->segments = more;
	p->room *= 2;
	return 0;
}

/* The first that fits: batches come and go in order, so that what is free stays together at one or two places. */
static void *take_piece(struct pit_pool *p, size_t bytes)
{
	size_t i = 0, len;

	while (i < p->count && (p->segments[i].used || segment_len(p, i) < bytes))
		i++;
	if (i == p->count)
		return NULL;
	len = segment_len(p, i);
	if (len > bytes) {
		if (make_room(p))
			return NULL;
		memmove(p->segments + i + 1, p->segments + i, (p->count - i) * sizeof(*p->segments));
		p->count++;
		p->segments[i + 1].begin += bytes;
	}
	p->segments[i].used = true;
	return (char *)p->map.base + p->segments[i].begin;
}

void *pit_pool_get(struct pit_pool *p, size_t bytes)
{
	void *piece;

	if (bytes > p->map.size)
		return NULL;
	bytes = bytes ? (bytes + PIT_POOL_ALIGN - 1) & ~(size_t)(PIT_POOL_ALIGN - 1) : PIT_POOL_ALIGN;
	pthread_mutex_lock(&p->lock);
	piece = take_piece(p, bytes);
	pthread_mutex_unlock(&p->lock);
	return piece;
}

static size_t find_segment(const struct pit_pool *p, size_t begin)
{
	size_t low = 0, high = p->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->segments[middle].begin <= begin)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Segment i and the next become one. */
static void join(struct pit_pool *p, size_t i)
{
	memmove(p->segments + i + 1, p->segments + i + 2, (p->count - i - 2) * sizeof(*p->segments));
	p->count--;
}

void pit_pool_put(struct pit_pool *p, void *piece)
{
	size_t i;

	if (!piece)
		return;
	pthread_mutex_lock(&p->lock);
	i = find_segment(p, (char *)piece - (char *)p->map.base);
	p->segments[i].used = false;
	if (i + 1 < p->count && !p->segments[i + 1].used)
		join(p, i);
	if (i && !p->segments[i - 1].used)
		join(p, i - 1);
	pthread_mutex_unlock(&p->lock);
}

void *pit_pool_base(const struct pit_pool *p)
{
	return p->map.base;
}

size_t pit_pool_size(const struct pit_pool *p)
{
	return p->map.size;
}

int pit_pool_fd(const struct pit_pool *p)
{
	return p->map.fd;
}
