/* SPDX-License-Identifier: MIT */
#include "feed/order.h"

/* A step is what all ranks take with one batch each. */
static uint64_t step_of(const struct pit_deal *d)
{
	return (uint64_t)d->batch * d->world;
}

static uint64_t left_of(const struct pit_deal *d)
{
	return d->start < d->count ? d->count - d->start : 0;
}

/* Samples of this rank in the last, incomplete step; they follow those of the ranks before it. */
static uint32_t tail_number(const struct pit_deal *d, uint64_t *ret_before)
{
	uint64_t tail = left_of(d) % step_of(d), each = tail / d->world, more = tail % d->world;

	if (d->tail == PIT_TAIL_DROP)
		return 0;
	if (d->tail == PIT_TAIL_PAD) {
		*ret_before = (uint64_t)d->rank * d->batch;
		return tail ? d->batch : 0;
	}
	*ret_before = d->rank * each + (d->rank < more ? d->rank : more);
	return (uint32_t)(each + (d->rank < more));
}

uint64_t pit_deal_batches(const struct pit_deal *d)
{
	uint64_t before = 0;

	return left_of(d) / step_of(d) + (tail_number(d, &before) != 0);
}

bool pit_deal_batch(const struct pit_deal *d, uint64_t k, uint64_t *ret_first, uint32_t *ret_number)
{
	uint64_t full = left_of(d) / step_of(d), before = (uint64_t)d->rank * d->batch;
	uint32_t number = d->batch;

	if (k > full)
		return false;
	if (k == full)
		number = tail_number(d, &before);
	if (!number)
		return false;
	*ret_first = d->start + k * step_of(d) + before;
	*ret_number = number;
	return true;
}

uint64_t pit_deal_consumed(const struct pit_deal *d, uint64_t k)
{
	uint64_t full = left_of(d) / step_of(d);

	if (k <= full)
		return d->start < d->count ? d->start + k * step_of(d) : d->count;
	return d->tail == PIT_TAIL_DROP ? d->start + full * step_of(d) : d->count;
}
