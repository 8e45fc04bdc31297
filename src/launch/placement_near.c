/* SPDX-License-Identifier: MIT
 *
 * What follows from a rank's CPUs and home: its network card, how many threads it may start, how far its CPUs are.
 */
#include "launch/placement_draft.h"

/* How many ranks have a CPU of each unit; with `none` all ranks have all. */
static void count_owners(const struct pit_draft *d, unsigned *ret)
{
	for (size_t u = 0; u < d->units; u++)
		for (int r = 0; r < d->p->ranks; r++)
			ret[u] += d->p->bind == PIT_BIND_NONE ||
				  pit_idset_intersects(&d->p->seat[r].cpus, &d->unit[u].cpus);
}

static bool has_unit(const struct pit_draft *d, const struct pit_seat *seat, size_t unit)
{
	return d->p->bind == PIT_BIND_NONE || pit_idset_intersects(&seat->cpus, &d->unit[unit].cpus);
}

static void set_threads(const struct pit_draft *d, struct pit_seat *seat, const unsigned *owners)
{
	double share = 0;

	for (size_t u = 0; u < d->units; u++) {
		if (!has_unit(d, seat, u))
			continue;
		share += 1.0 / owners[u];
		seat->cores += d->p->bind != PIT_BIND_NONE;
	}
	seat->threads = share < 1 ? 1 : (unsigned)(share + 1e-6);
}

static int mark_shared(struct pit_draft *d)
{
	struct pit_idset seen = {0}, twice = {0};
	int rc = 0;

	for (int r = 0; !rc && r < d->p->ranks; r++)
		PIT_IDSET_FOREACH (cpu, &d->p->seat[r].cpus) {
			rc = pit_idset_add(pit_idset_has(&seen, (size_t)cpu) ? &twice : &seen, (size_t)cpu);
			if (rc)
				break;
		}
	for (int r = 0; r < d->p->ranks; r++)
		d->p->seat[r].shared = pit_idset_intersects(&d->p->seat[r].cpus, &twice);
	pit_idset_free(&seen);
	pit_idset_free(&twice);
	return rc;
}

/* From the nearest of its GPUs' nodes to the farthest CPU; 0 when some of it is not known. */
static void set_distance(const struct pit_draft *d, struct pit_seat *seat)
{
	unsigned farthest = 0;

	for (size_t g = 0; g < d->groups; g++) {
		const struct pit_group *group = &d->group[g];
		unsigned nearest = 0;
		bool any = false;

		for (size_t i = group->first; !any && i < group->first + group->count; i++)
			any = pit_idset_intersects(&seat->cpus, &d->unit[i].cpus);
		if (!any)
			continue;
		for (int gpu = seat->gpu_first; gpu < seat->gpu_first + seat->gpus; gpu++) {
			unsigned way = pit_draft_distance(d, pit_draft_gpu_node(d, gpu), (int)g);

			nearest = way && (!nearest || way < nearest) ? way : nearest;
		}
		if (!nearest)
			return;
		farthest = nearest > farthest ? nearest : farthest;
	}
	seat->distance = farthest;
}

/* The k-th card of a node, of those for RDMA when there are some; -1 none. */
static int nic_of_node(const struct pit_site *s, int node_at, size_t k)
{
	size_t cards = 0, rdma = 0, n = 0;

	for (size_t i = 0; i < s->nics; i++) {
		cards += s->nic[i].node_at == node_at;
		rdma += s->nic[i].node_at == node_at && s->nic[i].rdma;
	}
	if (!cards)
		return -1;
	for (size_t i = 0; i < s->nics; i++) {
		if (s->nic[i].node_at != node_at || (rdma && !s->nic[i].rdma))
			continue;
		if (n++ == k % (rdma ? rdma : cards))
			return (int)i;
	}
	return -1;
}

static int set_nic(struct pit_draft *d, int r)
{
	struct pit_seat *seat = &d->p->seat[r];
	const struct pit_site_gpu *gpu = seat->gpus ? &d->site->gpu[seat->gpu_first] : NULL;
	size_t before = 0;

	if (gpu && gpu->nic_at >= 0 && (size_t)gpu->nic_at < d->site->nics) {
		seat->nic_at = gpu->nic_at;
		return pit_strv_addf(&seat->why, "network card %s%s%s", d->site->nic[gpu->nic_at].handle,
				     gpu->nic_why[0] ? ": " : " is nearest to its GPU", gpu->nic_why);
	}
	if (seat->home_at < 0)
		return 0;
	for (int i = 0; i < r; i++)
		before += d->p->seat[i].home_at == seat->home_at;
	seat->nic_at = nic_of_node(d->site, seat->home_at, before);
	if (seat->nic_at < 0)
		return 0;
	return pit_strv_addf(&seat->why, "network card %s is on its node", d->site->nic[seat->nic_at].handle);
}

int pit_draft_near(struct pit_draft *d)
{
	pit_auto_free unsigned *owners = calloc(d->units, sizeof(*owners));
	int rc = 0;

	if (!owners)
		return -ENOMEM;
	count_owners(d, owners);
	for (int r = 0; !rc && r < d->p->ranks; r++) {
		set_threads(d, &d->p->seat[r], owners);
		set_distance(d, &d->p->seat[r]);
		rc = set_nic(d, r);
	}
	return rc ? rc : mark_shared(d);
}
