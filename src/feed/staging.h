/* SPDX-License-Identifier: MIT
 *
 * Memory into which tensors are copied, so that their owner may change them while they are written.
 */
#ifndef PIT_FEED_STAGING_H
#define PIT_FEED_STAGING_H

#include "feed/pool_pages.h"
#include "feed/save_image.h"

struct pit_staging {
	struct pit_pages_map map; /* grows when it is too small, and is used again */
	uint64_t most;            /* bytes; 0: as many as are needed */
};
#define PIT_STAGING_INIT                                                                                               \
	{                                                                                                              \
		.map = {.fd = -1 }                                                                                     \
	}

/* Makes memory for `bytes`, or `most`; a thread makes its pages present meanwhile. */
int pit_staging_reserve(struct pit_staging *s, uint64_t bytes, const struct pit_io_want *want, struct pit_ladder *l,
			struct pit_error *err);

/* Copies the end of the image, as much of it as there is memory for, by several threads; nothing else may use the
 * staging as long as the image does. */
int pit_staging_copy(struct pit_staging *s, struct pit_image *im, const struct pit_io_want *want, struct pit_ladder *l,
		     struct pit_error *err);
void pit_staging_free(struct pit_staging *s);

#endif
