/* SPDX-License-Identifier: MIT
 *
 * PIT_SHUFFLE_BLOCKS over small samples: a batch alone has few samples of each run, far apart. So the samples of a
 * whole window of runs, as far as they are this rank's, are read at once with long reads, and copied into batches from
 * there. What a stage could not get is read by the batch itself, which then says why it failed.
 */
#ifndef PIT_FEED_LOADER_STAGE_H
#define PIT_FEED_LOADER_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/io.h"
#include "feed/loader_mode.h"
#include "feed/order.h"
#include "feed/pool.h"
#include "feed/reads.h"

struct pit_stages;
struct pit_leg;

struct pit_stages_want {
	const struct pit_source *source;
	struct pit_io *io;
	struct pit_mode *mode;
	uint64_t gap, most; /* of reads */
	uint64_t bytes;     /* of memory, for two windows */
};

/* Memory that two windows take, this rank's part of them; 0 when stages would be of no use: samples are large, batches
 * of all ranks larger than a window, or another shuffle is wanted. */
uint64_t pit_stages_bytes(const struct pit_source *s, const struct pit_order *o, const struct pit_deal *d,
			  uint64_t gap);

int pit_stages_open(const struct pit_stages_want *want, const struct pit_io_want *memory, struct pit_stages **ret,
		    struct pit_error *err);

/* When the engine has nothing of it any more. NULL is fine. */
void pit_stages_close(struct pit_stages *s);

/* Goes on: drops what lies before `position` of the leg and what is of another one, begins with what follows. */
void pit_stages_step(struct pit_stages *s, const struct pit_leg *leg, uint64_t number);

/* Submits reads until the engine has `most` operations. False when there is more to submit. */
bool pit_stages_submit(struct pit_stages *s, unsigned most);

/* Whether this batch of the leg can be made now: what it can get from stages is there. */
bool pit_stages_ready(const struct pit_stages *s, const struct pit_leg *leg, uint64_t number);

/* Copies a part of the sample at this position of the order; false when it is not there. */
bool pit_stages_get(struct pit_stages *s, uint64_t serial, uint64_t position, unsigned part, void *to, uint64_t len);

/* Bytes and reads from disk since the last call. */
void pit_stages_count(struct pit_stages *s, uint64_t *ret_bytes, uint64_t *ret_reads);

#endif
