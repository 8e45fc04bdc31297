/* SPDX-License-Identifier: MIT
 *
 * The loader's inside. One thread, the reader, plans batches, reads them and hands them to a queue; callers take them
 * from there. What both touch is under one lock; all else belongs to the reader.
 *
 *	loader.c        the calls            loader_open.c   what is decided at the start
 *	loader_reader.c the thread           loader_plan.c   a batch becomes reads
 *	loader_done.c   reads become a batch: errors, checksums
 *	loader_stage.c  long reads for many batches at once
 *	loader_engine.c io_uring or threads
 */
#ifndef PIT_FEED_LOADER_H
#define PIT_FEED_LOADER_H

#include <pthread.h>
#include <stdatomic.h>

#include "feed/cache.h"
#include "feed/io.h"
#include "feed/loader_depth.h"
#include "feed/loader_engine.h"
#include "feed/loader_mode.h"
#include "feed/loader_stage.h"
#include "feed/order.h"
#include "feed/reads.h"
#include "feed/store.h"

#define PIT_FAILED_MOST 100
#define PIT_LADDER_SAMPLES "sample cache"

struct pit_leg { /* an epoch, or what is left of one */
	struct pit_order order;
	struct pit_deal deal;
	uint64_t batches;
	uint64_t serial; /* grows; batches of other legs than the callers' are thrown away */
};

struct pit_op {
	struct pit_io_op io;
	struct pit_load *load;
	struct pit_file *file; /* in use, or NULL */
	bool needed;           /* not all of it came from the cache */
};

struct pit_load { /* a batch while it is read; the reader's */
	struct pit_load *next;
	struct pit_reader *reader;
	struct pit_batch *batch; /* NULL: waits for memory */
	struct pit_mode *mode;
	uint64_t serial, number, position;
	uint32_t count, parts;
	uint64_t *samples;          /* [count] */
	uint32_t *firsts;           /* [count + 1] */
	struct pit_extent *extents; /* [parts] */
	struct pit_piece *pieces;   /* [parts] */
	bool *cached;               /* [parts] */
	struct pit_reads reads;
	struct pit_op *ops; /* one for each read */
	size_t submitted, done;
	bool trouble;   /* a read failed, or was short */
	uint64_t data;  /* where in the batch they begin */
	uint64_t bytes; /* of the batch */
	uint64_t read;  /* bytes that came from disk */
};

struct pit_reader {
	struct pit_loader *loader;
	struct pit_io *io;
	struct pit_modes modes;
	struct pit_engines engines;
	struct pit_stages *stages; /* or NULL */
	struct pit_depth depth;
	struct pit_reads_rule rule;                /* but for what depends on the mode */
	bool by_path;                              /* files are opened for each read */
	struct pit_leg leg;                        /* being planned */
	uint64_t number;                           /* of the next batch of it */
	struct pit_load *planned;                  /* waits for memory, or NULL */
	struct pit_load *todo, **todo_end;         /* with reads that are not submitted, in order */
	struct pit_load *finished, **finished_end; /* all reads are done */
	unsigned loads;                            /* planned and not handed over */
	uint64_t read, reads;                      /* from disk, since the last look */
	int64_t looked;                            /* when; 0: the engine had not enough to do */
};

struct pit_loader {
	pid_t pid;
	struct pit_source *source;
	struct pit_store *store;
	struct pit_sample_cache *cache; /* or NULL */
	struct pit_reader reader;
	pthread_t thread;
	bool started;
	uint32_t batch, rank, world;
	enum pit_tail tail;
	enum pit_on_error on_error;
	bool as_ready, check;
	uint64_t cache_bytes, stage_bytes;
	int64_t patience; /* nanoseconds that next() waits while the caller holds all memory */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t ready;
	struct pit_leg leg;   /* the callers' */
	struct pit_leg ahead; /* what is read behind it; serial 0: nothing */
	bool follows;         /* epochs have been asked for one after the other: read ahead of the end */
	uint64_t taken, top;  /* batches that were taken of the leg; the highest of their numbers, and 1 */
	struct pit_batch *queue, **queue_end;
	bool canceled, quit;
	struct pit_error broken; /* the reader has ended with it */
	struct pit_loader_stats stats;
	unsigned failed;
	char *failures[PIT_FAILED_MOST];
	struct pit_ladder ladders[4]; /* at the start, and after each of three later events */
	bool cache_told;              /* one of them: that the sample cache has stopped */
	_Atomic(const struct pit_ladder *) ladder;
};

/* loader.c: drops the batches of legs before `serial` from the queue; under the lock. */
void pit_loader_flush(struct pit_loader *l, uint64_t serial);

/* loader_state.c: the ladder with room for one more event, to be published in l->ladder; under the lock. */
struct pit_ladder *pit_loader_next_ladder(struct pit_loader *l);

/* loader_open.c */
void pit_leg_init(const struct pit_loader *l, const struct pit_order *order, uint64_t start, struct pit_leg *ret);
int pit_loader_enter(const struct pit_loader *l, struct pit_error *err); /* -EINVAL in a fork of its process */

/* loader_reader.c */
void *pit_reader_run(void *reader);

/* loader_plan.c: a load without memory, NULL with *ret_rc set. */
struct pit_load *pit_load_plan(struct pit_reader *r, int *ret_rc);

/* Copies part p, of sample i of the batch, to its place; false when the cache has not got it. */
bool pit_load_from_cache(struct pit_load *load, uint32_t i, uint32_t p);

/* Gives it memory, fills what the cache has, and makes operations of its reads. -EAGAIN when there is no memory now. */
int pit_load_start(struct pit_load *load, bool large, struct pit_error *err);
void pit_load_free(struct pit_load *load); /* not the batch */

/* `count` more reads of it are done, or will never be. */
void pit_load_done(struct pit_load *load, size_t count);

/* The key of a part in the sample cache; false when its numbers are too large for one. */
static inline bool pit_cache_key(uint64_t sample, uint32_t part, uint64_t *ret)
{
	*ret = sample | (uint64_t)part << 48;
	return !(sample >> 48) && part <= UINT16_MAX;
}

/* loader_done.c: the batch goes to whoever waits for it, or back. */
void pit_load_finish(struct pit_load *load);

#endif
