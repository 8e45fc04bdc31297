/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "feed/source_body.h"
#include "feed/source_sizes.h"

struct size {
	uint64_t bytes, times;
};

static uint64_t size_of(const struct pit_source *s, uint64_t sample)
{
	unsigned parts = pit_source_parts(s, sample);
	uint64_t sum = 0;

	for (unsigned p = 0; p < parts; p++) {
		struct pit_extent x;

		pit_source_extent(s, sample, p, &x);
		sum += x.len;
	}
	return sum;
}

static int by_size(const void *a, const void *b)
{
	const struct size *x = a, *y = b;

	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* Sizes and how many samples have them; of rows, shard by shard. */
static uint64_t collect(const struct pit_source *s, struct size *sizes)
{
	uint64_t n = 0;

	if (s->form != PIT_FORM_ROWS) {
		for (; n < s->count; n++)
			sizes[n] = (struct size){.bytes = size_of(s, n), .times = 1};
		return n;
	}
	for (size_t i = 0; i < s->shard_count; i++) {
		uint64_t end = i + 1 < s->shard_count ? s->shards[i + 1].first : s->count;

		if (end > s->shards[i].first)
			sizes[n++] = (struct size){.bytes = size_of(s, s->shards[i].first),
						   .times = end - s->shards[i].first};
	}
	return n;
}

int pit_source_sizes(const struct pit_source *s, struct pit_source_sizes *ret)
{
	uint64_t most = s->form == PIT_FORM_ROWS ? s->shard_count : s->count, n, left = (s->count + 1) / 2, i = 0;
	struct size *sizes = reallocarray(NULL, most, sizeof(*sizes));

	if (!sizes)
		return -ENOMEM;
	n = collect(s, sizes);
	qsort(sizes, n, sizeof(*sizes), by_size);
	while (sizes[i].times < left)
		left -= sizes[i++].times;
	*ret = (struct pit_source_sizes){
		.smallest = sizes[0].bytes, .median = sizes[i].bytes, .largest = sizes[n - 1].bytes};
	free(sizes);
	return 0;
}
