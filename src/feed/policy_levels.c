/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "feed/policy_levels.h"

void pit_levels_free(struct pit_levels *l)
{
	free(l->levels);
	*l = (struct pit_levels){0};
}

/* Numbers below FIRST would look like the queues of other policies. */
enum { FIRST = 4 };

int pit_levels_reserve(struct pit_levels *l)
{
	uint32_t room = l->room ? l->room * 2 : 64;
	struct pit_level *levels;

	if (l->unused)
		return 0;
	if (l->room >= PIT_ENTRIES_MAX)
		return -ENOMEM;
	levels = reallocarray(l->levels, room, sizeof(*levels));
	if (!levels)
		return -ENOMEM;
	if (!l->room)
		levels[0] = (struct pit_level){0};
	for (uint32_t i = room - 1; i >= (l->room ? l->room : FIRST); i--) {
		levels[i] = (struct pit_level){.above = l->unused};
		l->unused = i;
	}
	l->levels = levels;
	l->room = room;
	return 0;
}

/* The level of `uses` above level `below`: the neighbour, or a new one between them. */
static uint32_t level_above(struct pit_levels *l, uint32_t below, uint64_t uses)
{
	uint32_t next = l->levels[below].above, new = l->unused;

	if (next && l->levels[next].uses == uses)
		return next;
	l->unused = l->levels[new].above;
	l->levels[new] = (struct pit_level){.uses = uses, .below = below, .above = next};
	l->levels[below].above = new;
	if (next)
		l->levels[next].below = new;
	return new;
}

static void put(struct pit_levels *l, struct pit_entry *entries, uint32_t e, uint32_t level)
{
	entries[e].place = level;
	pit_queue_push(&l->levels[level].queue, entries, e);
}

void pit_levels_insert(struct pit_levels *l, struct pit_entry *entries, uint32_t e)
{
	put(l, entries, e, level_above(l, 0, 1));
}

void pit_levels_remove(struct pit_levels *l, struct pit_entry *entries, uint32_t e)
{
	uint32_t n = entries[e].place;
	struct pit_level *level = &l->levels[n];

	pit_queue_remove(&level->queue, entries, e);
	if (level->queue.oldest)
		return;
	l->levels[level->below].above = level->above;
	if (level->above)
		l->levels[level->above].below = level->below;
	*level = (struct pit_level){.above = l->unused};
	l->unused = n;
}

uint32_t pit_levels_lowest(const struct pit_levels *l)
{
	return l->levels[l->levels[0].above].queue.oldest;
}

void pit_levels_raise(struct pit_levels *l, struct pit_entry *entries, uint32_t e)
{
	uint32_t above;

	if (pit_levels_reserve(l))
		return;
	above = level_above(l, entries[e].place, l->levels[entries[e].place].uses + 1);
	pit_levels_remove(l, entries, e);
	put(l, entries, e, above);
}
