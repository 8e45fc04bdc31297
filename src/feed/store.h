/* SPDX-License-Identifier: MIT
 *
 * What batches need of their loader, also when it is closed: the pool, and a bell that tells the reader that memory has
 * come back. The bell lies in the pool, so that other processes can ring it. Thread-safe.
 */
#ifndef PIT_FEED_STORE_H
#define PIT_FEED_STORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "feed/batch.h"
#include "feed/io.h"

struct pit_bell { /* in shared memory */
	_Atomic uint32_t rung;
	_Atomic uint32_t waits; /* the reader sleeps on it */
};

struct pit_store {
	atomic_uint refs;
	pid_t pid;
	struct pit_pool *pool;
	struct pit_bell *bell;
	pthread_mutex_t lock;   /* of what follows */
	struct pit_io *io;      /* to be woken as well; NULL when the loader is closed */
	struct pit_batch *lent; /* exported */
	unsigned alive, out;    /* batches that have memory; that are handed out or lent */
	uint64_t returned;      /* batches that came back, so far */
	uint64_t extra, most;   /* bytes of pools of single batches; the most that they were */
	bool retired;           /* the loader is closed */
	atomic_bool starves;    /* the reader wants memory */
};

/* Takes over the reference to the pool, also when it fails. */
int pit_store_open(struct pit_pool *pool, struct pit_store **ret);
struct pit_store *pit_store_ref(struct pit_store *s);
void pit_store_unref(struct pit_store *s);

/* Ends the reader's sleep, or its wait for I/O. */
void pit_store_ring(struct pit_store *s);

/* Sleeps until the bell has been rung since it was `rung`, at most `timeout_ns` (-1: forever). */
void pit_store_sleep(struct pit_store *s, uint32_t rung, int64_t timeout_ns);

/* Memory for a batch of `bytes`, with `large` in a pool of its own, most of which is touched while it is read into.
 * -EAGAIN (without a text) when there is none now, when there are very many batches, and for a large one while another
 * waits to be handed out; -ENOMEM when there is none at all. */
int pit_store_get(struct pit_store *s, uint64_t bytes, bool large, struct pit_batch **ret, struct pit_error *err);

/* Gives a batch that was never handed out, or is no more, back. */
void pit_store_put(struct pit_store *s, struct pit_batch *b);

/* The store's handle of an exported batch; see share.c. -EINVAL when the loader is closed. */
int pit_store_lend(struct pit_store *s, struct pit_batch *b);

/* Takes back what receivers have returned, or left behind when they ended. Gives how many are lent still. */
unsigned pit_store_collect(struct pit_store *s);

/* The loader is closed: batches that were offered and not taken are withdrawn. */
void pit_store_retire(struct pit_store *s);

/* Wakes who sleeps on a bell; futexes of shared memory. */
void pit_bell_ring(_Atomic uint32_t *rung, _Atomic uint32_t *waits);

#endif
