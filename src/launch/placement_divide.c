/* SPDX-License-Identifier: MIT
 *
 * `--bind exclusive`: the cores divided. First those of each node among the ranks at home there, then those of the
 * other nodes among the ranks of the nearest nodes.
 */
#include "launch/placement_lot.h"

/* A placement of which nothing is known treats all members alike. */
static bool any_home(const struct pit_draft *d)
{
	for (size_t i = 0; i < d->members; i++)
		if (!d->member[i].guest)
			return true;
	return false;
}

static bool is_lived_in(const struct pit_draft *d, int group)
{
	size_t home, all = pit_draft_members(d, group, &home);

	return d->group[group].count && (any_home(d) ? home : all);
}

/* The nearest other group that has more CPUs than members; -1 none. */
static int roomy(const struct pit_draft *d, int group)
{
	int best = -1;

	for (int g = 0; g < (int)d->groups; g++)
		if (g != group && d->group[g].threads > pit_draft_members(d, g, NULL) &&
		    (best < 0 || pit_draft_way(d, group, g) < pit_draft_way(d, group, best)))
			best = g;
	return best;
}

/* Where a node has fewer CPUs than members, ranks with several homes keep the first alone. */
static void keep_first_homes(struct pit_draft *d)
{
	size_t n = 0;
	bool short_of = false;

	for (int g = 0; g < (int)d->groups; g++)
		short_of |= pit_draft_members(d, g, NULL) > d->group[g].threads;
	for (size_t i = 0; short_of && i < d->members; i++)
		if (!n || d->member[n - 1].rank != d->member[i].rank)
			d->member[n++] = d->member[i];
	if (short_of)
		d->members = n;
}

static int move(struct pit_draft *d, size_t member, int to)
{
	struct pit_member *m = &d->member[member];
	char here[48], there[48];

	pit_draft_group_name(d, m->group, here, sizeof(here));
	pit_draft_group_name(d, to, there, sizeof(there));
	m->group = to;
	m->guest = true;
	return pit_strv_addf(&d->p->seat[m->rank].why, "%s has fewer CPUs than ranks: it gets CPUs of %s", here, there);
}

/* Ranks beyond the CPUs of their node move, the highest first, before a CPU is given twice. */
static int move_surplus(struct pit_draft *d, int group)
{
	size_t all = pit_draft_members(d, group, NULL), left = all;
	char name[48];
	int rc = 0;

	for (size_t i = d->members; !rc && i-- && left > d->group[group].threads;) {
		int to = d->member[i].group == group ? roomy(d, group) : -1;

		if (to < 0)
			continue;
		rc = move(d, i, to);
		left--;
	}
	if (rc || left == all)
		return rc;
	return pit_strv_addf(&d->p->warnings, "%s has %u CPU%s for %zu ranks: %zu of them get%s CPUs of other nodes",
			     pit_draft_group_name(d, group, name, sizeof(name)), d->group[group].threads,
			     d->group[group].threads == 1 ? "" : "s", all, all - left, all - left == 1 ? "s" : "");
}

static const char *siblings(const struct pit_lot *l)
{
	return l->cpus > l->cores && l->grain <= PIT_LOT_CORE ? ", siblings together" : "";
}

static const char *grain_text(const struct pit_lot *l)
{
	switch (l->grain) {
	case PIT_LOT_L3:
		return pit_lot_l3s(l) > 1 ? ", whole L3 caches" : "";
	case PIT_LOT_CORE:
		return pit_lot_l3s(l) > 1 ? ", L3 caches shared where ranks meet" : "";
	case PIT_LOT_THREAD:
		return ", the threads of a core given to different ranks";
	default:
		return ", cores shared by several ranks";
	}
}

static int say_home_share(struct pit_draft *d, const struct pit_lot *l, int group)
{
	unsigned least = l->share[0].cores, most = least;
	char name[48], each[32];
	int rc = 0;

	for (size_t i = 0; i < l->shares; i++) {
		least = l->share[i].cores < least ? l->share[i].cores : least;
		most = l->share[i].cores > most ? l->share[i].cores : most;
	}
	snprintf(each, sizeof(each), least == most ? "%u" : least + 1 == most ? "%u or %u" : "%u to %u", least, most);
	pit_draft_group_name(d, group, name, sizeof(name));
	for (size_t i = 0; !rc && i < l->shares; i++)
		rc = pit_strv_addf(&d->p->seat[l->share[i].rank].why, "%s has %zu core%s for %zu rank%s: %s each%s%s",
				   name, l->cores, l->cores == 1 ? "" : "s", l->shares, l->shares == 1 ? "" : "s", each,
				   grain_text(l), siblings(l));
	if (rc || l->grain <= PIT_LOT_CORE)
		return rc;
	return pit_strv_addf(&d->p->warnings, "%s has %zu core%s (%zu CPU%s) for %zu ranks: %s", name, l->cores,
			     l->cores == 1 ? "" : "s", l->cpus, l->cpus == 1 ? "" : "s", l->shares,
			     l->grain == PIT_LOT_THREAD ? "ranks get single threads of a core" : "ranks share CPUs");
}

static int divide_home(struct pit_draft *d, int group)
{
	PIT_CLEANUP(pit_lot_free) struct pit_lot l = {0};
	int rc = pit_lot_init(&l, d);

	if (rc)
		return rc;
	pit_lot_add_group(&l, d, group);
	for (size_t i = 0; i < d->members; i++)
		if (d->member[i].group == group)
			pit_lot_add_share(&l, d->member[i].rank, d->member[i].weight, true);
	rc = pit_lot_divide(&l, d);
	return rc ? rc : say_home_share(d, &l, group);
}

static uint64_t nearest_way(const struct pit_draft *d, int group)
{
	uint64_t best = UINT64_MAX;

	for (int g = 0; g < (int)d->groups; g++)
		if (is_lived_in(d, g) && pit_draft_way(d, group, g) < best)
			best = pit_draft_way(d, group, g);
	return best;
}

static unsigned weight_of(const struct pit_draft *d, int rank)
{
	unsigned all = 0;

	for (size_t i = 0; i < d->members; i++)
		all += d->member[i].rank == rank ? d->member[i].weight : 0;
	return all;
}

static bool has_share(const struct pit_lot *l, int rank)
{
	for (size_t i = 0; i < l->shares; i++)
		if (l->share[i].rank == rank)
			return true;
	return false;
}

/* Who gets the cores of a group where nobody is at home: its guests, and the ranks of the nearest groups. In order of
 * their homes, so that those get neighbouring cores, whatever the order of the GPUs is. */
static void add_receivers(const struct pit_draft *d, struct pit_lot *l, int group)
{
	uint64_t way = nearest_way(d, group);
	bool homes = any_home(d);

	for (int g = 0; g < (int)d->groups; g++) {
		bool near = d->request->spill == PIT_SPILL_NEAREST && is_lived_in(d, g) &&
			    pit_draft_way(d, group, g) == way;

		for (size_t i = 0; (near || g == group) && i < d->members; i++) {
			const struct pit_member *m = &d->member[i];

			if (m->group != g || has_share(l, m->rank))
				continue;
			if (g == group)
				pit_lot_add_share(l, m->rank, m->weight, true);
			else if (!m->guest || !homes)
				pit_lot_add_share(l, m->rank, weight_of(d, m->rank), false);
		}
	}
}

static bool same_receivers(const struct pit_lot *a, const struct pit_lot *b)
{
	if (a->shares != b->shares)
		return false;
	for (size_t i = 0; i < a->shares; i++)
		if (a->share[i].rank != b->share[i].rank)
			return false;
	return true;
}

static int say_spill(struct pit_draft *d, const struct pit_lot *l)
{
	for (size_t i = 0; i < l->shares; i++) {
		const struct pit_lot_share *s = &l->share[i];
		struct pit_strv *why = &d->p->seat[s->rank].why;
		char name[48];
		int rc;

		if (!s->cpus)
			continue;
		pit_draft_group_name(d, pit_idset_next(&s->groups, 0), name, sizeof(name));
		rc = pit_strv_addf(why, "%u core%s of %s%s, where no rank is at home%s%s", s->cores,
				   s->cores == 1 ? "" : "s", name, pit_idset_count(&s->groups) > 1 ? " and others" : "",
				   grain_text(l), siblings(l));
		if (rc)
			return rc;
	}
	return 0;
}

/* Group `group` and those behind it with the same receivers are divided at once, so that each rank gets neighbours. */
static int divide_spill(struct pit_draft *d, int group, bool *done)
{
	PIT_CLEANUP(pit_lot_free) struct pit_lot l = {0};
	int rc = pit_lot_init(&l, d);

	if (!rc)
		add_receivers(d, &l, group);
	for (int g = group; !rc && g < (int)d->groups; g++) {
		PIT_CLEANUP(pit_lot_free) struct pit_lot other = {0};

		if (done[g] || !d->group[g].count)
			continue;
		rc = pit_lot_init(&other, d);
		if (!rc)
			add_receivers(d, &other, g);
		if (rc || (g != group && !same_receivers(&l, &other)))
			continue;
		done[g] = true;
		pit_lot_add_group(&l, d, g);
	}
	if (!rc && l.shares)
		rc = pit_lot_divide(&l, d);
	return rc ? rc : say_spill(d, &l);
}

int pit_draft_divide(struct pit_draft *d)
{
	pit_auto_free bool *done = calloc(d->groups, sizeof(*done));
	int rc = done ? 0 : -ENOMEM;

	if (rc)
		return rc;
	keep_first_homes(d);
	if (d->request->spill == PIT_SPILL_NEAREST)
		for (int g = 0; !rc && g < (int)d->groups; g++)
			rc = move_surplus(d, g);
	for (int g = 0; !rc && g < (int)d->groups; g++) {
		if (!is_lived_in(d, g))
			continue;
		rc = divide_home(d, g);
		done[g] = true;
	}
	for (int g = 0; !rc && g < (int)d->groups; g++)
		if (d->group[g].count && !done[g])
			rc = divide_spill(d, g, done);
	return rc;
}
