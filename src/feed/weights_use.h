/* SPDX-License-Identifier: MIT
 *
 * Uses the bytes of a lane in their order.
 */
#ifndef PIT_FEED_WEIGHTS_USE_H
#define PIT_FEED_WEIGHTS_USE_H

#include "feed/weights_stream.h"

struct pit_use {
	const struct pit_stream *stream;
	const struct pit_lane *lane;
	size_t piece; /* the next one, or the one that is begun */
	void *hash;
	void (*damaged)(void *arg, size_t tensor); /* called for each tensor that differs from its checksum */
	void *arg;
};

int pit_use_begin(struct pit_use *u); /* -ENOMEM */
void pit_use_chunk(struct pit_use *u, const struct pit_read *r, const char *data);
void pit_use_end(struct pit_use *u);

#endif
