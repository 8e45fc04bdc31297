/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/order.h"

uint64_t pit_permute(uint64_t n, uint64_t key, uint64_t i)
{
	return 0;
}

uint64_t pit_permute_key(uint64_t seed, uint64_t epoch, uint64_t stream)
{
	return 0;
}

uint64_t pit_order_sample(const struct pit_order *o, uint64_t position)
{
	return 0;
}

uint64_t pit_deal_batches(const struct pit_deal *d)
{
	return 0;
}

bool pit_deal_batch(const struct pit_deal *d, uint64_t k, uint64_t *ret_first, uint32_t *ret_number)
{
	return 0;
}

uint64_t pit_deal_consumed(const struct pit_deal *d, uint64_t k)
{
	return 0;
}

int pit_position_text(const struct pit_position *p, char *text, size_t size)
{
	return -ENOSYS;
}

int pit_position_parse(const char *text, struct pit_position *ret, struct pit_error *err)
{
	return -ENOSYS;
}
