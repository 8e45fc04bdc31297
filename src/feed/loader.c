/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "feed/loader.h"

static void drop(struct pit_batch *b)
{
	if (b->store)
		pit_store_put(b->store, b);
	else
		free(b);
}

/* Those that are complete go; the reader learns of the others that nobody wants them. */
void pit_loader_flush(struct pit_loader *l, uint64_t serial)
{
	struct pit_batch **at = &l->queue;

	while (*at) {
		struct pit_batch *b = *at;

		if (b->serial >= serial) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		if (b->done)
			drop(b);
		else
			atomic_store(&b->orphan, true);
	}
	l->queue_end = at;
}

/* The batch that is next, out of the queue; NULL when it is not there yet. */
static struct pit_batch *pick(struct pit_loader *l)
{
	struct pit_batch **at = &l->queue;
	struct pit_batch *b;

	while (l->as_ready && *at && !(*at)->done)
		at = &(*at)->next;
	b = *at;
	if (!b || !b->done || b->serial != l->leg.serial)
		return NULL;
	*at = b->next;
	if (!b->next)
		l->queue_end = at;
	b->next = NULL;
	return b;
}

static void wait_some(struct pit_loader *l, int64_t until)
{
	struct timespec t = {.tv_sec = until / (1000 * PIT_MS), .tv_nsec = until % (1000 * PIT_MS)};

	pthread_cond_timedwait(&l->ready, &l->lock, &t);
}

struct wait {                 /* of one call */
	int64_t begun, since; /* since when nothing came back */
	uint64_t returned;
};

/* All memory is in the hands of callers of this process, and nothing came back for long: whoever waits for himself
 * would wait for ever. */
static bool is_stuck(struct pit_loader *l, struct wait *w, int64_t now)
{
	struct pit_store *s = l->store;
	bool held;

	pthread_mutex_lock(&s->lock);
	held = atomic_load(&s->starves) && s->out && s->out == s->alive && !s->lent && s->returned == w->returned;
	w->returned = s->returned;
	pthread_mutex_unlock(&s->lock);
	if (!held)
		w->since = now;
	return now - w->since >= l->patience;
}

/* Under the lock: 1 with a batch, 0 at the end, or what has gone wrong. */
static int wait_for_batch(struct pit_loader *l, struct pit_batch **ret, struct pit_error *err)
{
	struct wait w = {.begun = pit_now()};
	char size[32];

	w.since = w.begun;
	for (;;) {
		int64_t now = pit_now();

		if (l->canceled)
			return pit_fail(err, ECANCELED, "the loader was cancelled");
		*ret = pick(l);
		if (*ret || l->taken >= l->leg.batches)
			return *ret ? 1 : 0;
		if (l->broken.code)
			return pit_fail(err, l->broken.code, "%s", l->broken.text);
		if (is_stuck(l, &w, now))
			return pit_fail(
				err, ENOBUFS,
				"all memory of the loader (%s) is in batches that were not released, and none was for "
				"%.0f s: release them, or give it more memory",
				pit_format_size(pit_pool_size(l->store->pool), size, sizeof(size)),
				(double)l->patience / (1000 * PIT_MS));
		wait_some(l, now + l->patience / 4);
		l->stats.wait_ns += pit_now() - now;
	}
}

static void count(struct pit_loader *l, const struct pit_batch *b)
{
	const struct pit_batch_run *runs = pit_batch_at(b->head, b->head->runs);
	const struct pit_batch_entry *e = pit_batch_at(b->head, b->head->entries);

	l->stats.batches++;
	l->stats.samples += b->head->count;
	l->stats.cache_requests += b->cache_requests;
	l->stats.cache_hits += b->cache_hits;
	l->stats.cache_hit_bytes += b->cache_hit_bytes;
	for (uint32_t i = 0; i < b->head->count; i++)
		for (uint32_t p = 0; p < runs[i].count; p++)
			l->stats.bytes += e[runs[i].first + p].len;
}

static int take(struct pit_loader *l, struct pit_batch *b, struct pit_error *err)
{
	l->taken++;
	if (b->number >= l->top)
		l->top = b->number + 1;
	if (b->rc) {
		return pit_fail(err, b->err.code, "%s", b->err.text);
	}
	count(l, b);
	pthread_mutex_lock(&l->store->lock);
	l->store->out++;
	pthread_mutex_unlock(&l->store->lock);
	if (atomic_load(&l->store->starves)) /* a large batch waits for the others to be handed out */
		pit_store_ring(l->store);
	return 1;
}

int pit_loader_next(struct pit_loader *l, struct pit_batch **ret, struct pit_error *err)
{
	struct pit_batch *b = NULL;
	int rc = pit_loader_enter(l, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&l->lock);
	rc = wait_for_batch(l, &b, err);
	if (b)
		rc = take(l, b, err);
	pthread_mutex_unlock(&l->lock);
	if (rc == 1)
		*ret = b;
	else if (b)
		drop(b);
	return rc;
}

void pit_loader_cancel(struct pit_loader *l)
{
	if (pit_loader_enter(l, NULL))
		return;
	pthread_mutex_lock(&l->lock);
	l->canceled = true;
	pthread_cond_broadcast(&l->ready);
	pthread_mutex_unlock(&l->lock);
	pit_store_ring(l->store);
}

static void stop(struct pit_loader *l)
{
	if (!l->started)
		return;
	pthread_mutex_lock(&l->lock);
	l->quit = true;
	pthread_mutex_unlock(&l->lock);
	pit_store_ring(l->store);
	pthread_join(l->thread, NULL);
}

/* In a fork of its process nothing of it is ours: neither the ring nor what others may have locked. */
void pit_loader_close(struct pit_loader *l)
{
	int saved = errno;

	if (!l || l->pid != getpid())
		return;
	stop(l);
	pit_loader_flush(l, UINT64_MAX);
	if (l->store)
		pit_store_retire(l->store);
	pit_io_close(l->reader.io);
	pit_stages_close(l->reader.stages);
	pit_modes_close(&l->reader.modes);
	pit_sample_cache_close(l->cache);
	pit_store_unref(l->store);
	pit_source_close(l->source);
	for (unsigned i = 0; i < l->failed; i++)
		free(l->failures[i]);
	pthread_cond_destroy(&l->ready);
	pthread_mutex_destroy(&l->lock);
	free(l);
	errno = saved;
}

/* Also in a fork: what is under the lock is not needed. */
uint64_t pit_loader_batches(const struct pit_loader *l)
{
	struct pit_order order = {.count = pit_source_count(l->source)};
	struct pit_leg leg;

	pit_leg_init(l, &order, 0, &leg);
	return leg.batches;
}
