/* SPDX-License-Identifier: MIT
 *
 * The memory nodes of each rank. A node whose memory programs may not use (a GPU's, CXL, forbidden) is never among
 * them.
 */
#include "launch/placement_draft.h"

/* The node with memory that is nearest to node `at`; -1 when none is known. */
static int memory_of(const struct pit_draft *d, int at)
{
	int best = -1;

	if ((size_t)at >= d->site->nodes)
		return -1;
	if (d->site->node[at].mem)
		return at;
	for (int i = 0; i < (int)d->site->nodes; i++)
		if (d->site->node[i].mem && (best < 0 || pit_draft_way(d, at, i) < pit_draft_way(d, at, best)))
			best = i;
	return best;
}

static int add_memory(struct pit_draft *d, struct pit_seat *seat, int group)
{
	int at = memory_of(d, group);

	return at < 0 ? 0 : pit_idset_add(&seat->mems, (size_t)d->site->node[at].id);
}

static int add_all(struct pit_draft *d, struct pit_seat *seat)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < d->site->nodes; i++)
		if (d->site->node[i].mem)
			rc = pit_idset_add(&seat->mems, (size_t)d->site->node[i].id);
	return rc;
}

/* Nodes of its CPUs; when these are not bound, its homes. */
static int add_near(struct pit_draft *d, int r)
{
	struct pit_seat *seat = &d->p->seat[r];
	int rc = 0;

	for (size_t u = 0; !rc && u < d->units; u++)
		if (pit_idset_intersects(&seat->cpus, &d->unit[u].cpus))
			rc = add_memory(d, seat, d->unit[u].group);
	for (size_t i = 0; !rc && pit_idset_is_empty(&seat->cpus) && i < d->members; i++)
		if (d->member[i].rank == r && !d->member[i].guest)
			rc = add_memory(d, seat, d->member[i].group);
	return rc;
}

static int say_memory(struct pit_draft *d, struct pit_seat *seat)
{
	static const char *const how[] = {
		[PIT_MEM_PREFER] = "first, others when it is full",
		[PIT_MEM_BIND] = "only",
		[PIT_MEM_INTERLEAVE] = "in turn, page by page",
	};
	int home = seat->home_at >= 0 ? memory_of(d, seat->home_at) : -1;
	char nodes[96], first[128] = "";

	if (pit_idset_is_empty(&seat->mems))
		return 0;
	if (home >= 0 && d->p->mem != PIT_MEM_INTERLEAVE && pit_idset_count(&seat->mems) > 1)
		snprintf(first, sizeof(first), ", home %d", d->site->node[home].id);
	if (home >= 0 && home != seat->home_at)
		snprintf(first, sizeof(first), ", as node %d has none for programs and %d is the nearest with some",
			 d->site->node[seat->home_at].id, d->site->node[home].id);
	return pit_strv_addf(&seat->why, "memory of node%s %s %s%s", pit_idset_count(&seat->mems) > 1 ? "s" : "",
			     pit_idset_format(&seat->mems, nodes, sizeof(nodes)), how[d->p->mem], first);
}

static bool any_memory(const struct pit_draft *d)
{
	for (size_t i = 0; i < d->site->nodes; i++)
		if (d->site->node[i].mem)
			return true;
	return false;
}

static enum pit_mem policy_of(const struct pit_draft *d)
{
	if (d->request->mem != PIT_MEM_AUTO)
		return d->request->mem;
	return d->p->bind == PIT_BIND_NONE || !any_memory(d) ? PIT_MEM_NONE : PIT_MEM_PREFER;
}

int pit_draft_memory(struct pit_draft *d)
{
	int unbound = 0, rc = 0;

	d->p->mem = policy_of(d);
	if (d->p->mem == PIT_MEM_NONE || d->p->mem == PIT_MEM_LOCAL)
		return 0;
	for (int r = 0; !rc && r < d->p->ranks; r++) {
		struct pit_seat *seat = &d->p->seat[r];

		rc = d->p->mem == PIT_MEM_INTERLEAVE ? add_all(d, seat) : add_near(d, r);
		unbound += pit_idset_is_empty(&seat->mems);
		if (!rc)
			rc = say_memory(d, seat);
	}
	if (rc || !unbound)
		return rc;
	return pit_strv_addf(&d->p->warnings,
			     "the memory of %d of %d ranks is not bound: no node with memory is known for them",
			     unbound, d->p->ranks);
}
