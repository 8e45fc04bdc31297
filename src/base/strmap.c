/* SPDX-License-Identifier: MIT */
#include "base/strmap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The slot of `key`, or the free slot where it would go. The table is never full. */
static struct pit_strmap_slot *find(const struct pit_strmap *m, const char *key)
{
	size_t i = (size_t)XXH3_64bits(key, strlen(key)) & (m->slots - 1);

	while (m->slot[i].key && strcmp(m->slot[i].key, key) != 0)
		i = (i + 1) & (m->slots - 1);
	return &m->slot[i];
}

void pit_strmap_free(struct pit_strmap *m, void (*drop)(void *value))
{
	for (size_t i = 0; i < m->slots; i++) {
		if (m->slot[i].key && drop)
			drop(m->slot[i].value);
		free(m->slot[i].key);
	}
	free(m->slot);
	*m = (struct pit_strmap){0};
}

void *pit_strmap_get(const struct pit_strmap *m, const char *key)
{
	return m->count ? find(m, key)->value : NULL;
}

static int grow(struct pit_strmap *m)
{
	struct pit_strmap bigger = {.slots = m->slots ? m->slots * 2 : 64, .count = m->count};

	bigger.slot = calloc(bigger.slots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (size_t i = 0; i < m->slots; i++)
		if (m->slot[i].key)
			*find(&bigger, m->slot[i].key) = m->slot[i];
	free(m->slot);
	*m = bigger;
	return 0;
}

int pit_strmap_put(struct pit_strmap *m, const char *key, void *value)
{
	struct pit_strmap_slot *s;

	if ((m->count + 1) * 4 > m->slots * 3 && grow(m))
		return -ENOMEM;
	s = find(m, key);
	if (!s->key) {
		s->key = strdup(key);
		if (!s->key)
			return -ENOMEM;
		m->count++;
	}
	s->value = value;
	return 0;
}
