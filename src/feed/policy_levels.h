/* SPDX-License-Identifier: MIT
 *
 * Entries by how often they were used: a queue for each frequency that occurs, in a chain from the lowest up, so that
 * a use moves an entry to the neighbour. `place` of an entry is the number of its level.
 */
#ifndef PIT_FEED_POLICY_LEVELS_H
#define PIT_FEED_POLICY_LEVELS_H

#include "feed/policy_index.h"

struct pit_levels {
	struct pit_level {
		struct pit_queue queue;
		uint64_t uses;
		uint32_t below, above; /* 0: none */
	} * levels;                    /* number 0 is none; its `above` is the lowest */
	uint32_t room, unused;         /* allocated; chain by `above` */
};

void pit_levels_free(struct pit_levels *l);
int pit_levels_reserve(struct pit_levels *l); /* so that one insert cannot fail; -ENOMEM */
void pit_levels_insert(struct pit_levels *l, struct pit_entry *entries, uint32_t e); /* used once; after a reserve */
void pit_levels_remove(struct pit_levels *l, struct pit_entry *entries, uint32_t e);
uint32_t pit_levels_lowest(const struct pit_levels *l); /* the entry that is longest at the lowest frequency */

/* Used once more. Without memory for a level of its own it stays where it is. */
void pit_levels_raise(struct pit_levels *l, struct pit_entry *entries, uint32_t e);

#endif
