/* SPDX-License-Identifier: MIT
 *
 * XXH3 of the tensors of an image, by several threads at once, a tensor each.
 */
#ifndef PIT_FEED_SAVE_HASH_H
#define PIT_FEED_SAVE_HASH_H

#include <stdatomic.h>

#include "feed/save_image.h"
#include "feed/team.h"

struct pit_hasher {
	const struct pit_image *image;
	uint64_t *sums;           /* NULL: nothing is to be hashed */
	size_t borrowed;          /* tensors 0 to this one less have bytes that are not staged */
	atomic_size_t next;       /* tensor that nobody has taken */
	atomic_size_t left;       /* of the borrowed ones, that are not done */
	void (*all_read)(void *); /* called by the thread that is done with the last of those */
	void *arg;
	atomic_bool stop, failed; /* failed: out of memory */
};

void pit_hasher_init(struct pit_hasher *h, const struct pit_image *im, uint64_t *sums);

/* Hashes a tensor that nobody has taken; false when there is none. `hasher` is a struct pit_hasher, for
 * pit_team_open(). */
bool pit_hasher_step(struct pit_team *t, void *hasher);

#endif
