/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <string.h>

#include "check/run.h"

/* A word is an id, an area, the head of an id up to a dot, or a pattern. */
static bool fits(const char *word, const struct pit_check *row)
{
	return !strcmp(word, pit_area_name(row->area)) || !fnmatch(word, row->id, 0);
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

/* Length of the common head: good enough to point at a mistyped id. */
static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static const char *nearest_id(const char *word)
{
	const char *best = "cpu.governor";
	size_t longest = 0;

	PIT_CATALOG_FOREACH (row) {
		if (common(word, row->id) > longest) {
			longest = common(word, row->id);
			best = row->id;
		}
	}
	return best;
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
			return pit_fail(err, ENOENT,
					"no check is named '%s' (near: %s); 'pitcrew check --list' has them all",
					words->item[i], nearest_id(words->item[i]));
	}
	return 0;
}
