/* SPDX-License-Identifier: MIT
 *
 * Samples kept in memory or in files of a local directory. Thread-safe.
 *
 * Directory: DIR/FINGERPRINT/XX/KEY, each file the sample and 16 bytes behind it (length, XXH3); written as a temporary
 * file and renamed; used again by later runs and shared by several processes. A damaged file counts as a miss and is
 * removed.
 */
#ifndef PIT_FEED_CACHE_H
#define PIT_FEED_CACHE_H

#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_sample_cache;

/* `dir` NULL: in memory of its own (huge pages when transparent). */
int pit_sample_cache_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
			  struct pit_sample_cache **ret, struct pit_error *err);
void pit_sample_cache_close(struct pit_sample_cache *c); /* NULL is fine; waits for files being written */

/* Copies sample `key` of exactly `len` bytes to `data`: 1; 0 for a miss. Never an error: what cannot be read is a miss.
 */
int pit_sample_cache_get(struct pit_sample_cache *c, uint64_t key, void *data, uint64_t len);

/* Offers a sample that was read; copied when it is admitted. */
void pit_sample_cache_put(struct pit_sample_cache *c, uint64_t key, const void *data, uint64_t len);

struct pit_sample_cache_stats {
	uint64_t requests, hits, hit_bytes, used, files_bad;
};
void pit_sample_cache_stats(const struct pit_sample_cache *c, struct pit_sample_cache_stats *ret);

#endif
