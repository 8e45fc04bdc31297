/* SPDX-License-Identifier: MIT */

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/pattern.h"
#include "check/run.h"

/* A word is an id, an area, the head of an id up to a dot, or a pattern. */
static bool fits(const char *word, const struct pit_check *row)
{
	return !strcmp(word, pit_area_name(row->area)) || pit_fits(word, row->id);
}

static bool any_fits(const struct pit_strv *words, const struct pit_check *row)
{
	for (size_t i = 0; i < words->count; i++)
		if (fits(words->item[i], row))
			return true;
	return false;
}

bool pit_selection_has(const struct pit_selection *s, const struct pit_check *row)
{
	return (!s->only.count || any_fits(&s->only, row)) && !any_fits(&s->skip, row);
}

/* The id that a mistyped one may have meant; one of the same area at least. */
static const char *nearest_id(const char *word)
{
	pit_auto_free const char **ids = calloc(pit_catalog_count() + 1, sizeof(*ids));
	const char *best = NULL, *fallback = NULL;
	size_t n = 0, area = strcspn(word, ".");

	if (!ids)
		return fallback;
	PIT_CATALOG_FOREACH (row) {
		ids[n++] = row->id;
		if (!strncmp(row->id, word, area) && row->id[area] == '.' && !fallback)
			fallback = row->id;
	}
	best = pit_nearest(word, ids);
	return best ? best : fallback;
}

static int unknown(const char *word, struct pit_error *err)
{
	const char *near = nearest_id(word);

	if (near)
		return pit_fail(err, ENOENT, "no check is named '%s' (near: %s); 'pitcrew check --list' has them all",
				word, near);
	return pit_fail(err, ENOENT, "no check is named '%s'; 'pitcrew check --list' has them all", word);
}

int pit_selection_add(struct pit_strv *words, const char *list, struct pit_error *err)
{
	size_t from = words->count;

	if (pit_strv_split(words, list, ", "))
		return pit_fail(err, ENOMEM, "out of memory");
	if (words->count == from)
		return pit_fail(err, EINVAL, "an empty list of checks");
	for (size_t i = from; i < words->count; i++) {
		bool known = false;

		PIT_CATALOG_FOREACH (row)
			known |= fits(words->item[i], row);
		if (!known)
			return unknown(words->item[i], err);
	}
	return 0;
}
