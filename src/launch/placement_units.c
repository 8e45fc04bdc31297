/* SPDX-License-Identifier: MIT
 *
 * The cores that ranks may use: what the job is allowed, without those that are reserved.
 */
#include "launch/placement_draft.h"

#include <limits.h>
#include <string.h>

static int group_of(const struct pit_draft *d, const struct pit_site_core *c)
{
	return c->node_at >= 0 && (size_t)c->node_at < d->site->nodes ? c->node_at : (int)d->site->nodes;
}

/* Cores of each group that are not taken. */
static void count_left(const struct pit_draft *d, const bool *taken, size_t *ret)
{
	memset(ret, 0, d->groups * sizeof(*ret));
	for (size_t i = 0; i < d->site->cores; i++)
		ret[group_of(d, &d->site->core[i])] += !taken[i];
}

/* Groups where ranks are going to be: those of their GPUs, or all. */
static void mark_wanted(const struct pit_draft *d, bool *ret)
{
	for (size_t g = 0; g < d->groups; g++)
		ret[g] = !d->site->gpus;
	for (int r = 0; r < d->p->ranks; r++)
		for (int i = 0; i < d->p->seat[r].gpus; i++) {
			int at = pit_draft_gpu_node(d, d->p->seat[r].gpu_first + i);

			if (at >= 0)
				ret[at] = true;
		}
}

struct reserve {
	bool *taken;  /* by core */
	bool *wanted; /* by group */
	size_t *left; /* by group */
	size_t kept, cores_left;
};

static void free_reserve(struct reserve *r)
{
	free(r->taken);
	free(r->wanted);
	free(r->left);
}

/* Cores with or without interrupts, until enough is kept. In the first pass a group with ranks keeps one core. */
static int take_cores(struct pit_draft *d, struct reserve *r, bool irq, bool last_too)
{
	for (size_t i = 0; i < d->site->cores && r->kept < (size_t)d->request->reserve; i++) {
		const struct pit_site_core *c = &d->site->core[i];
		int g = group_of(d, c), rc;

		if (r->taken[i] || c->irq != irq || r->cores_left == 1)
			continue;
		if (!last_too && r->wanted[g] && r->left[g] == 1)
			continue;
		rc = pit_idset_unite(&d->p->reserved, &c->cpus);
		if (rc)
			return rc;
		r->taken[i] = true;
		r->left[g]--;
		r->cores_left--;
		r->kept += pit_idset_count(&c->cpus);
	}
	return 0;
}

static int reserve(struct pit_draft *d, struct pit_error *err)
{
	PIT_CLEANUP(free_reserve)
	struct reserve r = {
		.taken = calloc(d->site->cores, sizeof(bool)),
		.wanted = calloc(d->groups, sizeof(bool)),
		.left = calloc(d->groups, sizeof(size_t)),
		.cores_left = d->site->cores,
	};
	int rc = 0;

	if (!r.taken || !r.wanted || !r.left)
		return -ENOMEM;
	count_left(d, r.taken, r.left);
	mark_wanted(d, r.wanted);
	for (int pass = 0; !rc && pass < 4; pass++)
		rc = take_cores(d, &r, pass % 2 == 0, pass >= 2);
	if (!rc && r.kept < (size_t)d->request->reserve)
		rc = pit_fail(err, EINVAL,
			      "--cpus-reserve %d: of %zu allowed CPUs (%zu cores) none would be left for ranks",
			      d->request->reserve, pit_idset_count(&d->site->allowed), d->site->cores);
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct pit_unit *x = a, *y = b;

	if (x->group != y->group)
		return x->group - y->group;
	if (x->l3_at != y->l3_at)
		return x->l3_at - y->l3_at;
	return x->cpu - y->cpu;
}

static int fill_unit(const struct pit_draft *d, const struct pit_site_core *c, struct pit_unit *u)
{
	*u = (struct pit_unit){
		.cpu = pit_idset_next(&c->cpus, 0),
		.group = group_of(d, c),
		.l3_at = d->site->l3s ? c->l3_at : -1,
		.package = c->package,
		.irq = c->irq,
	};
	u->threads = d->request->one_thread ? 1 : (unsigned)pit_idset_count(&c->cpus);
	return d->request->one_thread ? pit_idset_add(&u->cpus, (size_t)u->cpu) : pit_idset_copy(&u->cpus, &c->cpus);
}

static int fill_units(struct pit_draft *d)
{
	for (size_t i = 0; i < d->site->cores; i++) {
		const struct pit_site_core *c = &d->site->core[i];
		int rc;

		if (pit_idset_is_empty(&c->cpus) || pit_idset_intersects(&c->cpus, &d->p->reserved))
			continue;
		rc = fill_unit(d, c, &d->unit[d->units++]);
		if (rc)
			return rc;
	}
	qsort(d->unit, d->units, sizeof(*d->unit), by_place);
	return 0;
}

static void fill_groups(struct pit_draft *d)
{
	for (size_t g = 0; g < d->groups; g++)
		d->group[g].package = -1;
	for (size_t i = d->site->cores; i--;)
		d->group[group_of(d, &d->site->core[i])].package = d->site->core[i].package;
	for (size_t i = d->units; i--;) {
		struct pit_group *g = &d->group[d->unit[i].group];

		g->first = i;
		g->count++;
		g->threads += d->unit[i].threads;
	}
}

int pit_draft_units(struct pit_draft *d, struct pit_error *err)
{
	int rc;

	if (!d->site->cores)
		return pit_fail(err, EINVAL, "this job may use no CPU (%s)",
				d->site->allowed_why[0] ? d->site->allowed_why : "none is known");
	d->groups = d->site->nodes + 1;
	d->group = calloc(d->groups, sizeof(*d->group));
	d->unit = calloc(d->site->cores, sizeof(*d->unit));
	if (!d->group || !d->unit)
		return -ENOMEM;
	rc = d->request->reserve ? reserve(d, err) : 0;
	if (!rc)
		rc = fill_units(d);
	if (!rc)
		fill_groups(d);
	return rc;
}

unsigned pit_draft_distance(const struct pit_draft *d, int from, int to)
{
	int unknown = (int)d->site->nodes;

	if (from < 0 || to < 0 || from >= unknown || to >= unknown)
		return 0;
	if (d->site->node[from].distance)
		return d->site->node[from].distance[to];
	return from == to ? 10 : 0;
}

uint64_t pit_draft_way(const struct pit_draft *d, int from, int to)
{
	unsigned distance = pit_draft_distance(d, from, to);
	bool other = d->group[from].package < 0 || d->group[from].package != d->group[to].package;

	return (distance ? (uint64_t)distance : UINT_MAX) * 2 + other;
}

int pit_draft_nearest(const struct pit_draft *d, int at)
{
	int best = -1;

	if (d->group[at].count)
		return at;
	for (int g = 0; g < (int)d->groups; g++)
		if (d->group[g].count && (best < 0 || pit_draft_way(d, at, g) < pit_draft_way(d, at, best)))
			best = g;
	return best;
}

int pit_draft_gpu_node(const struct pit_draft *d, int gpu)
{
	int at = d->site->gpu[gpu].node_at;

	return at >= 0 && (size_t)at < d->site->nodes ? at : -1;
}

char *pit_draft_group_name(const struct pit_draft *d, int group, char *out, size_t size)
{
	if ((size_t)group < d->site->nodes)
		snprintf(out, size, "node %d", d->site->node[group].id);
	else
		snprintf(out, size, "%s",
			 d->site->nodes ? "the CPUs of no known node" : "this machine (nodes unknown)");
	return out;
}

char *pit_draft_gpu_name(const struct pit_draft *d, int gpu, char *out, size_t size)
{
	const struct pit_site_gpu *g = &d->site->gpu[gpu];

	if (g->mig && g->uuid[0])
		snprintf(out, size, "MIG instance %s", g->uuid);
	else if (g->pci[0] || g->uuid[0])
		snprintf(out, size, "GPU %s", g->pci[0] ? g->pci : g->uuid);
	else
		snprintf(out, size, "GPU %d", gpu);
	return out;
}
