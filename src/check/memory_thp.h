/* SPDX-License-Identifier: MIT
 *
 * A line of /proc/buddyinfo. Private to check/.
 */
#ifndef PIT_CHECK_MEMORY_THP_H
#define PIT_CHECK_MEMORY_THP_H

#include <stdint.h>

#include "pitcrew/error.h"

#define PIT_ORDERS_MAX 24

struct pit_blocks {
	int node;
	char zone[16]; /* "Normal", "DMA32", "Movable", ... */
	unsigned orders;
	uint64_t blocks[PIT_ORDERS_MAX]; /* free blocks of 2^order pages */
};

/* -EBADMSG: not such a line. */
int pit_blocks_parse(const char *line, struct pit_blocks *ret, struct pit_error *err);

#endif
