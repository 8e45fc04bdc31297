/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "feed/batch.h"

uint32_t pit_batch_count(const struct pit_batch *b)
{
	return b->head->count;
}

uint64_t pit_batch_sample(const struct pit_batch *b, uint32_t i)
{
	const uint64_t *samples = pit_batch_at(b->head, b->head->samples);

	return i < b->head->count ? samples[i] : UINT64_MAX;
}

const char *pit_batch_name(const struct pit_batch *b, uint32_t i)
{
	const uint32_t *names = pit_batch_at(b->head, b->head->names);

	return i < b->head->count ? pit_batch_at(b->head, names[i]) : NULL;
}

unsigned pit_batch_parts(const struct pit_batch *b, uint32_t i)
{
	const struct pit_batch_run *runs = pit_batch_at(b->head, b->head->runs);

	return i < b->head->count ? runs[i].count : 0;
}

int pit_batch_part(const struct pit_batch *b, uint32_t i, unsigned part, struct pit_part *ret)
{
	const struct pit_batch_run *runs = pit_batch_at(b->head, b->head->runs);
	const struct pit_batch_entry *e = pit_batch_at(b->head, b->head->entries);

	if (part >= pit_batch_parts(b, i))
		return -ERANGE;
	e += runs[i].first + part;
	*ret = (struct pit_part){
		.key = pit_batch_at(b->head, e->key),
		.data = pit_batch_at(b->head, e->at),
		.len = e->len,
	};
	return 0;
}

size_t pit_batch_list(const struct pit_batch *b, size_t *firsts, struct pit_part *ret, size_t most)
{
	uint32_t count = pit_batch_count(b);
	size_t n = 0;

	for (uint32_t i = 0; i < count; i++) {
		unsigned parts = pit_batch_parts(b, i);

		if (firsts)
			firsts[i] = n;
		for (unsigned part = 0; part < parts; part++, n++)
			if (n < most)
				(void)pit_batch_part(b, i, part, ret + n);
	}
	if (firsts)
		firsts[count] = n;
	return n;
}

uint64_t pit_batch_position(const struct pit_batch *b)
{
	return b->head->position;
}

static const struct pit_batch_entry *only_part(const struct pit_batch_head *h, uint32_t i)
{
	const struct pit_batch_run *runs = pit_batch_at(h, h->runs);
	const struct pit_batch_entry *e = pit_batch_at(h, h->entries);

	return runs[i].count == 1 ? e + runs[i].first : NULL;
}

const void *pit_batch_array(const struct pit_batch *b, size_t *ret_len, size_t *ret_stride)
{
	const struct pit_batch_head *h = b->head;
	const struct pit_batch_entry *first = h->count ? only_part(h, 0) : NULL;
	uint64_t stride = first ? first->len : 0;

	for (uint32_t i = 1; first && i < h->count; i++) {
		const struct pit_batch_entry *e = only_part(h, i);

		if (!e || e->len != first->len || e->at < first->at)
			return NULL;
		if (i == 1)
			stride = e->at - first->at;
		if (stride < first->len || e->at - first->at != i * stride)
			return NULL;
	}
	if (!first)
		return NULL;
	*ret_len = first->len;
	*ret_stride = stride;
	return pit_batch_at(h, first->at);
}
