/* SPDX-License-Identifier: MIT */
#include "feed/order.h"

#define ROUNDS 8
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15) /* 2^64 divided by the golden ratio */

enum stream { STREAM_SAMPLES, STREAM_RUNS, STREAM_SHORT_RUN, STREAM_WINDOWS };

/* The finalizer of splitmix64 (Steele, Lea, Flood 2014; constants by Stafford): a bijection of 64 bits. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Half the bits of the smallest domain of 2^(2k) values that holds n; at least 1. */
static unsigned half_bits(uint64_t n)
{
	unsigned bits = n > 1 ? 64 - (unsigned)__builtin_clzll(n - 1) : 1;

	return (bits + 1) / 2;
}

uint64_t pit_permute(uint64_t n, uint64_t key, uint64_t i)
{
	unsigned half = half_bits(n);
	uint64_t mask = (UINT64_C(1) << half) - 1;

	do { /* a walk along the cycle comes back below n, after 4 steps on average at most */
		uint64_t left = i >> half, right = i & mask;

		for (uint64_t round = 1; round <= ROUNDS; round++) {
			uint64_t next = left ^ (mix(right * GOLDEN ^ (key + round * GOLDEN)) & mask);

			left = right;
			right = next;
		}
		i = left << half | right;
	} while (i >= n);
	return i;
}

uint64_t pit_permute_key(uint64_t seed, uint64_t epoch, uint64_t stream)
{
	uint64_t key = mix(seed + GOLDEN);

	key = mix((key ^ epoch) + GOLDEN);
	return mix((key ^ stream) + GOLDEN);
}

/* Runs in the order in which they are read: the full ones permuted, and the short one at the end of the source (when
 * there is one) at a place of its own. */
struct runs {
	uint64_t block, full; /* samples of a full run, and how many such runs */
	uint64_t tail, place; /* samples of the short run; runs before it */
};

static struct runs runs_of(const struct pit_order *o)
{
	struct runs r = {.block = o->block, .full = o->count / o->block, .tail = o->count % o->block};

	r.place = r.full;
	if (r.tail)
		r.place = pit_permute(r.full + 1, pit_permute_key(o->seed, o->epoch, STREAM_SHORT_RUN), 0);
	return r;
}

static uint64_t slot_at(const struct runs *r, uint64_t position)
{
	uint64_t before = r->place * r->block;

	if (position < before || !r->tail)
		return position / r->block;
	return position < before + r->tail ? r->place : (position - r->tail) / r->block + 1;
}

static uint64_t slot_first(const struct runs *r, uint64_t slot)
{
	return r->tail && slot > r->place ? (slot - 1) * r->block + r->tail : slot * r->block;
}

static uint64_t window_around(const struct pit_order *o, const struct runs *r, uint64_t position, uint64_t *ret_first,
			      uint64_t *ret_end)
{
	uint64_t slots = r->full + (r->tail != 0), window = slot_at(r, position) / o->window;
	uint64_t from = window * o->window, left = slots - from;

	*ret_first = slot_first(r, from);
	*ret_end = left > o->window ? slot_first(r, from + o->window) : o->count;
	return window;
}

void pit_order_window(const struct pit_order *o, uint64_t position, uint64_t *ret_first, uint64_t *ret_end)
{
	struct runs r = runs_of(o);

	window_around(o, &r, position, ret_first, ret_end);
}

static uint64_t block_sample(const struct pit_order *o, uint64_t position)
{
	struct runs r = runs_of(o);
	uint64_t first, end, window = window_around(o, &r, position, &first, &end);
	uint64_t at = first + pit_permute(end - first, pit_permute_key(o->seed, o->epoch, STREAM_WINDOWS + window),
					  position - first);
	uint64_t slot = slot_at(&r, at), run = r.full;

	if (!r.tail || slot != r.place)
		run = pit_permute(r.full, pit_permute_key(o->seed, o->epoch, STREAM_RUNS),
				  slot - (r.tail && slot > r.place));
	return run * r.block + (at - slot_first(&r, slot));
}

uint64_t pit_order_sample(const struct pit_order *o, uint64_t position)
{
	switch (o->shuffle) {
	case PIT_SHUFFLE_FULL:
		return pit_permute(o->count, pit_permute_key(o->seed, o->epoch, STREAM_SAMPLES), position);
	case PIT_SHUFFLE_BLOCKS:
		return block_sample(o, position);
	case PIT_SHUFFLE_NONE:
		break;
	}
	return position;
}
