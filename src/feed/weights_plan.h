/* SPDX-License-Identifier: MIT
 *
 * Which reads bring the wanted tensors, and where each comes to lie in memory. Tensors that follow each other in a file
 * form lanes of about a gigabyte; a lane is read in few large requests and used in the order of the file, by one thread
 * at a time, while other lanes are read and used beside it.
 *
 * Each tensor shall begin at a multiple of 64, and O_DIRECT wants memory and offsets of the file aligned. Where memory
 * need be aligned to less than 64 (NVMe: 4) the lane is put where most of its bytes need not move. Other tensors move
 * to the left by less than 64 bytes as they come in, or, where the one before lies in the way, are copied to the end.
 */
#ifndef PIT_FEED_WEIGHTS_PLAN_H
#define PIT_FEED_WEIGHTS_PLAN_H

#include "feed/disk.h"
#include "feed/reads.h"
#include "feed/weights_file.h"

#define PIT_WEIGHTS_ALIGN 64
#define PIT_WEIGHTS_BLOCK (UINT64_C(8) << 20) /* of one request, at most */
#define PIT_WEIGHTS_LANE (UINT64_C(1) << 30)  /* of one lane, about */

struct pit_lane_piece {
	size_t tensor;
	uint64_t len, at; /* bytes; where they come in the lane */
	uint64_t to;      /* where they belong in the arena */
};

struct pit_lane {
	uint32_t file;
	bool moves;                    /* some `to` differs from base + at */
	uint64_t base;                 /* where the lane begins in the arena */
	uint64_t bytes;                /* of the reads, as far as the file goes */
	struct pit_lane_piece *pieces; /* none is empty */
	size_t count;
	struct pit_reads reads;
};

struct pit_weights_plan {
	struct pit_lane *lanes;
	size_t count;
	uint64_t arena;         /* bytes */
	uint64_t bytes;         /* of all reads */
	struct pit_disk *disks; /* of each file that is read */
};

/* `only` as in struct pit_weights_want. -EINVAL when a number is none. Looks at the files that are to be read, and says
 * on the ladder how. */
int pit_weights_plan(const struct pit_weights *w, const struct pit_weights_want *want, struct pit_ladder *l,
		     struct pit_weights_plan *ret, struct pit_error *err);
void pit_weights_plan_free(struct pit_weights_plan *p);

/* The wanted tensors, each once, in their order, as an array of `ret_count` which the caller frees. */
int pit_weights_wanted(const struct pit_weights *w, const struct pit_weights_want *want, size_t **ret,
		       size_t *ret_count, struct pit_error *err);

/* Pure. Gives each piece its place and returns where the next lane may begin; what must lie at the end is counted in
 * `side`, and its `to` is relative to that end. */
uint64_t pit_lane_place(struct pit_lane *lane, uint64_t begin, uint32_t mem_align, uint64_t *side);
#define PIT_LANE_SIDE (UINT64_C(1) << 63) /* in `to`: relative to the end */

#endif
