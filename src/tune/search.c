/* SPDX-License-Identifier: MIT */
#include "tune/search.h"

#include <string.h>

#include "base/cleanup.h"

struct search {
	size_t units;
	pit_ask_fn ask;
	void *arg;
	bool *set;  /* what is known to hurt */
	bool *part; /* what is asked about */
};

const char *pit_guilt_name(enum pit_guilt g)
{
	static const char *const names[] = {
		[PIT_GUILT_NO] = "no",
		[PIT_GUILT_YES] = "yes",
		[PIT_GUILT_UNSURE] = "unsure",
	};

	return names[g];
}

void pit_culprits_free(struct pit_culprits *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->culprit[i].unit);
	free(c->culprit);
	*c = (struct pit_culprits){0};
}

static size_t count(const struct search *s, const bool *set)
{
	size_t n = 0;

	for (size_t i = 0; i < s->units; i++)
		n += set[i];
	return n;
}

/* What stays undecided after all effort was not shown to hurt. */
static int ask(const struct search *s, const bool *set, int effort, bool *ret)
{
	enum pit_guilt answer = PIT_GUILT_UNSURE;
	int rc = 0;

	for (; !rc && answer == PIT_GUILT_UNSURE && effort <= PIT_EFFORT_MOST; effort++)
		rc = s->ask(set, effort, &answer, s->arg);
	*ret = answer == PIT_GUILT_YES;
	return rc;
}

/* s->part becomes part `k` of `n` of s->set, or what s->set is without it. */
static void choose(const struct search *s, size_t k, size_t n, bool without)
{
	size_t size = count(s, s->set), seen = 0;

	for (size_t i = 0; i < s->units; i++) {
		bool inside = s->set[i] && seen * n / size == k;

		seen += s->set[i];
		s->part[i] = s->set[i] && inside != without;
	}
}

/* Goes on with the first of the parts (or of what is left without each) that hurts. */
static int shrink(struct search *s, size_t n, bool without, int effort, bool *ret_found)
{
	int rc = 0;

	*ret_found = false;
	for (size_t k = 0; !rc && !*ret_found && k < n; k++) {
		choose(s, k, n, without);
		rc = ask(s, s->part, effort, ret_found);
	}
	if (!rc && *ret_found)
		memcpy(s->set, s->part, s->units * sizeof(*s->set));
	return rc;
}

/* Zeller's ddmin over s->set. -EAGAIN: the set itself does not hurt when it is asked again. */
static int reduce(struct search *s, int effort)
{
	size_t n = 2;
	int rc = 0;

	while (!rc && count(s, s->set) > 1) {
		size_t size = count(s, s->set);
		bool found, hurts = true;

		rc = shrink(s, n, false, effort, &found);
		if (!rc && found) {
			n = 2;
			continue;
		}
		if (!rc && n == 2)
			rc = ask(s, s->set, effort + 1 > PIT_EFFORT_MOST ? PIT_EFFORT_MOST : effort + 1, &hurts);
		if (!rc && !hurts)
			return -EAGAIN;
		if (!rc && n > 2)
			rc = shrink(s, n, true, effort, &found);
		if (!rc && !found && n >= size)
			break;
		n = found ? (n > 3 ? n - 1 : 2) : (2 * n > size ? size : 2 * n);
	}
	return rc;
}

static int accuse(const struct search *s, struct pit_culprits *ret)
{
	struct pit_culprit c = {.count = 0}, *all;

	c.unit = calloc(s->units, sizeof(*c.unit));
	all = reallocarray(ret->culprit, ret->count + 1, sizeof(*all));
	if (all)
		ret->culprit = all;
	if (!all || !c.unit) {
		free(c.unit);
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->units; i++)
		if (s->set[i])
			c.unit[c.count++] = i;
	ret->culprit[ret->count++] = c;
	return 0;
}

/* Finds one culprit in `suspects`, known to hurt, into s->set. -EAGAIN: none could be named. */
static int find_one(struct search *s, const bool *suspects, bool *ret_hurts)
{
	int rc = -EAGAIN;

	*ret_hurts = true;
	for (int effort = 0; rc == -EAGAIN && *ret_hurts && effort <= PIT_EFFORT_MOST; effort++) {
		bool confirmed = false;

		memcpy(s->set, suspects, s->units * sizeof(*s->set));
		rc = reduce(s, effort);
		if (rc == -EAGAIN && !memcmp(s->set, suspects, s->units * sizeof(*s->set)))
			*ret_hurts = false;
		if (!rc)
			rc = ask(s, s->set, PIT_EFFORT_MOST - 1, &confirmed);
		if (!rc && !confirmed)
			rc = -EAGAIN;
	}
	return rc;
}

static int find_all(struct search *s, bool *suspects, struct pit_culprits *ret)
{
	bool hurts = true;

	while (hurts) {
		int rc = find_one(s, suspects, &hurts);

		if (rc == -EAGAIN) {
			ret->unresolved = hurts;
			return 0;
		}
		if (!rc)
			rc = accuse(s, ret);
		for (size_t i = 0; i < s->units; i++)
			suspects[i] &= !s->set[i];
		hurts = false;
		if (!rc && count(s, suspects))
			rc = ask(s, suspects, PIT_EFFORT_MOST - 1, &hurts);
		if (rc)
			return rc;
	}
	return 0;
}

int pit_search(size_t units, pit_ask_fn ask_fn, void *arg, struct pit_culprits *ret)
{
	pit_auto_free bool *suspects = calloc(units, sizeof(bool)), *set = calloc(units, sizeof(bool));
	pit_auto_free bool *part = calloc(units, sizeof(bool));
	struct search s = {.units = units, .ask = ask_fn, .arg = arg, .set = set, .part = part};
	struct pit_culprits found = {0};
	int rc;

	if (!suspects || !set || !part)
		return -ENOMEM;
	memset(suspects, true, units * sizeof(bool));
	rc = find_all(&s, suspects, &found);
	if (rc)
		pit_culprits_free(&found);
	else
		*ret = found;
	return rc;
}
