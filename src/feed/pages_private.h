/* SPDX-License-Identifier: MIT
 *
 * A mapping of this process alone, of huge pages where possible, which a forked child has not. Pages become present as
 * they are used: touching all of them before would take as long as a fast disk takes.
 */
#ifndef PIT_FEED_PAGES_PRIVATE_H
#define PIT_FEED_PAGES_PRIVATE_H

#include <stdint.h>

#include "feed/pool_pages.h"

/* Ladders "pages" and "node". -ENOMEM says what limits it; `who` begins that sentence: "the weights take". Ended by
 * pit_pages_close(). */
int pit_pages_private(uint64_t bytes, const char *who, const struct pit_io_want *want, struct pit_ladder *l,
		      struct pit_pages_map *ret, struct pit_error *err);

#endif
