/* SPDX-License-Identifier: MIT
 *
 * The order of samples in an epoch: pure, the same on every machine, and any position can be asked for without
 * computing those before it. The permutation is a balanced Feistel network with cycle walking over a hash of (seed,
 * epoch, round); its results are part of the format of saved positions and never change (tests hold vectors).
 */
#ifndef PIT_FEED_ORDER_H
#define PIT_FEED_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

/* Where `i` of 0..n-1 goes in the permutation of n that `key` picks; n >= 1, i < n. */
uint64_t pit_permute(uint64_t n, uint64_t key, uint64_t i);
uint64_t pit_permute_key(uint64_t seed, uint64_t epoch, uint64_t stream);

struct pit_order {
	uint64_t count; /* samples of the source */
	uint64_t seed, epoch;
	enum pit_shuffle shuffle;
	uint64_t block, window; /* at least 1 for PIT_SHUFFLE_BLOCKS */
};

uint64_t pit_order_sample(const struct pit_order *o, uint64_t position); /* position < count */

/* PIT_SHUFFLE_BLOCKS: the positions from `first` up to `end` around this one hold the samples of whole runs. */
void pit_order_window(const struct pit_order *o, uint64_t position, uint64_t *ret_first, uint64_t *ret_end);

/* How an epoch's positions are dealt: batch k of all ranks covers the next world * batch positions from `start`; rank r
 * has the r-th run of `batch` of them. */
struct pit_deal {
	uint64_t count, start; /* samples of the epoch; the first position that is not consumed */
	uint32_t batch, rank, world;
	enum pit_tail tail;
};

uint64_t pit_deal_batches(const struct pit_deal *d); /* of this rank */

/* Positions of this rank's batch k: first and number (1 to batch). With PIT_TAIL_PAD positions at `count` and beyond
 * mean the epoch's beginning again: sample at (position % count). False beyond the last batch. */
bool pit_deal_batch(const struct pit_deal *d, uint64_t k, uint64_t *ret_first, uint32_t *ret_number);

/* The position that all ranks have consumed when each has taken k batches (at most count). */
uint64_t pit_deal_consumed(const struct pit_deal *d, uint64_t k);

/* A saved position (pit_loader_state). */
struct pit_position {
	struct pit_order order;
	uint64_t consumed;
	uint64_t fingerprint;
};
int pit_position_text(const struct pit_position *p, char *text, size_t size); /* the length, as snprintf */
int pit_position_parse(const char *text, struct pit_position *ret, struct pit_error *err);

#endif
