/* SPDX-License-Identifier: MIT
 *
 * Reads the lanes of a plan, several beside each other, and uses what comes in while more is read: computes checksums,
 * and moves tensors to their place. The calling thread reads; others use.
 */
#ifndef PIT_FEED_WEIGHTS_STREAM_H
#define PIT_FEED_WEIGHTS_STREAM_H

#include "feed/weights_plan.h"

struct pit_stream {
	const struct pit_weights *w;
	const struct pit_weights_want *want;
	const struct pit_weights_plan *plan;
	struct pit_ladder *ladder;
	char *arena; /* NULL: nothing is kept, and memory for what is under way is all that is needed */
	bool verify;
	struct pit_verify_result *result; /* counts what is damaged and goes on; NULL: the first one is an error */
};

int pit_stream_run(const struct pit_stream *s, struct pit_error *err);

#endif
