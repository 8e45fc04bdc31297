/* SPDX-License-Identifier: MIT
 *
 * The memory that weights are loaded into: private and of huge pages where possible; pages become present as they are
 * read into, because touching all of them before would take as long as a fast disk takes to read.
 */
#ifndef PIT_FEED_WEIGHTS_ARENA_H
#define PIT_FEED_WEIGHTS_ARENA_H

#include "feed/pool_pages.h"
#include "pitcrew/weights.h"

struct pit_arena {
	struct pit_pages_map map;
	void **data; /* of each tensor of the weights; NULL: not loaded */
	size_t count;
	struct pit_ladder ladder;
};

int pit_arena_map(struct pit_arena *a, uint64_t bytes, const struct pit_io_want *want, struct pit_error *err);
int pit_arena_lock(struct pit_arena *a, enum pit_lock want, struct pit_error *err); /* once it is filled */

#endif
