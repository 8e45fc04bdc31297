/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/strmap.h"
#include "launch/environment.h"

/* What stands for a name in the table once the block has it. */
static const char done;

struct block {
	struct pit_strv text;
	struct pit_strmap names; /* name -> its item of the plan, or `done` */
	bool failed;
};

static void add(struct block *b, const char *entry)
{
	b->failed |= pit_strv_add(&b->text, entry) != 0;
}

static void add_item(struct block *b, const struct pit_env_item *i)
{
	b->failed |= pit_strv_addf(&b->text, "%s=%s", i->name, i->value) != 0;
}

static void mark(struct block *b, const char *name)
{
	b->failed |= pit_strmap_put(&b->names, name, (void *)&done) != 0;
}

/* An entry of the old environment. One without "=" is no variable and stays as it is. */
static void take_entry(struct block *b, const char *entry)
{
	size_t len = strcspn(entry, "=");
	pit_auto_free char *name = strndup(entry, len);
	const struct pit_env_item *item;

	if (!name) {
		b->failed = true;
		return;
	}
	item = entry[len] && len ? pit_strmap_get(&b->names, name) : NULL;
	if (item == (const void *)&done)
		return;
	if (!item || item->kept)
		add(b, entry);
	else if (item->value)
		add_item(b, item);
	if (entry[len] && len)
		mark(b, name);
}

char **pit_env_block(char **variables, const struct pit_env *e)
{
	struct block b = {.failed = false};
	char **ret = NULL;

	for (size_t i = 0; i < e->items; i++)
		b.failed |= pit_strmap_put(&b.names, e->item[i].name, &e->item[i]) != 0;
	for (; variables && *variables && !b.failed; variables++)
		take_entry(&b, *variables);
	for (size_t i = 0; i < e->items && !b.failed; i++) {
		const struct pit_env_item *item = &e->item[i];

		if (!item->kept && item->value && pit_strmap_get(&b.names, item->name) != &done)
			add_item(&b, item);
	}
	if (!b.failed)
		ret = calloc(b.text.count + 1, sizeof(*ret));
	if (ret && b.text.count) {
		memcpy(ret, b.text.item, b.text.count * sizeof(*ret));
		b.text.count = 0;
	}
	pit_strmap_free(&b.names, NULL);
	pit_strv_free(&b.text);
	return ret;
}

void pit_env_block_free(char **block)
{
	for (char **entry = block; entry && *entry; entry++)
		free(*entry);
	free(block);
}
