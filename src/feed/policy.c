/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "feed/policy.h"
#include "feed/policy_index.h"
#include "feed/policy_levels.h"

const char *const pit_policy_names[] = {"fill-once", "lru", "lfu", "clock", "s3-fifo", "fifo", NULL};

enum { MAIN, SMALL, GHOST, QUEUES };

#define S3_PROMOTE 2 /* hits in the small queue that lead to the main one */
#define S3_USES 3    /* hits that count at most */

struct pit_policy_cache {
	const struct policy *policy;
	struct pit_index index;
	struct pit_queue queues[QUEUES];
	struct pit_levels levels;
	uint64_t capacity, used;
	pit_evicted evicted;
	void *arg;
};

/* What a policy does with entries that are in (`used` and the index are the caller's affair). */
struct policy {
	void (*hit)(struct pit_policy_cache *c, uint32_t e);
	void (*insert)(struct pit_policy_cache *c, uint32_t e, bool known); /* known: it was in the ghost queue */
	void (*remove)(struct pit_policy_cache *c, uint32_t e);
	void (*evict)(struct pit_policy_cache *c); /* one step; may only move entries. NULL: never evicts */
};

static struct pit_entry *entry(struct pit_policy_cache *c, uint32_t e)
{
	return &c->index.entries[e];
}

static void push(struct pit_policy_cache *c, uint32_t e, uint32_t place)
{
	entry(c, e)->place = place;
	pit_queue_push(&c->queues[place], c->index.entries, e);
}

static void take(struct pit_policy_cache *c, uint32_t e)
{
	pit_queue_remove(&c->queues[entry(c, e)->place], c->index.entries, e);
}

/* Tells the owner of an entry that is in no queue any more. */
static void gone(struct pit_policy_cache *c, uint32_t e)
{
	const struct pit_entry *old = entry(c, e);

	c->used -= old->bytes;
	if (c->evicted)
		c->evicted(c->arg, old->key, old->bytes, old->value);
}

static void evict(struct pit_policy_cache *c, uint32_t e)
{
	gone(c, e);
	pit_index_remove(&c->index, e);
}

/* ---- one queue ---- */

static void queue_insert(struct pit_policy_cache *c, uint32_t e, bool known)
{
	push(c, e, MAIN);
}

static void queue_hit(struct pit_policy_cache *c, uint32_t e)
{
}

static void lru_hit(struct pit_policy_cache *c, uint32_t e)
{
	take(c, e);
	push(c, e, MAIN);
}

static void queue_evict(struct pit_policy_cache *c)
{
	uint32_t e = c->queues[MAIN].oldest;

	take(c, e);
	evict(c, e);
}

static void clock_hit(struct pit_policy_cache *c, uint32_t e)
{
	entry(c, e)->uses = 1;
}

static void clock_evict(struct pit_policy_cache *c)
{
	uint32_t e = c->queues[MAIN].oldest;

	take(c, e);
	if (!entry(c, e)->uses)
		return evict(c, e);
	entry(c, e)->uses = 0;
	push(c, e, MAIN);
}

/* ---- LFU ---- */

static void lfu_hit(struct pit_policy_cache *c, uint32_t e)
{
	pit_levels_raise(&c->levels, c->index.entries, e);
}

static void lfu_insert(struct pit_policy_cache *c, uint32_t e, bool known)
{
	pit_levels_insert(&c->levels, c->index.entries, e);
}

static void lfu_remove(struct pit_policy_cache *c, uint32_t e)
{
	pit_levels_remove(&c->levels, c->index.entries, e);
}

static void lfu_evict(struct pit_policy_cache *c)
{
	uint32_t e = pit_levels_lowest(&c->levels);

	lfu_remove(c, e);
	evict(c, e);
}

/* ---- S3-FIFO ---- */

static uint64_t small_size(const struct pit_policy_cache *c)
{
	return c->capacity / 10;
}

static uint64_t ghost_size(const struct pit_policy_cache *c)
{
	return c->capacity / 10 * 9 + c->capacity % 10 * 9 / 10;
}

static void s3_hit(struct pit_policy_cache *c, uint32_t e)
{
	if (entry(c, e)->uses < S3_USES)
		entry(c, e)->uses++;
}

static void s3_insert(struct pit_policy_cache *c, uint32_t e, bool known)
{
	push(c, e, known ? MAIN : SMALL);
}

static void forget(struct pit_policy_cache *c, uint32_t e)
{
	take(c, e);
	pit_index_remove(&c->index, e);
}

static void s3_remember(struct pit_policy_cache *c, uint32_t e)
{
	uint64_t bytes = entry(c, e)->bytes;

	while (c->queues[GHOST].oldest && c->queues[GHOST].bytes + bytes > ghost_size(c))
		forget(c, c->queues[GHOST].oldest);
	push(c, e, GHOST);
}

/* Until one is out, or all have gone to the main queue. */
static void s3_evict_small(struct pit_policy_cache *c)
{
	for (uint32_t e = c->queues[SMALL].oldest; e; e = c->queues[SMALL].oldest) {
		bool promoted = entry(c, e)->uses >= S3_PROMOTE;

		take(c, e);
		entry(c, e)->uses = 0;
		if (promoted) {
			push(c, e, MAIN);
			continue;
		}
		gone(c, e);
		return s3_remember(c, e);
	}
}

static void s3_evict_main(struct pit_policy_cache *c)
{
	uint32_t e = c->queues[MAIN].oldest;

	take(c, e);
	if (!entry(c, e)->uses)
		return evict(c, e);
	entry(c, e)->uses--;
	push(c, e, MAIN);
}

static void s3_evict(struct pit_policy_cache *c)
{
	bool main_full = c->queues[MAIN].bytes > c->capacity - small_size(c);

	if (c->queues[MAIN].oldest && (main_full || !c->queues[SMALL].oldest))
		s3_evict_main(c);
	else
		s3_evict_small(c);
}

static const struct policy policies[PIT_POLICIES] = {
	[PIT_POLICY_FILL_ONCE] = {.hit = queue_hit, .insert = queue_insert, .remove = take},
	[PIT_POLICY_FIFO] = {.hit = queue_hit, .insert = queue_insert, .remove = take, .evict = queue_evict},
	[PIT_POLICY_LRU] = {.hit = lru_hit, .insert = queue_insert, .remove = take, .evict = queue_evict},
	[PIT_POLICY_CLOCK] = {.hit = clock_hit, .insert = queue_insert, .remove = take, .evict = clock_evict},
	[PIT_POLICY_LFU] = {.hit = lfu_hit, .insert = lfu_insert, .remove = lfu_remove, .evict = lfu_evict},
	[PIT_POLICY_S3FIFO] = {.hit = s3_hit, .insert = s3_insert, .remove = take, .evict = s3_evict},
};

int pit_policy_open(enum pit_policy policy, uint64_t bytes, pit_evicted evicted, void *arg,
		    struct pit_policy_cache **ret)
{
	struct pit_policy_cache *c;

	if ((unsigned)policy >= PIT_POLICIES)
		return -EINVAL;
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct pit_policy_cache){
		.policy = &policies[policy],
		.capacity = bytes,
		.evicted = evicted,
		.arg = arg,
	};
	*ret = c;
	return 0;
}

void pit_policy_close(struct pit_policy_cache *c)
{
	if (!c)
		return;
	pit_index_free(&c->index);
	pit_levels_free(&c->levels);
	free(c);
}

/* The entry of a key that is in, 0 otherwise. */
static uint32_t held(const struct pit_policy_cache *c, uint64_t key)
{
	uint32_t e = pit_index_find(&c->index, key);

	return e && c->index.entries[e].place != GHOST ? e : 0;
}

bool pit_policy_get(struct pit_policy_cache *c, uint64_t key)
{
	uint32_t e = held(c, key);

	if (e)
		c->policy->hit(c, e);
	return e != 0;
}

bool pit_policy_has(const struct pit_policy_cache *c, uint64_t key)
{
	return held(c, key) != 0;
}

uint64_t *pit_policy_value(struct pit_policy_cache *c, uint64_t key)
{
	uint32_t e = held(c, key);

	return e ? &c->index.entries[e].value : NULL;
}

bool pit_policy_fits(const struct pit_policy_cache *c, uint64_t bytes)
{
	if (bytes > c->capacity || (c->policy == &policies[PIT_POLICY_S3FIFO] && bytes >= small_size(c)))
		return false;
	return c->policy->evict || c->used <= c->capacity - bytes;
}

/* Whatever may fail for lack of memory comes before the first victim. */
static int prepare(struct pit_policy_cache *c, uint64_t key, uint64_t bytes, uint32_t *ret)
{
	if (c->policy == &policies[PIT_POLICY_LFU] && pit_levels_reserve(&c->levels))
		return -ENOMEM;
	if (pit_index_add(&c->index, key, ret))
		return -ENOMEM;
	entry(c, *ret)->bytes = bytes;
	return 0;
}

bool pit_policy_put(struct pit_policy_cache *c, uint64_t key, uint64_t bytes)
{
	uint32_t e = pit_index_find(&c->index, key);
	bool known = e && entry(c, e)->place == GHOST;

	if (e && !known)
		return true;
	if (known)
		forget(c, e);
	if (!pit_policy_fits(c, bytes) || prepare(c, key, bytes, &e))
		return false;
	while (c->used > c->capacity - bytes)
		c->policy->evict(c);
	c->policy->insert(c, e, known);
	c->used += bytes;
	return true;
}

void pit_policy_drop(struct pit_policy_cache *c, uint64_t key)
{
	uint32_t e = held(c, key);

	if (!e)
		return;
	c->policy->remove(c, e);
	c->used -= entry(c, e)->bytes;
	pit_index_remove(&c->index, e);
}

bool pit_policy_evict(struct pit_policy_cache *c)
{
	uint64_t kept = c->used;

	if (!c->policy->evict || !c->used)
		return false;
	while (c->used == kept)
		c->policy->evict(c);
	return true;
}

uint64_t pit_policy_bytes(const struct pit_policy_cache *c)
{
	return c->used;
}
