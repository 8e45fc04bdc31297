/* SPDX-License-Identifier: MIT
 *
 * Epochs through the loader, with a clock: for `pitcrew feed bench`.
 */
#ifndef PIT_CLI_FEED_TIME_H
#define PIT_CLI_FEED_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_feed_time { /* of one epoch; times in nanoseconds */
	uint64_t epoch, samples, batches, bytes, read_bytes;
	uint64_t cache_requests, cache_hits, cache_hit_bytes;
	int64_t whole;          /* from asking for the first batch until the last is released */
	int64_t first;          /* from opening the loader, or the epoch, to the first batch */
	int64_t wait;           /* in pit_loader_next() */
	int64_t gap_50, gap_99; /* of the waits for one batch, the first left out */
	int64_t step;           /* computing, or what stands for it; the first step left out */
	int64_t steps;          /* from the first batch on: what `step` is a share of */
	int64_t cpu;            /* of all threads of this process */
	int64_t stayed;         /* bytes that stayed in the page cache; -1: it was not emptied */
};

/* Takes an epoch of `l`, with `step_ns` of sleep for each batch in the place of a computation on a GPU. `begun`: when
 * it was opened, and the CPU time then. Samples that fail by PIT_ERROR_FAIL end it. */
int pit_feed_time(struct pit_loader *l, int64_t step_ns, int64_t begun, int64_t cpu_begun, struct pit_feed_time *ret,
		  struct pit_error *err);

int64_t pit_feed_cpu(void); /* of this process so far */

/* Takes the files of a source out of the page cache, as far as nobody else holds them there; bytes that stayed. */
int64_t pit_feed_evict(const struct pit_source *s);

#endif
