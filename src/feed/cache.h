/* SPDX-License-Identifier: MIT
 *
 * Samples kept in memory or in files of a local directory. Thread-safe.
 *
 * Directory: DIR/FINGERPRINT/XX/KEY, each file the sample and 16 bytes behind it (length, XXH3); written as a temporary
 * file by a thread of its own and renamed; used again by later runs and shared by several processes, whose `bytes` is
 * one limit for all of them together (files count in whole blocks of 4 KiB). A damaged file counts as a miss and is
 * removed, so is what a crashed writer left, when the first process opens the directory. When the directory cannot be
 * written (no space, an I/O error, read-only) what is there is used and nothing more admitted.
 *
 * After fork() the child's copy has no thread and no memory: each get is a miss there, and puts are ignored.
 */
#ifndef PIT_FEED_CACHE_H
#define PIT_FEED_CACHE_H

#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_sample_cache;

/* `dir` NULL: in memory of its own (huge pages when transparent), taken as it fills; -ENOMEM when the machine or the
 * control group has less than `bytes`. Else DIR is made when it is absent, not its parents. */
int pit_sample_cache_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
			  struct pit_sample_cache **ret, struct pit_error *err);
void pit_sample_cache_close(struct pit_sample_cache *c); /* NULL is fine; waits for files being written */

/* A get of this sample comes soon: a file begins to be read into the page cache, so that the files of a batch are read
 * side by side. May be left out. */
void pit_sample_cache_expect(struct pit_sample_cache *c, uint64_t key, uint64_t len);

/* Copies sample `key` of exactly `len` bytes to `data`: 1; 0 for a miss, when `data` may have been written to. Never an
 * error: what cannot be read is a miss. */
int pit_sample_cache_get(struct pit_sample_cache *c, uint64_t key, void *data, uint64_t len);

/* Offers a sample that was read; copied when it is admitted. Never waits for the disk: while too much waits to be
 * written, offers are passed over. */
void pit_sample_cache_put(struct pit_sample_cache *c, uint64_t key, const void *data, uint64_t len);

/* Waits until what was admitted is in its file, or given up. */
void pit_sample_cache_flush(struct pit_sample_cache *c);

struct pit_sample_cache_stats {
	uint64_t requests, hits, hit_bytes;
	uint64_t used;      /* bytes; of a directory, those of all processes */
	uint64_t files_bad; /* damaged */
	uint64_t passed;    /* offers passed over because too much waited to be written */
	int stopped;        /* errno because of which nothing more is admitted; 0 */
	char why[160];      /* and a sentence on it; "" */
};
void pit_sample_cache_stats(const struct pit_sample_cache *c, struct pit_sample_cache_stats *ret);

#endif
