/* SPDX-License-Identifier: MIT
 *
 * The cache of samples (feed/cache.h) in files of a directory. Reading is done by the callers, at once; a thread of its
 * own counts what is there, writes and removes. Thread-safe.
 */
#ifndef PIT_FEED_CACHE_DIR_H
#define PIT_FEED_CACHE_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/cache.h"

#define PIT_CACHE_QUEUE (64 << 20) /* bytes that may wait to be written */

struct pit_cache_dir;

int pit_cache_dir_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
		       struct pit_cache_dir **ret, struct pit_error *err);
void pit_cache_dir_close(struct pit_cache_dir *d, bool forked); /* forked: the thread is not there */
void pit_cache_dir_expect(struct pit_cache_dir *d, uint64_t key, uint64_t len);
int pit_cache_dir_get(struct pit_cache_dir *d, uint64_t key, void *data, uint64_t len);
void pit_cache_dir_put(struct pit_cache_dir *d, uint64_t key, const void *data, uint64_t len);
void pit_cache_dir_flush(struct pit_cache_dir *d);
void pit_cache_dir_stats(struct pit_cache_dir *d, struct pit_sample_cache_stats *ret); /* all but the requests */

#endif
