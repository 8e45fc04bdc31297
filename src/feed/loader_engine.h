/* SPDX-License-Identifier: MIT
 *
 * Which engine reads, when the caller leaves it open. From the disk io_uring takes less processor time; what is in the
 * page cache it copies in one thread, and several threads copy faster. So the samples of each epoch are looked at, and
 * once they are there threads take over (docs/decisions/0012).
 */
#ifndef PIT_FEED_LOADER_ENGINE_H
#define PIT_FEED_LOADER_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/loader_warm.h"
#include "pitcrew/io.h"

struct pit_loader;
struct pit_reader;

struct pit_engines {     /* the reader's */
	bool open;       /* threads may still take over */
	bool changing;   /* they will, when nothing is under way */
	uint64_t serial; /* the leg that was looked at last */
	struct pit_warm warm;
	struct pit_io_want want;
};

/* Opens the engine that is best for the loader's leg. */
int pit_engines_open(struct pit_loader *l, const struct pit_io_want *want, struct pit_error *err);

/* To be asked in each turn. True: nothing may be submitted now, as the engine is about to change. */
bool pit_engines_hold(struct pit_reader *r);

#endif
