/* SPDX-License-Identifier: MIT
 *
 * The bindings whose CPUs several ranks may have: node, l3, socket.
 */
#include "launch/placement_draft.h"

static int add_units(struct pit_draft *d, int rank, size_t first, size_t count)
{
	int rc = 0;

	for (size_t i = first; !rc && i < first + count; i++)
		rc = pit_idset_unite(&d->p->seat[rank].cpus, &d->unit[i].cpus);
	return rc;
}

/* Of the home whose CPUs are asked for nothing is known: any CPU is as good as any other. */
static int take_all(struct pit_draft *d, int rank)
{
	int rc = add_units(d, rank, 0, d->units);

	return rc ? rc : pit_strv_add(&d->p->seat[rank].why, "without a home it may use all CPUs of the job");
}

static int take_node(struct pit_draft *d, const struct pit_member *m)
{
	const struct pit_group *g = &d->group[m->group];
	char name[48];
	int rc;

	if (m->guest)
		return take_all(d, m->rank);
	rc = add_units(d, m->rank, g->first, g->count);
	return rc ? rc
		  : pit_strv_addf(&d->p->seat[m->rank].why, "%s%zu core%s of %s that the job may use",
				  g->count == 1 ? "the " : "all ", g->count, g->count == 1 ? "" : "s",
				  pit_draft_group_name(d, m->group, name, sizeof(name)));
}

static bool in_package(const struct pit_draft *d, int group, int package)
{
	const struct pit_group *g = &d->group[group];

	for (size_t i = g->first; i < g->first + g->count; i++)
		if (d->unit[i].package == package)
			return true;
	return false;
}

/* A node may lie in several packages, and a package may have several nodes. */
static int take_socket(struct pit_draft *d, const struct pit_member *m)
{
	size_t taken = 0;
	int rc = 0;
	char name[48];

	if (m->guest)
		return take_all(d, m->rank);
	if (in_package(d, m->group, -1)) {
		rc = pit_strv_add(&d->p->seat[m->rank].why, "the package is not known: the node instead");
		return rc ? rc : take_node(d, m);
	}
	for (size_t i = 0; !rc && i < d->units; i++)
		if (d->unit[i].package >= 0 && in_package(d, m->group, d->unit[i].package)) {
			rc = add_units(d, m->rank, i, 1);
			taken++;
		}
	return rc ? rc
		  : pit_strv_addf(&d->p->seat[m->rank].why, "%s%zu core%s of the socket of %s",
				  taken == 1 ? "the " : "all ", taken, taken == 1 ? "" : "s",
				  pit_draft_group_name(d, m->group, name, sizeof(name)));
}

struct l3 {
	size_t first, count;
	unsigned threads;
};

/* The L3 caches of a group, the one with most CPUs first. */
static size_t list_l3s(const struct pit_draft *d, const struct pit_group *g, struct l3 *ret)
{
	size_t n = 0;

	for (size_t i = g->first; i < g->first + g->count; i++) {
		if (i == g->first || d->unit[i].l3_at != d->unit[i - 1].l3_at)
			ret[n++] = (struct l3){.first = i};
		ret[n - 1].count++;
		ret[n - 1].threads += d->unit[i].threads;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && ret[k].threads > ret[k - 1].threads; k--) {
			struct l3 swap = ret[k];

			ret[k] = ret[k - 1];
			ret[k - 1] = swap;
		}
	return n;
}

/* Which of the ranks of its group a member is. */
static size_t number_of(const struct pit_draft *d, const struct pit_member *m)
{
	size_t n = 0;

	for (const struct pit_member *i = d->member; i < m; i++)
		n += i->group == m->group && (i == d->member || i[-1].rank != i->rank);
	return n;
}

static int take_l3(struct pit_draft *d, const struct pit_member *m)
{
	const struct pit_group *g = &d->group[m->group];
	pit_auto_free struct l3 *l3 = calloc(g->count, sizeof(*l3));
	size_t n, at;
	char name[48];
	int rc;

	if (!l3)
		return -ENOMEM;
	n = list_l3s(d, g, l3);
	at = number_of(d, m) % n;
	rc = add_units(d, m->rank, l3[at].first, l3[at].count);
	return rc ? rc
		  : pit_strv_addf(&d->p->seat[m->rank].why, "L3 cache %zu of %zu of %s: %zu core%s", at + 1, n,
				  pit_draft_group_name(d, m->group, name, sizeof(name)), l3[at].count,
				  l3[at].count == 1 ? "" : "s");
}

int pit_draft_share(struct pit_draft *d)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < d->members; i++) {
		const struct pit_member *m = &d->member[i];
		bool first = !i || m[-1].rank != m->rank;

		if (d->p->bind == PIT_BIND_L3)
			rc = first ? take_l3(d, m) : 0;
		else if (m->guest && !first)
			continue;
		else
			rc = d->p->bind == PIT_BIND_NODE ? take_node(d, m) : take_socket(d, m);
	}
	return rc;
}
