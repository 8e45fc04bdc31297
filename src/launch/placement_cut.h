/* SPDX-License-Identifier: MIT
 *
 * A row of things (cores, threads, L3 caches, nodes) cut into runs, one for each share, so that neighbours stay
 * together and the shares are as even as cuts between the things allow. Pure.
 */
#ifndef PIT_LAUNCH_PLACEMENT_CUT_H
#define PIT_LAUNCH_PLACEMENT_CUT_H

#include <stdbool.h>
#include <stddef.h>

struct pit_cut_item {
	unsigned weight; /* 1 or more */
	bool edge;       /* a cut in front of it is welcome: something bigger (a core, an L3 cache) begins here */
	bool busy;       /* worth a little less than others of its weight: goes into a share that has more */
};

struct pit_cut_share {
	unsigned has;        /* weight that it has from elsewhere */
	bool must;           /* one item at least */
	size_t first, count; /* the answer: its items */
};

/* Each item goes to one share, in order. The totals (`has` and the items' weights) of all shares are at least a lowest
 * one, and those of the shares that get an item exceed it by `limit` at most; of all such cuts one with the smallest
 * difference, then with cuts at edges, then with what is over for the first shares. Without `has` the difference is
 * never more than the largest weight (Barany and Grinberg, Block partitions of sequences, 2015).
 * -ERANGE: no cut keeps within `limit`, or there are fewer items than shares that must have one. */
int pit_cut(const struct pit_cut_item *item, size_t items, struct pit_cut_share *share, size_t shares, unsigned limit);

#endif
