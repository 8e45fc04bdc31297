/* SPDX-License-Identifier: MIT
 *
 * Memory in blocks of one size that are chained to hold pieces of any length, so that nothing is ever too scattered to
 * be used. A chain costs 4 bytes a block. One thread; reading and writing chains that are allocated: any.
 */
#ifndef PIT_FEED_CACHE_BLOCKS_H
#define PIT_FEED_CACHE_BLOCKS_H

#include <stdint.h>

#define PIT_BLOCK_LEAST 256

struct pit_blocks {
	char *memory;      /* the caller's */
	uint64_t block;    /* bytes: PIT_BLOCK_LEAST, or more when there would be 2^32 of them */
	uint32_t *next;    /* of each block in its chain; blocks are numbered from 1, 0 is none */
	uint32_t count;    /* of all blocks */
	uint32_t fresh;    /* blocks below were used before */
	uint32_t unused;   /* chain of those that came back */
	uint32_t returned; /* their number */
};

int pit_blocks_open(struct pit_blocks *b, void *memory, uint64_t bytes); /* -ENOMEM */
void pit_blocks_close(struct pit_blocks *b);

uint64_t pit_blocks_cost(const struct pit_blocks *b, uint64_t len); /* bytes of whole blocks; UINT64_MAX: too many */

/* A chain for `len` bytes (0 when len is 0); -ENOMEM when there are too few blocks. */
int pit_blocks_get(struct pit_blocks *b, uint64_t len, uint32_t *ret);
void pit_blocks_put(struct pit_blocks *b, uint32_t chain);

void pit_blocks_write(struct pit_blocks *b, uint32_t chain, const void *data, uint64_t len);
void pit_blocks_read(const struct pit_blocks *b, uint32_t chain, void *data, uint64_t len);

#endif
