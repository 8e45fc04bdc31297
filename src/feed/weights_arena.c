/* SPDX-License-Identifier: MIT */
#include "feed/weights_arena.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "feed/pages_private.h"

#define TOUCHED_BY_READS ((size_t)64 << 20) /* the first ones are sent before a thread runs */

int pit_arena_map(struct pit_arena *a, uint64_t bytes, const struct pit_io_want *want, struct pit_error *err)
{
	return pit_pages_private(bytes, "the weights take", want, &a->ladder, &a->map, err);
}

void pit_arena_touch(struct pit_arena *a)
{
	if (a->map.size > TOUCHED_BY_READS)
		a->map.behind = pit_pages_touch_behind(&a->map, TOUCHED_BY_READS);
}

int pit_arena_lock(struct pit_arena *a, enum pit_lock want, struct pit_error *err)
{
	pit_pages_touch_end(a->map.behind);
	a->map.behind = NULL;
	madvise(a->map.base, a->map.size, MADV_DOFORK);
	return pit_pages_lock(&a->map, want, &a->ladder, err);
}

void *pit_arena_data(const struct pit_arena *a, size_t i)
{
	return i < a->count ? a->data[i] : NULL;
}

uint64_t pit_arena_bytes(const struct pit_arena *a)
{
	return a->map.size;
}

const struct pit_ladder *pit_arena_ladder(const struct pit_arena *a)
{
	return &a->ladder;
}

void pit_arena_free(struct pit_arena *a)
{
	if (!a)
		return;
	pit_pages_close(&a->map);
	free(a->data);
	free(a);
}
