/* SPDX-License-Identifier: MIT */
#include "feed/torch_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)256 << 10)

struct chunk {
	struct chunk *next;
	char bytes[] __attribute__((aligned(16)));
};

struct pit_value_memory {
	struct chunk *chunks;
	char *free;
	size_t left;
	uint64_t most;
};

struct pit_value_memory *pit_value_memory(uint64_t most)
{
	struct pit_value_memory *m = calloc(1, sizeof(*m));

	if (m)
		m->most = most;
	return m;
}

void pit_value_memory_free(struct pit_value_memory *m)
{
	struct chunk *next;

	if (!m)
		return;
	for (struct chunk *c = m->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(m);
}

static int add_chunk(struct pit_value_memory *m, size_t bytes)
{
	size_t size = bytes > CHUNK / 4 ? bytes : CHUNK;
	struct chunk *c;

	if (size > m->most)
		return -ENOMEM;
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		return -ENOMEM;
	m->most -= size;
	c->next = m->chunks;
	m->chunks = c;
	m->free = c->bytes;
	m->left = size;
	return 0;
}

void *pit_value_alloc(struct pit_value_memory *m, size_t bytes)
{
	void *p;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + 15) & ~(size_t)15;
	if (bytes > m->left && add_chunk(m, bytes))
		return NULL;
	p = m->free;
	m->free += bytes;
	m->left -= bytes;
	return p;
}

struct pit_value *pit_value_new(struct pit_value_memory *m, enum pit_value_kind kind)
{
	struct pit_value *v = pit_value_alloc(m, sizeof(*v));

	if (v)
		v->kind = kind;
	return v;
}

struct pit_value *pit_value_text(struct pit_value_memory *m, enum pit_value_kind kind, const void *at, size_t len)
{
	struct pit_value *v = pit_value_new(m, kind);
	char *copy = v ? pit_value_alloc(m, len + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, at, len);
	v->text.at = copy;
	v->text.len = len;
	return v;
}

int pit_value_add(struct pit_value_memory *m, struct pit_value *list, struct pit_value *const *items, size_t count)
{
	if (count > list->list.room - list->list.count) {
		size_t room =
			list->list.count + count > 2 * list->list.room ? list->list.count + count : 2 * list->list.room;
		struct pit_value **more = pit_value_alloc(m, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		if (list->list.count)
			memcpy(more, list->list.items, list->list.count * sizeof(*more));
		list->list.items = more;
		list->list.room = room;
	}
	if (count)
		memcpy(list->list.items + list->list.count, items, count * sizeof(*items));
	list->list.count += count;
	return 0;
}

bool pit_value_is(const struct pit_value *v, const char *word)
{
	return v->kind == PIT_VALUE_TEXT && v->text.len == strlen(word) && !memcmp(v->text.at, word, v->text.len);
}
