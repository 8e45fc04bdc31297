/* SPDX-License-Identifier: MIT
 *
 * Cache policies: which keys stay. Bytes count; knows no contents. One thread. Each call takes the same time however
 * many keys are in (but for the moments when tables double).
 *
 * Rules, so that the numbers can be compared with other implementations: on a miss, evict until the object fits, then
 * insert; an object larger than the cache is not admitted. LFU: ties go to the one that has been at that frequency
 * longest. CLOCK: one bit, reinsertion at the head. S3-FIFO (SOSP 2023): small 10 %, main the rest, ghost 90 % in
 * bytes; promoted from small at two hits; main reinserts with min(frequency, 3) - 1; an object must be smaller than
 * small; a ghost entry goes when it is found by pit_policy_put(). Fill-once never evicts.
 */
#ifndef PIT_FEED_POLICY_H
#define PIT_FEED_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_policy_cache;

/* `value` is what the caller kept with the key. The cache must not be changed from there. */
typedef void (*pit_evicted)(void *arg, uint64_t key, uint64_t bytes, uint64_t value);

/* -EINVAL: no such policy. `evicted` may be NULL. */
int pit_policy_open(enum pit_policy policy, uint64_t bytes, pit_evicted evicted, void *arg,
		    struct pit_policy_cache **ret);
void pit_policy_close(struct pit_policy_cache *c); /* NULL is fine; nothing is called */

bool pit_policy_get(struct pit_policy_cache *c, uint64_t key); /* a hit, which is noted */

/* After a miss: makes room (calling `evicted`) and inserts; false when it is not admitted. A key that is in already:
 * true, and nothing changes. -ENOMEM counts as not admitted; nothing is evicted then. */
bool pit_policy_put(struct pit_policy_cache *c, uint64_t key, uint64_t bytes);
bool pit_policy_has(const struct pit_policy_cache *c, uint64_t key);    /* not noted */
bool pit_policy_fits(const struct pit_policy_cache *c, uint64_t bytes); /* a new key of that size would be admitted */
void pit_policy_drop(struct pit_policy_cache *c, uint64_t key); /* its contents were lost; `evicted` is not called */
bool pit_policy_evict(
	struct pit_policy_cache *c); /* the next victim goes; false: empty, or a policy that never evicts */
uint64_t pit_policy_bytes(const struct pit_policy_cache *c); /* in use */

/* 8 bytes that are kept with a key, 0 at first; valid until the next change. NULL when it is not in. */
uint64_t *pit_policy_value(struct pit_policy_cache *c, uint64_t key);

extern const char *const pit_policy_names[]; /* "fill-once", "lru", ...; NULL-terminated; by enum pit_policy */

#endif
