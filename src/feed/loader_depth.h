/* SPDX-License-Identifier: MIT
 *
 * How many requests at once: found by measuring, as disks differ by a hundred times. Pure: knows only what it is told.
 * Doubles as long as that brings 5 % more, then stays; tries the neighbours again from time to time.
 */
#ifndef PIT_FEED_LOADER_DEPTH_H
#define PIT_FEED_LOADER_DEPTH_H

#include <stdbool.h>
#include <stdint.h>

struct pit_depth {
	unsigned now, least, most;
	unsigned home;      /* the best so far */
	double home_rate;   /* bytes a nanosecond at `home`; 0: not measured */
	unsigned rest;      /* intervals until the next trial */
	bool up;            /* which way the next trial goes */
	uint64_t bytes, ns; /* of the interval under way */
};

void pit_depth_init(struct pit_depth *d, unsigned start, unsigned least, unsigned most);

/* `bytes` came in `ns` nanoseconds during which there was always more to do than `now` requests. Gives `now`, perhaps
 * changed. */
unsigned pit_depth_note(struct pit_depth *d, uint64_t bytes, uint64_t ns);

#endif
