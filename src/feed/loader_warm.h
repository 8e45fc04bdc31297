/* SPDX-License-Identifier: MIT
 *
 * How many of the samples that come next are in the page cache: found by a look at some of them, without reading.
 */
#ifndef PIT_FEED_LOADER_WARM_H
#define PIT_FEED_LOADER_WARM_H

#include "feed/order.h"
#include "feed/source.h"

struct pit_warm {
	unsigned looked, cached; /* samples; what has no bytes or cannot be opened does not count */
};

/* Looks at samples of the leg, spread out over it, and stops as soon as too few are in the page cache. The byte that
 * is asked for may be read from disk behind it, and no more than its page. True when at least nine tenths are in it. */
bool pit_warm_look(const struct pit_source *s, const struct pit_order *o, const struct pit_deal *d,
		   struct pit_warm *ret);

#endif
