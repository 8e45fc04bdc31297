/* SPDX-License-Identifier: MIT
 *
 * A batch in memory: one region of a pool that starts with a description of what lies in it, so that another process
 * that maps the region has everything. Offsets count from the start of the region.
 */
#ifndef PIT_FEED_BATCH_H
#define PIT_FEED_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "feed/pool.h"
#include "feed/source.h"
#include "pitcrew/feed.h"

#define PIT_BATCH_MAGIC UINT64_C(0x31686374616274a7)

enum pit_lease {
	PIT_LEASE_NONE,    /* the loader's, or its user's */
	PIT_LEASE_OFFERED, /* exported, and nobody has it yet */
	PIT_LEASE_TAKEN,   /* imported: the low half of the word is the process */
	PIT_LEASE_RETURNED,
};

struct pit_batch_head {
	uint64_t magic;
	uint64_t nonce;         /* of this export */
	_Atomic uint64_t lease; /* enum pit_lease << 32 | pid of who took it */
	_Atomic uint64_t began; /* when that process began, by the kernel's count; 0: unknown */
	uint64_t bytes;         /* of the region */
	uint64_t position;
	uint32_t count, parts; /* samples; parts of all of them */
	uint32_t samples;      /* where: uint64_t[count] */
	uint32_t names;        /* where: uint32_t[count], each the offset of a text */
	uint32_t runs;         /* where: struct pit_batch_run[count], into the entries */
	uint32_t entries;      /* where: struct pit_batch_entry[parts] */
	uint32_t texts, end;   /* where: texts that end with NUL; the end of the description */
};

struct pit_batch_entry {
	uint64_t at, len;
	uint32_t key; /* the offset of a text */
	uint32_t unused;
};

struct pit_batch_run {
	uint32_t first, count;
};

struct pit_bell;
struct pit_store;

struct pit_batch {
	struct pit_batch_head *head;
	struct pit_store *store; /* NULL: imported */
	struct pit_pool *pool;   /* held: the store's, or one of its own when the batch is larger than that */
	pid_t pid;               /* whose handle this is */
	struct pit_batch *next;  /* in the loader's queue, or among those lent */

	/* The loader's, under its lock. */
	uint64_t serial, number; /* the leg it belongs to (loader.h), and its number there */
	bool done;
	int rc; /* with `done`: what pit_loader_next() gives */
	struct pit_error err;
	atomic_bool orphan; /* nobody waits for it any more */
	uint64_t cache_requests, cache_hits, cache_hit_bytes;

	int pidfd; /* lent: of who took it, or -1 */

	void *map; /* imported: what to unmap */
	size_t map_len;
	struct pit_bell *bell; /* imported: rung at release, or NULL */
	void *bell_map;
	size_t bell_len;
};

static inline void *pit_batch_at(const struct pit_batch_head *h, uint64_t offset)
{
	return (char *)h + offset;
}

/* What is to be in a batch, as the plan knows it before anything is read. */
struct pit_batch_want {
	const struct pit_source *source;
	uint64_t position;
	uint32_t count, parts;
	const uint64_t *samples;          /* [count] */
	const uint32_t *firsts;           /* [count + 1] */
	const struct pit_extent *extents; /* [parts] */
};

/* Bytes of the description; 0 when they are too many. */
uint64_t pit_batch_describe_size(const struct pit_batch_want *w);

/* Writes it at `h`; where data lie is filled in by the caller. */
void pit_batch_describe(const struct pit_batch_want *w, uint64_t bytes, struct pit_batch_head *h);

/* Sample `to` becomes a copy of sample `from` (of the description, not of the data). */
void pit_batch_substitute(struct pit_batch_head *h, uint32_t to, uint32_t from);

/* Removes the samples for which `bad` is true. */
void pit_batch_compact(struct pit_batch_head *h, const bool *bad);

/* Whether each offset stays inside of `bytes`: a description may come from another process. */
bool pit_batch_is_sound(const struct pit_batch_head *h, uint64_t bytes);

#endif
