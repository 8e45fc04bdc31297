/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "feed/cache_blocks.h"

int pit_blocks_open(struct pit_blocks *b, void *memory, uint64_t bytes)
{
	uint64_t block = PIT_BLOCK_LEAST;

	while (bytes / block >= UINT32_MAX)
		block *= 2;
	*b = (struct pit_blocks){.memory = memory, .block = block, .count = (uint32_t)(bytes / block), .fresh = 1};
	/* Pages of it are touched as blocks are. */
	b->next = calloc((size_t)b->count + 1, sizeof(*b->next));
	return b->next ? 0 : -ENOMEM;
}

void pit_blocks_close(struct pit_blocks *b)
{
	free(b->next);
	*b = (struct pit_blocks){0};
}

uint64_t pit_blocks_cost(const struct pit_blocks *b, uint64_t len)
{
	return len > UINT64_MAX - b->block ? UINT64_MAX : (len + b->block - 1) / b->block * b->block;
}

/* Neighbours that were never used come first: they make long copies. */
static uint32_t one(struct pit_blocks *b)
{
	uint32_t n = b->unused;

	if (b->fresh <= b->count)
		return b->fresh++;
	b->unused = b->next[n];
	b->returned--;
	return n;
}

int pit_blocks_get(struct pit_blocks *b, uint64_t len, uint32_t *ret)
{
	uint64_t wanted = pit_blocks_cost(b, len) / b->block;
	uint32_t first = 0, last = 0;

	if (wanted > (uint64_t)b->returned + (b->count + 1 - b->fresh))
		return -ENOMEM;
	for (; wanted; wanted--) {
		uint32_t n = one(b);

		b->next[n] = 0;
		if (last)
			b->next[last] = n;
		else
			first = n;
		last = n;
	}
	*ret = first;
	return 0;
}

void pit_blocks_put(struct pit_blocks *b, uint32_t chain)
{
	uint32_t last = chain;

	if (!chain)
		return;
	for (b->returned++; b->next[last]; last = b->next[last])
		b->returned++;
	b->next[last] = b->unused;
	b->unused = chain;
}

/* The run of neighbours that `*chain` begins with, at most `len` bytes; `*chain` is then what follows. */
static char *run(const struct pit_blocks *b, uint32_t *chain, uint64_t len, uint64_t *ret_len)
{
	uint32_t first = *chain, last = first;
	uint64_t n = b->block;

	for (; n < len && b->next[last] == last + 1; last++)
		n += b->block;
	*chain = b->next[last];
	*ret_len = n < len ? n : len;
	return b->memory + (uint64_t)(first - 1) * b->block;
}

void pit_blocks_write(struct pit_blocks *b, uint32_t chain, const void *data, uint64_t len)
{
	for (uint64_t done = 0, n; done < len; done += n) {
		char *to = run(b, &chain, len - done, &n);

		memcpy(to, (const char *)data + done, n);
	}
}

void pit_blocks_read(const struct pit_blocks *b, uint32_t chain, void *data, uint64_t len)
{
	for (uint64_t done = 0, n; done < len; done += n) {
		const char *from = run(b, &chain, len - done, &n);

		memcpy((char *)data + done, from, n);
	}
}
