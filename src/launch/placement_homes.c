/* SPDX-License-Identifier: MIT
 *
 * Where each rank is at home: the nodes of its GPUs; without GPUs, nodes in proportion to their CPUs.
 */
#include "launch/placement_cut.h"
#include "launch/placement_draft.h"

#include <limits.h>

size_t pit_draft_members(const struct pit_draft *d, int group, size_t *ret_home)
{
	size_t all = 0, home = 0;

	for (size_t i = 0; i < d->members; i++)
		if (d->member[i].group == group) {
			all++;
			home += !d->member[i].guest;
		}
	if (ret_home)
		*ret_home = home;
	return all;
}

static const char *source_of(const struct pit_site_gpu *g)
{
	return g->source == PIT_NODE_FROM_NOTHING ? "as told" : pit_node_source_name(g->source);
}

static int say_home(struct pit_draft *d, int r, int gpu, int home)
{
	int at = pit_draft_gpu_node(d, gpu);
	unsigned far = pit_draft_distance(d, at, home);
	char name[128], own[48], other[48], distance[32] = "";

	pit_draft_gpu_name(d, gpu, name, sizeof(name));
	pit_draft_group_name(d, at, own, sizeof(own));
	if (home == at)
		return pit_strv_addf(&d->p->seat[r].why, "%s is on %s (%s)", name, own, source_of(&d->site->gpu[gpu]));
	if (far)
		snprintf(distance, sizeof(distance), ", distance %u", far);
	return pit_strv_addf(&d->p->seat[r].why, "%s is on %s (%s), which has no CPU for it: %s is the nearest%s", name,
			     own, source_of(&d->site->gpu[gpu]), pit_draft_group_name(d, home, other, sizeof(other)),
			     distance);
}

/* The one group that has units; -1 when there are several. */
static int only_group(const struct pit_draft *d)
{
	int only = -1;

	for (size_t g = 0; g < d->groups; g++)
		if (d->group[g].count && only >= 0)
			return -1;
		else if (d->group[g].count)
			only = (int)g;
	return only;
}

static int say_unknown(struct pit_draft *d, int r, int gpu, int home)
{
	char name[128], group[48];

	pit_draft_gpu_name(d, gpu, name, sizeof(name));
	if (home < 0)
		return pit_strv_addf(&d->p->seat[r].why, "the node of %s is not known, and none is assumed", name);
	return pit_strv_addf(&d->p->seat[r].why, "the node of %s is not known, but all CPUs are in %s", name,
			     pit_draft_group_name(d, home, group, sizeof(group)));
}

static void join(struct pit_draft *d, size_t first, int r, int group)
{
	for (size_t i = first; i < d->members; i++)
		if (d->member[i].group == group) {
			d->member[i].weight++;
			return;
		}
	d->member[d->members++] = (struct pit_member){.rank = r, .group = group, .weight = 1};
}

/* The homes of rank r; a guest of no group yet when none of its GPUs' nodes is known. */
static int join_by_gpus(struct pit_draft *d, int r)
{
	struct pit_seat *seat = &d->p->seat[r];
	size_t first = d->members;

	for (int gpu = seat->gpu_first; gpu < seat->gpu_first + seat->gpus; gpu++) {
		int at = pit_draft_gpu_node(d, gpu), home = at >= 0 ? pit_draft_nearest(d, at) : only_group(d), rc;

		rc = at >= 0 ? say_home(d, r, gpu, home) : say_unknown(d, r, gpu, home);
		if (rc)
			return rc;
		if (home >= 0)
			join(d, first, r, home);
	}
	if (d->members == first)
		d->member[d->members++] =
			(struct pit_member){.rank = r, .group = -1, .weight = (unsigned)seat->gpus, .guest = true};
	return 0;
}

/* Guests of no group go where each member has most. */
static void seat_guests(struct pit_draft *d)
{
	for (size_t i = 0; i < d->members; i++) {
		unsigned long best_threads = 0, best_members = 1;

		if (d->member[i].group >= 0)
			continue;
		for (size_t g = 0; g < d->groups; g++) {
			unsigned long threads = d->group[g].threads, members = pit_draft_members(d, (int)g, NULL) + 1;

			if (threads * best_members > best_threads * members) {
				best_threads = threads;
				best_members = members;
				d->member[i].group = (int)g;
			}
		}
	}
}

/* Ranks of each group in proportion to its threads, by the largest remainder. */
static void apportion(const struct pit_draft *d, size_t *ret)
{
	unsigned long ranks = (unsigned long)d->p->ranks, all = 0, given = 0;

	for (size_t g = 0; g < d->groups; g++)
		all += d->group[g].threads;
	for (size_t g = 0; g < d->groups; g++)
		given += ret[g] = ranks * d->group[g].threads / all;
	for (; given < ranks; given++) {
		unsigned long best = 0;
		size_t at = 0;

		for (size_t g = 0; g < d->groups; g++) {
			unsigned long share = ranks * d->group[g].threads / all,
				      rest = ranks * d->group[g].threads % all;

			if (ret[g] == share && rest > best) {
				best = rest;
				at = g;
			}
		}
		ret[at]++;
	}
}

/* More ranks than groups: each is a member of one. */
static int spread_ranks(struct pit_draft *d, bool guest)
{
	pit_auto_free size_t *count = calloc(d->groups, sizeof(*count));
	int r = 0;

	if (!count)
		return -ENOMEM;
	apportion(d, count);
	for (size_t g = 0; g < d->groups; g++)
		for (size_t k = 0; k < count[g]; k++)
			d->member[d->members++] =
				(struct pit_member){.rank = r++, .group = (int)g, .weight = 1, .guest = guest};
	return 0;
}

/* Fewer ranks than groups: each rank takes a run of whole groups. */
static int spread_groups(struct pit_draft *d, size_t used, bool guest)
{
	size_t ranks = (size_t)d->p->ranks, n = 0;
	pit_auto_free struct pit_cut_item *item = calloc(used, sizeof(*item));
	pit_auto_free struct pit_cut_share *share = calloc(ranks, sizeof(*share));
	pit_auto_free int *group = calloc(used, sizeof(*group));
	int rc;

	if (!item || !share || !group)
		return -ENOMEM;
	for (size_t g = 0; g < d->groups; g++)
		if (d->group[g].count) {
			item[n] = (struct pit_cut_item){
				.weight = d->group[g].threads,
				.edge = n && d->group[group[n - 1]].package != d->group[g].package,
			};
			group[n++] = (int)g;
		}
	for (size_t r = 0; r < ranks; r++)
		share[r].must = true;
	rc = pit_cut(item, used, share, ranks, UINT_MAX);
	for (size_t r = 0; !rc && r < ranks; r++)
		for (size_t i = 0; i < share[r].count; i++)
			d->member[d->members++] = (struct pit_member){
				.rank = (int)r, .group = group[share[r].first + i], .weight = 1, .guest = guest};
	return rc;
}

static int spread(struct pit_draft *d, bool guest)
{
	size_t used = 0;

	for (size_t g = 0; g < d->groups; g++)
		used += d->group[g].count > 0;
	return used > (size_t)d->p->ranks ? spread_groups(d, used, guest) : spread_ranks(d, guest);
}

static int say_spread(struct pit_draft *d)
{
	char name[48];

	for (size_t i = 0, last; i < d->members; i = last) {
		int r = d->member[i].rank, rc;
		size_t there = pit_draft_members(d, d->member[i].group, NULL);

		for (last = i; last < d->members && d->member[last].rank == r; last++)
			;
		pit_draft_group_name(d, d->member[i].group, name, sizeof(name));
		if (last - i > 1)
			rc = pit_strv_addf(&d->p->seat[r].why, "no GPU: it has %zu nodes from %s on", last - i, name);
		else
			rc = pit_strv_addf(&d->p->seat[r].why,
					   "no GPU: by the share of CPUs, %zu of %d ranks are on %s", there,
					   d->p->ranks, name);
		if (rc)
			return rc;
	}
	return 0;
}

/* How many ranks nobody could give a home. */
static int homeless(const struct pit_draft *d)
{
	int n = 0;

	for (size_t i = 0; i < d->members; i++)
		n += d->member[i].group < 0;
	return n;
}

static int place_by_gpus(struct pit_draft *d)
{
	int lost, rc = 0;

	for (int r = 0; !rc && r < d->p->ranks; r++)
		rc = join_by_gpus(d, r);
	lost = homeless(d);
	if (rc || !lost)
		return rc;
	if (lost < d->p->ranks) {
		seat_guests(d);
		return pit_strv_addf(
			&d->p->warnings,
			"the nodes of the GPUs of %d of %d ranks are not known: nothing is assumed of them, "
			"they take what the others leave",
			lost, d->p->ranks);
	}
	d->members = 0;
	rc = spread(d, true);
	if (rc)
		return rc;
	return pit_strv_add(&d->p->warnings,
			    "the nodes of the GPUs are not known: nothing is assumed, and CPUs may be far "
			    "from a rank's GPU");
}

static void set_homes(struct pit_draft *d)
{
	for (size_t i = d->members; i--;) {
		const struct pit_member *m = &d->member[i];

		if (!m->guest && (size_t)m->group < d->site->nodes)
			d->p->seat[m->rank].home_at = m->group;
	}
}

int pit_draft_homes(struct pit_draft *d)
{
	int rc;

	d->member = calloc((size_t)d->p->ranks + d->site->gpus + d->groups, sizeof(*d->member));
	if (!d->member)
		return -ENOMEM;
	if (d->site->gpus) {
		rc = place_by_gpus(d);
	} else {
		rc = spread(d, false);
		if (!rc)
			rc = say_spread(d);
	}
	if (!rc)
		set_homes(d);
	return rc;
}
