/* SPDX-License-Identifier: MIT
 *
 * Cache policies: which keys stay. Bytes count; knows no contents. One thread.
 *
 * Rules, so that the numbers can be compared with other implementations: on a miss, evict until the object fits, then
 * insert; an object larger than the cache is not admitted. LFU: ties go to the one that has been at that frequency
 * longest. CLOCK: one bit, reinsertion at the head. S3-FIFO (SOSP 2023): small 10 %, main the rest, ghost 90 % in
 * bytes; promoted from small at two hits; main reinserts with min(frequency, 3) - 1; an object must be smaller than
 * small; a ghost entry goes when it is found.
 */
#ifndef PIT_FEED_POLICY_H
#define PIT_FEED_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_policy_cache;

typedef void (*pit_evicted)(void *arg, uint64_t key, uint64_t bytes);

int pit_policy_open(enum pit_policy policy, uint64_t bytes, pit_evicted evicted, void *arg,
		    struct pit_policy_cache **ret);
void pit_policy_close(struct pit_policy_cache *c); /* NULL is fine; nothing is called */

bool pit_policy_get(struct pit_policy_cache *c, uint64_t key); /* a hit, which is noted */

/* After a miss: makes room (calling `evicted`) and inserts; false when it is not admitted. A key that is in already:
 * true. -ENOMEM counts as not admitted. */
bool pit_policy_put(struct pit_policy_cache *c, uint64_t key, uint64_t bytes);
bool pit_policy_has(const struct pit_policy_cache *c, uint64_t key); /* not noted */
void pit_policy_drop(struct pit_policy_cache *c, uint64_t key); /* its contents were lost; `evicted` is not called */
uint64_t pit_policy_bytes(const struct pit_policy_cache *c);    /* in use */

extern const char *const pit_policy_names[]; /* "fill-once", "lru", ...; NULL-terminated; by enum pit_policy */

#endif
