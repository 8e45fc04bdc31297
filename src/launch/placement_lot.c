/* SPDX-License-Identifier: MIT */
#include "launch/placement_lot.h"

#include <limits.h>

#include "launch/placement_cut.h"

int pit_lot_init(struct pit_lot *l, const struct pit_draft *d)
{
	size_t cpus = 0;

	for (size_t i = 0; i < d->units; i++)
		cpus += d->unit[i].threads;
	*l = (struct pit_lot){
		.cpu = calloc(cpus, sizeof(*l->cpu)),
		.share = calloc((size_t)d->p->ranks, sizeof(*l->share)),
	};
	return l->cpu && l->share ? 0 : -ENOMEM;
}

void pit_lot_free(struct pit_lot *l)
{
	for (size_t i = 0; i < l->shares; i++)
		pit_idset_free(&l->share[i].groups);
	free(l->share);
	free(l->cpu);
	*l = (struct pit_lot){0};
}

void pit_lot_add_group(struct pit_lot *l, const struct pit_draft *d, int group)
{
	const struct pit_group *g = &d->group[group];

	for (size_t i = g->first; i < g->first + g->count; i++)
		PIT_IDSET_FOREACH (cpu, &d->unit[i].cpus)
			l->cpu[l->cpus++] = (struct pit_lot_cpu){.cpu = cpu, .unit = &d->unit[i]};
	l->cores += g->count;
}

void pit_lot_add_share(struct pit_lot *l, int rank, unsigned weight, bool must)
{
	l->share[l->shares++] = (struct pit_lot_share){.rank = rank, .weight = weight, .must = must};
}

static bool other_unit(const struct pit_unit *a, const struct pit_unit *b)
{
	return a != b;
}

static bool other_l3(const struct pit_unit *a, const struct pit_unit *b)
{
	return a->l3_at != b->l3_at || a->group != b->group;
}

static bool other_group(const struct pit_unit *a, const struct pit_unit *b)
{
	return a->group != b->group;
}

size_t pit_lot_l3s(const struct pit_lot *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->cpus; i++) {
		if (l->cpu[i].unit->l3_at < 0)
			return 0;
		n += !i || other_l3(l->cpu[i - 1].unit, l->cpu[i].unit);
	}
	return n;
}

/* The lot as things to cut between, and who gets the pieces. A rank of weight 3 has three slots. */
struct pieces {
	struct pit_cut_item *item;
	size_t *first; /* by item and one more: its first CPU in the lot */
	size_t items;
	struct pit_cut_share *slot;
	size_t *owner; /* by slot: its share */
	size_t slots;
};

static void free_pieces(struct pieces *p)
{
	free(p->item);
	free(p->first);
	free(p->slot);
	free(p->owner);
}

static bool same_weights(const struct pit_lot *l)
{
	for (size_t i = 1; i < l->shares; i++)
		if (l->share[i].weight != l->share[0].weight)
			return false;
	return true;
}

static size_t count_slots(const struct pit_lot *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->shares; i++)
		n += l->share[i].weight;
	return n;
}

static int make_slots(const struct pit_lot *l, struct pieces *p)
{
	size_t all = count_slots(l);
	bool plain = same_weights(l) || all > l->cores;

	p->slot = calloc(plain ? l->shares : all, sizeof(*p->slot));
	p->owner = calloc(plain ? l->shares : all, sizeof(*p->owner));
	if (!p->slot || !p->owner)
		return -ENOMEM;
	for (size_t i = 0; i < l->shares; i++) {
		unsigned n = plain ? 1 : l->share[i].weight;

		for (unsigned k = 0; k < n; k++) {
			p->slot[p->slots] =
				(struct pit_cut_share){.has = l->share[i].has / n, .must = l->share[i].must};
			p->owner[p->slots++] = i;
		}
	}
	return 0;
}

static int make_items(const struct pit_lot *l, enum pit_lot_grain grain, struct pieces *p)
{
	static bool (*const other[])(const struct pit_unit *,
				     const struct pit_unit *) = {[PIT_LOT_L3] = other_l3, [PIT_LOT_CORE] = other_unit};
	static bool (*const edge[])(const struct pit_unit *, const struct pit_unit *) = {
		[PIT_LOT_L3] = other_group, [PIT_LOT_CORE] = other_l3, [PIT_LOT_THREAD] = other_unit};

	p->item = calloc(l->cpus, sizeof(*p->item));
	p->first = calloc(l->cpus + 1, sizeof(*p->first));
	if (!p->item || !p->first)
		return -ENOMEM;
	for (size_t i = 0; i < l->cpus; i++) {
		const struct pit_unit *u = l->cpu[i].unit, *before = i ? l->cpu[i - 1].unit : NULL;

		if (!i || grain == PIT_LOT_THREAD || other[grain](before, u)) {
			p->first[p->items] = i;
			p->item[p->items++].edge = i && edge[grain](before, u);
		}
		p->item[p->items - 1].weight++;
		p->item[p->items - 1].busy |= u->irq;
	}
	p->first[p->items] = l->cpus;
	return 0;
}

/* Whole L3 caches may make shares somewhat uneven: when there are as many for each rank, by three tenths (a cpuset or
 * a reserve took cores out of one), else by an eighth. */
static unsigned limit_of(const struct pit_lot *l, enum pit_lot_grain grain, const struct pieces *p)
{
	unsigned long all = l->cpus;

	if (grain != PIT_LOT_L3)
		return UINT_MAX;
	for (size_t s = 0; s < p->slots; s++)
		all += p->slot[s].has;
	return (unsigned)(p->items % p->slots ? all / p->slots / 8 : all * 3 / p->slots / 10);
}

static int give(struct pit_lot *l, struct pit_draft *d, size_t share, size_t cpu)
{
	const struct pit_lot_cpu *c = &l->cpu[cpu];
	struct pit_lot_share *s = &l->share[share];
	int rc = pit_idset_add(&d->p->seat[s->rank].cpus, (size_t)c->cpu);

	s->cpus++;
	s->cores += !cpu || s->cpus == 1 || l->cpu[cpu - 1].unit != c->unit;
	return rc ? rc : pit_idset_add(&s->groups, (size_t)c->unit->group);
}

static int cut_by(struct pit_lot *l, struct pit_draft *d, enum pit_lot_grain grain)
{
	PIT_CLEANUP(free_pieces) struct pieces p = {0};
	int rc = make_slots(l, &p);

	if (!rc)
		rc = make_items(l, grain, &p);
	if (!rc)
		rc = pit_cut(p.item, p.items, p.slot, p.slots, limit_of(l, grain, &p));
	for (size_t s = 0; !rc && s < p.slots; s++)
		for (size_t i = p.first[p.slot[s].first]; !rc && i < p.first[p.slot[s].first + p.slot[s].count]; i++)
			rc = give(l, d, p.owner[s], i);
	if (!rc)
		l->grain = grain;
	return rc;
}

/* Too few CPUs: ranks share whole cores, as evenly as it goes. */
static int share_cores(struct pit_lot *l, struct pit_draft *d, size_t musts)
{
	int rc = 0;

	l->grain = PIT_LOT_NOTHING;
	for (size_t s = 0, k = 0; !rc && s < l->shares; s++) {
		size_t core = k * l->cores / musts;

		if (!l->share[s].must)
			continue;
		k++;
		for (size_t i = 0, at = 0; !rc && i < l->cpus; i++) {
			at += i && l->cpu[i].unit != l->cpu[i - 1].unit;
			if (at == core)
				rc = give(l, d, s, i);
		}
	}
	return rc;
}

int pit_lot_divide(struct pit_lot *l, struct pit_draft *d)
{
	size_t musts = 0;
	int rc = -ERANGE;

	for (size_t i = 0; i < l->shares; i++) {
		musts += l->share[i].must;
		l->share[i].has = l->share[i].must ? 0 : (unsigned)pit_idset_count(&d->p->seat[l->share[i].rank].cpus);
	}
	if (musts > l->cpus)
		return share_cores(l, d, musts);
	if (musts > l->cores)
		return cut_by(l, d, PIT_LOT_THREAD);
	if (pit_lot_l3s(l) >= l->shares)
		rc = cut_by(l, d, PIT_LOT_L3);
	return rc == -ERANGE ? cut_by(l, d, PIT_LOT_CORE) : rc;
}
