/* SPDX-License-Identifier: MIT */
#include "feed/pool.h"
#include "feed/weights_plan.h"

#define ALIGN ((uint64_t)PIT_WEIGHTS_ALIGN)

static uint64_t up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* By how much to shift the lane so that most of its bytes come to lie right. */
static uint64_t best_shift(const struct pit_lane *lane, uint32_t mem_align)
{
	uint64_t bytes[PIT_WEIGHTS_ALIGN] = {0}, best = 0;

	for (size_t i = 0; i < lane->count; i++)
		bytes[(ALIGN - lane->pieces[i].at % ALIGN) % ALIGN] += lane->pieces[i].len;
	for (uint64_t shift = 0; shift < ALIGN; shift += mem_align)
		if (bytes[shift] > bytes[best])
			best = shift;
	return best;
}

uint64_t pit_lane_place(struct pit_lane *lane, uint64_t begin, uint32_t mem_align, uint64_t *side)
{
	uint64_t start = up(begin, PIT_POOL_ALIGN > mem_align ? PIT_POOL_ALIGN : mem_align), taken = start;

	lane->base = start + best_shift(lane, mem_align);
	lane->moves = false;
	for (size_t i = 0; i < lane->count; i++) {
		struct pit_lane_piece *p = &lane->pieces[i];
		uint64_t comes = lane->base + p->at, left = comes & ~(ALIGN - 1);

		if (left >= taken) {
			p->to = left;
			taken = left + p->len;
		} else {
			p->to = PIT_LANE_SIDE | *side;
			*side += up(p->len, ALIGN);
		}
		lane->moves |= p->to != comes;
	}
	return lane->base + lane->reads.bytes;
}
