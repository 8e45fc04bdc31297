/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cleanup.h"
#include "feed/ladder.h"
#include "feed/loader.h"

static bool same_order(const struct pit_order *a, const struct pit_order *b)
{
	return a->count == b->count && a->seed == b->seed && a->epoch == b->epoch && a->shuffle == b->shuffle &&
	       a->block == b->block && a->window == b->window;
}

/* The callers go to `leg`; the reader follows. What was read ahead stays when it is just that. */
static void enter_leg(struct pit_loader *l, struct pit_leg *leg)
{
	leg->serial = l->leg.serial + (l->ahead.serial > l->leg.serial ? 2 : 1);
	if (l->ahead.serial > l->leg.serial && same_order(&l->ahead.order, &leg->order) &&
	    l->ahead.deal.start == leg->deal.start)
		leg->serial = l->ahead.serial;
	l->leg = *leg;
	l->taken = l->top = 0;
	pit_loader_flush(l, leg->serial);
}

int pit_loader_epoch(struct pit_loader *l, uint64_t epoch, struct pit_error *err)
{
	struct pit_leg leg;
	struct pit_order order;
	int rc = pit_loader_enter(l, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&l->lock);
	order = l->leg.order;
	l->follows = epoch == order.epoch + 1;
	order.epoch = epoch;
	pit_leg_init(l, &order, 0, &leg);
	enter_leg(l, &leg);
	pthread_mutex_unlock(&l->lock);
	pit_store_ring(l->store);
	return 0;
}

int pit_loader_state(const struct pit_loader *l, char *text, size_t size, struct pit_error *err)
{
	struct pit_loader *locked = (struct pit_loader *)l;
	struct pit_position p = {.fingerprint = pit_source_fingerprint(l->source)};
	bool gaps;
	int rc = pit_loader_enter(l, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&locked->lock);
	p.order = l->leg.order;
	p.consumed = pit_deal_consumed(&l->leg.deal, l->taken);
	gaps = l->taken != l->top;
	pthread_mutex_unlock(&locked->lock);
	if (gaps)
		return pit_fail(err, ENOTSUP, "batches came out of order: there is no position between them");
	return pit_position_text(&p, text, size);
}

int pit_loader_resume(struct pit_loader *l, const char *text, struct pit_error *err)
{
	struct pit_position p;
	struct pit_leg leg;
	int rc = pit_loader_enter(l, err);

	if (!rc)
		rc = pit_position_parse(text, &p, err);
	if (rc)
		return rc;
	if (p.fingerprint != pit_source_fingerprint(l->source) || p.order.count != pit_source_count(l->source))
		return pit_fail(
			err, ESTALE,
			"the position is of other samples: %llu of them with fingerprint %016llx, and here are %llu "
			"with %016llx",
			(unsigned long long)p.order.count, (unsigned long long)p.fingerprint,
			(unsigned long long)pit_source_count(l->source),
			(unsigned long long)pit_source_fingerprint(l->source));
	pthread_mutex_lock(&l->lock);
	pit_leg_init(l, &p.order, p.consumed, &leg);
	enter_leg(l, &leg);
	pthread_mutex_unlock(&l->lock);
	pit_store_ring(l->store);
	return 0;
}

static double cache_bound(const struct pit_loader *l)
{
	uint64_t bytes = pit_source_bytes(l->source);

	if (!l->cache)
		return 0;
	return l->cache_bytes < bytes ? (double)l->cache_bytes / bytes : 1;
}

void pit_loader_stats(const struct pit_loader *l, struct pit_loader_stats *ret)
{
	struct pit_loader *locked = (struct pit_loader *)l;
	struct pit_loader_stats s = {0};
	size_t size = ret->size < sizeof(s) ? ret->size : sizeof(s);

	if (!pit_loader_enter(l, NULL)) {
		pthread_mutex_lock(&locked->lock);
		s = l->stats;
		pthread_mutex_unlock(&locked->lock);
		s.cache_bound = cache_bound(l);
		pthread_mutex_lock(&l->store->lock);
		s.memory = pit_pool_size(l->store->pool) + l->stage_bytes;
		s.memory_most = s.memory + l->store->most;
		s.memory += l->store->extra;
		pthread_mutex_unlock(&l->store->lock);
	}
	s.size = ret->size;
	memcpy(ret, &s, size);
}

struct pit_ladder *pit_loader_next_ladder(struct pit_loader *l)
{
	const struct pit_ladder *now = atomic_load(&l->ladder);
	struct pit_ladder *next = l->ladders + (now - l->ladders) + 1;

	*next = *now;
	return next;
}

/* Under the lock: what is in the cache is still used, but the user is to know. */
static void note_cache(struct pit_loader *l)
{
	struct pit_sample_cache_stats c = {.stopped = 0};
	struct pit_ladder *next;

	if (l->cache && !l->cache_told)
		pit_sample_cache_stats(l->cache, &c);
	if (!c.stopped)
		return;
	next = pit_loader_next_ladder(l);
	pit_ladder_add(next, PIT_LADDER_SAMPLES, "directory", PIT_RUNG_REFUSED, "%s", c.why);
	atomic_store(&l->ladder, next);
	l->cache_told = true;
}

const struct pit_ladder *pit_loader_ladder(const struct pit_loader *l)
{
	struct pit_loader *locked = (struct pit_loader *)l;

	if (!pit_loader_enter(l, NULL)) {
		pthread_mutex_lock(&locked->lock);
		note_cache(locked);
		pthread_mutex_unlock(&locked->lock);
	}
	return atomic_load(&l->ladder);
}

const char *pit_loader_failed(const struct pit_loader *l, unsigned n)
{
	struct pit_loader *locked = (struct pit_loader *)l;
	const char *text = NULL;

	if (pit_loader_enter(l, NULL))
		return NULL;
	pthread_mutex_lock(&locked->lock);
	if (n < l->failed)
		text = l->failures[n];
	pthread_mutex_unlock(&locked->lock);
	return text;
}
