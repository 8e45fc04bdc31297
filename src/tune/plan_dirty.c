/* SPDX-License-Identifier: MIT
 *
 * The two limits of dirty data make sense together only: where writing would begin at or above the data at which
 * writers wait, the kernel takes half of the latter without a word.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "tune/plan_draft.h"

/* One of the two as the plan leaves it. */
struct limit {
	const char *object;
	struct pit_candidate *candidate; /* NULL: the plan does not set it */
	char *now;                       /* NULL: it cannot be read */
};

static int load(struct pit_draft *d, struct limit *l)
{
	const struct pit_cell cell = {PIT_TARGET_DIRTY, PIT_VALUE_WORDS, (char *)l->object};

	for (size_t i = 0; i < d->candidates; i++)
		if (d->candidate[i].state == PIT_CANDIDATE_OPEN && pit_cell_equal(&d->candidate[i].cell, &cell))
			l->candidate = &d->candidate[i];
	return pit_cell_read(d->root, &cell, &l->now, NULL) == -ENOMEM ? pit_draft_no_memory(d) : 0;
}

static const char *planned(const struct limit *l)
{
	return l->candidate ? l->candidate->value : l->now;
}

static bool bytes_of(const char *value, uint64_t memory, uint64_t *ret)
{
	char number[32];
	size_t digits = strspn(value, "0123456789");
	bool share = value[digits] == '%';

	snprintf(number, sizeof(number), "%.*s", (int)digits, value);
	if (pit_parse_u64(number, ret) || (share && *ret > 100))
		return false;
	if (share)
		*ret = memory / 100 * *ret;
	return true;
}

static bool is_below(const char *background, const char *limit, uint64_t memory)
{
	uint64_t a, b;

	return !bytes_of(background, memory, &a) || !bytes_of(limit, memory, &b) || a < b;
}

static bool changes(const struct limit *l)
{
	return l->candidate && (!l->now || !pit_value_equal(PIT_VALUE_WORDS, l->now, l->candidate->value));
}

static int refuse(struct pit_draft *d, struct limit *l, const char *background, const char *limit)
{
	struct pit_candidate *c = l->candidate;

	l->candidate = NULL;
	c->state = PIT_CANDIDATE_DROPPED;
	return pit_draft_leave(d, c->setting, &c->cell, PIT_LEFT_REFUSED,
			       "vm.dirty_background = %s would not be below vm.dirty = %s, and the kernel would take "
			       "half of that: set both",
			       background, limit);
}

int pit_draft_dirty(struct pit_draft *d)
{
	struct limit limit = {.object = "vm.dirty"}, background = {.object = "vm.dirty_background"};
	uint64_t memory = pit_scene_memory(d->scene);
	int rc = load(d, &limit);

	rc = rc ? rc : load(d, &background);
	memory = memory ? memory : 100; /* unknown: two shares compare all the same */
	while (!rc && (changes(&limit) || changes(&background)) && planned(&limit) && planned(&background) &&
	       !is_below(planned(&background), planned(&limit), memory))
		rc = refuse(d, changes(&background) ? &background : &limit, planned(&background), planned(&limit));
	free(limit.now);
	free(background.now);
	return rc;
}
