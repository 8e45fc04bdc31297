/* SPDX-License-Identifier: MIT
 *
 * The cache of samples (feed/cache.h) in memory: one mapping. Without evictions samples lie one behind the other, else
 * in chained blocks. Copies are made outside of the lock. Thread-safe.
 */
#ifndef PIT_FEED_CACHE_MEMORY_H
#define PIT_FEED_CACHE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_cache_memory;

int pit_cache_memory_open(enum pit_policy policy, uint64_t bytes, struct pit_cache_memory **ret, struct pit_error *err);
void pit_cache_memory_close(struct pit_cache_memory *m, bool forked); /* forked: the mapping is not there */
int pit_cache_memory_get(struct pit_cache_memory *m, uint64_t key, void *data, uint64_t len);
void pit_cache_memory_put(struct pit_cache_memory *m, uint64_t key, const void *data, uint64_t len);
uint64_t pit_cache_memory_used(struct pit_cache_memory *m);

#endif
