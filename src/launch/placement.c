/* SPDX-License-Identifier: MIT */
#include "launch/placement.h"

#include "launch/placement_draft.h"

/* One process that feeds GPUs of several nodes is the only job of such a machine as a rule. */
static bool spans_nodes(const struct pit_draft *d)
{
	const struct pit_seat *seat = &d->p->seat[0];
	int first = -1;

	for (int g = seat->gpu_first; g < seat->gpu_first + seat->gpus; g++) {
		int node_at = d->site->gpu[g].node_at;

		if (node_at >= 0 && first >= 0 && node_at != first)
			return true;
		first = first < 0 ? node_at : first;
	}
	return false;
}

static enum pit_bind bind_of(const struct pit_draft *d)
{
	if (d->request->bind != PIT_BIND_AUTO)
		return d->request->bind;
	return d->p->ranks > 1 || spans_nodes(d) ? PIT_BIND_EXCLUSIVE : PIT_BIND_NODE;
}

static bool l3s_known(const struct pit_draft *d)
{
	for (size_t i = 0; i < d->units; i++)
		if (d->unit[i].l3_at < 0)
			return false;
	return true;
}

static int choose_bind(struct pit_draft *d)
{
	d->p->bind = bind_of(d);
	if (d->p->bind == PIT_BIND_L3 && !l3s_known(d)) {
		d->p->bind = PIT_BIND_EXCLUSIVE;
		return pit_strv_add(&d->p->warnings,
				    "the L3 caches are not known: cores are divided as with --bind exclusive");
	}
	if (d->p->bind == PIT_BIND_NONE && d->request->reserve)
		return pit_strv_add(&d->p->warnings, "with --bind none nothing keeps ranks off the reserved CPUs");
	return 0;
}

static int give_cpus(struct pit_draft *d)
{
	switch (d->p->bind) {
	case PIT_BIND_EXCLUSIVE:
		return pit_draft_divide(d);
	case PIT_BIND_NONE:
		return 0;
	default:
		return pit_draft_share(d);
	}
}

static int make(struct pit_draft *d, struct pit_error *err)
{
	int rc = pit_draft_seats(d, err);

	if (!rc)
		rc = pit_draft_units(d, err);
	if (!rc)
		rc = choose_bind(d);
	if (!rc)
		rc = pit_draft_homes(d);
	if (!rc)
		rc = give_cpus(d);
	if (!rc)
		rc = pit_draft_memory(d);
	if (!rc)
		rc = pit_draft_near(d);
	return rc ? rc : pit_draft_idle(d);
}

static void free_draft(struct pit_draft *d)
{
	for (size_t i = 0; i < d->units; i++)
		pit_idset_free(&d->unit[i].cpus);
	free(d->unit);
	free(d->group);
	free(d->member);
}

int pit_placement_make(const struct pit_site *site, const struct pit_placement_request *request,
		       struct pit_placement *ret, struct pit_error *err)
{
	struct pit_placement p = {0};
	PIT_CLEANUP(free_draft) struct pit_draft d = {.site = site, .request = request, .p = &p};
	int rc = make(&d, err);

	if (rc) {
		pit_placement_free(&p);
		return rc == -ENOMEM ? pit_fail(err, ENOMEM, "no memory for a placement") : rc;
	}
	*ret = p;
	return 0;
}

void pit_placement_free(struct pit_placement *p)
{
	for (int r = 0; p->seat && r < p->ranks; r++) {
		pit_idset_free(&p->seat[r].cpus);
		pit_idset_free(&p->seat[r].mems);
		pit_strv_free(&p->seat[r].why);
	}
	free(p->seat);
	pit_idset_free(&p->reserved);
	pit_idset_free(&p->idle);
	pit_strv_free(&p->idle_why);
	pit_strv_free(&p->warnings);
	*p = (struct pit_placement){0};
}
