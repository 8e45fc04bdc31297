/* SPDX-License-Identifier: MIT
 *
 * The memory that weights are loaded into: private and of huge pages where possible; pages become present while the
 * disk reads, because touching all of them before would take as long as a fast disk takes to read: a thread does it, so
 * that what sends the reads need not wait for the kernel to clear pages, or for the host of a virtual machine to find
 * them.
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
void pit_arena_touch(struct pit_arena *a); /* begins to make its pages present, in a thread, while it is filled */
int pit_arena_lock(struct pit_arena *a, enum pit_lock want, struct pit_error *err); /* once it is filled */

#endif
