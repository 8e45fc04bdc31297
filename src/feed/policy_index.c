/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "feed/policy_index.h"

void pit_index_free(struct pit_index *x)
{
	free(x->entries);
	free(x->slots);
	*x = (struct pit_index){0};
}

static uint32_t tag_of(uint64_t key)
{
	key = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(key >> 32);
}

/* The slot of `key`, or the empty one where it belongs. */
static uint64_t slot_of(const struct pit_index *x, uint64_t key, uint32_t tag)
{
	uint64_t i = tag & x->mask;

	while (x->slots[i].entry && (x->slots[i].tag != tag || x->entries[x->slots[i].entry].key != key))
		i = (i + 1) & x->mask;
	return i;
}

uint32_t pit_index_find(const struct pit_index *x, uint64_t key)
{
	return x->slots ? x->slots[slot_of(x, key, tag_of(key))].entry : 0;
}

/* At most 5 of 8 slots are in use. */
static int grow_slots(struct pit_index *x)
{
	uint64_t size = x->slots ? (x->mask + 1) * 2 : 64, mask = size - 1;
	struct pit_slot *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (uint64_t i = 0; x->slots && i <= x->mask; i++) {
		uint64_t to = x->slots[i].tag & mask;

		if (!x->slots[i].entry)
			continue;
		while (slots[to].entry)
			to = (to + 1) & mask;
		slots[to] = x->slots[i];
	}
	free(x->slots);
	x->slots = slots;
	x->mask = mask;
	return 0;
}

static int grow_entries(struct pit_index *x)
{
	uint32_t room = x->room ? x->room * 2 : 64;
	struct pit_entry *entries;

	if (x->room >= PIT_ENTRIES_MAX)
		return -ENOMEM;
	entries = reallocarray(x->entries, room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	/* Entry 0 stands for none. */
	for (uint32_t i = room - 1; i >= (x->room ? x->room : 1); i--) {
		entries[i] = (struct pit_entry){.newer = x->unused};
		x->unused = i;
	}
	x->entries = entries;
	x->room = room;
	return 0;
}

int pit_index_add(struct pit_index *x, uint64_t key, uint32_t *ret)
{
	uint32_t tag = tag_of(key), e;

	if (!x->unused && grow_entries(x))
		return -ENOMEM;
	if ((!x->slots || (x->count + 1) * 8 > (x->mask + 1) * 5) && grow_slots(x))
		return -ENOMEM;
	e = x->unused;
	x->unused = x->entries[e].newer;
	x->entries[e] = (struct pit_entry){.key = key};
	x->slots[slot_of(x, key, tag)] = (struct pit_slot){.entry = e, .tag = tag};
	x->count++;
	*ret = e;
	return 0;
}

/* Those behind the gap that would not be found across it move up. */
void pit_index_remove(struct pit_index *x, uint32_t entry)
{
	uint64_t gap = slot_of(x, x->entries[entry].key, tag_of(x->entries[entry].key)), i = gap;

	for (;;) {
		i = (i + 1) & x->mask;
		if (!x->slots[i].entry)
			break;
		if (((i - x->slots[i].tag) & x->mask) >= ((i - gap) & x->mask)) {
			x->slots[gap] = x->slots[i];
			gap = i;
		}
	}
	x->slots[gap] = (struct pit_slot){0};
	x->entries[entry].newer = x->unused;
	x->unused = entry;
	x->count--;
}

void pit_queue_push(struct pit_queue *q, struct pit_entry *entries, uint32_t e)
{
	entries[e].older = q->newest;
	entries[e].newer = 0;
	if (q->newest)
		entries[q->newest].newer = e;
	else
		q->oldest = e;
	q->newest = e;
	q->bytes += entries[e].bytes;
}

void pit_queue_remove(struct pit_queue *q, struct pit_entry *entries, uint32_t e)
{
	uint32_t older = entries[e].older, newer = entries[e].newer;

	if (older)
		entries[older].newer = newer;
	else
		q->oldest = newer;
	if (newer)
		entries[newer].older = older;
	else
		q->newest = older;
	q->bytes -= entries[e].bytes;
}
