/* SPDX-License-Identifier: MIT
 *
 * Pure: turns wanted pieces of files into few large reads. Neighbours in a file are read at once when what lies between
 * them is at most `gap`; reads are widened to the alignment of O_DIRECT and cut at `most`.
 */
#ifndef PIT_FEED_READS_H
#define PIT_FEED_READS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"

struct pit_piece { /* wanted */
	uint32_t file;
	uint64_t offset, len;
	uint64_t at; /* out: where in the buffer its first byte comes to lie */
};

struct pit_read {
	uint32_t file;
	uint64_t offset; /* aligned */
	uint64_t len;    /* aligned, at most `most`; may go beyond the end of the file */
	uint64_t need;   /* of `len`: what pieces want, and what lies before that */
	uint64_t at;     /* where in the buffer it goes; aligned */
};

struct pit_reads_rule {
	uint32_t align; /* power of 2, at least 1 */
	uint32_t pad;   /* power of 2: what is not read together begins at a multiple of it; 0: of `align` */
	uint64_t gap;
	uint64_t most;   /* 0: not cut; less than `align` counts as `align` */
	bool apart;      /* each piece is read by itself */
	bool keep_order; /* pieces come to lie as they are given: only those that follow each other are read at once */
};

struct pit_reads {
	struct pit_read *reads; /* sorted by file and offset, unless the order is kept */
	size_t count;
	uint64_t bytes; /* size of the buffer that holds them all */
};

/* Sets `at` of each piece (of len 0, too) and gives the reads; the caller frees them with pit_reads_free(). Pieces may
 * overlap. -EOVERFLOW, -ENOMEM: `at` is then undefined. */
int pit_reads_plan(struct pit_piece *pieces, size_t count, const struct pit_reads_rule *rule, struct pit_reads *ret);
void pit_reads_free(struct pit_reads *r);

/* The first read that ends behind `at` of the buffer; `count` when there is none. */
size_t pit_reads_find(const struct pit_reads *r, uint64_t at);

#endif
