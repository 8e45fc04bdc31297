/* SPDX-License-Identifier: MIT
 *
 * How many requests at once: found by measuring, as disks differ by a hundred times. Pure: knows only what it is told.
 * A trial goes to and fro between the depth that is best so far and twice or half of it, as disks are noisy; what wins
 * stays, and is tried again from time to time.
 */
#ifndef PIT_FEED_LOADER_DEPTH_H
#define PIT_FEED_LOADER_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

struct pit_depth {
	unsigned now, least, most;
	unsigned home;        /* the best so far */
	bool up;              /* the next trial is of twice as many */
	unsigned rest;        /* intervals until the next trial; 0: one is under way */
	unsigned turn;        /* intervals of the trial so far */
	uint64_t bytes, ns;   /* of the interval under way */
	uint64_t skip;        /* nanoseconds that do not count, as requests of the depth before are still under way */
	double sum[2], in[2]; /* bytes and nanoseconds of the trial: at home, and at its neighbour */
};

void pit_depth_init(struct pit_depth *d, unsigned start, unsigned least, unsigned most);

/* `bytes` came in `ns` nanoseconds during which there was always more to do than `now` requests. Gives `now`, perhaps
 * changed. */
unsigned pit_depth_note(struct pit_depth *d, uint64_t bytes, uint64_t ns);

#endif
