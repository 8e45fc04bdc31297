/* SPDX-License-Identifier: MIT
 *
 * How many ranks there are, and which GPUs each has.
 */
#include "launch/placement_draft.h"

#include <string.h>

static int count_ranks(const struct pit_site *s, const struct pit_placement_request *r, int *ret, struct pit_error *err)
{
	long by_gpu = (long)r->per_gpu * (long)s->gpus;

	if (r->ranks < 0 || r->per_gpu < 0 || r->reserve < 0)
		return pit_fail(err, EINVAL,
				"the number of ranks, of ranks for each GPU, or of reserved CPUs is negative");
	if (r->per_gpu && !s->gpus)
		return pit_fail(err, EINVAL, "--per-gpu %d: this job sees no GPU (%s); use --ranks N", r->per_gpu,
				s->gpus_why[0] ? s->gpus_why : "none was found");
	if (r->per_gpu && r->ranks && r->ranks != by_gpu)
		return pit_fail(err, EINVAL,
				"--ranks %d and --per-gpu %d (%ld ranks on %zu GPUs) disagree; give one of them",
				r->ranks, r->per_gpu, by_gpu, s->gpus);
	if (r->ranks > PIT_RANKS_MAX || by_gpu > PIT_RANKS_MAX)
		return pit_fail(err, EINVAL, "%ld ranks are more than one host takes (%d)",
				r->per_gpu ? by_gpu : (long)r->ranks, PIT_RANKS_MAX);
	*ret = r->per_gpu ? (int)by_gpu : r->ranks ? r->ranks : 1;
	return 0;
}

static bool any_mig(const struct pit_site *s)
{
	for (size_t i = 0; i < s->gpus; i++)
		if (s->gpu[i].mig)
			return true;
	return false;
}

static enum pit_gpu_view view_of(const struct pit_draft *d)
{
	int ranks = d->p->ranks;

	if (d->request->view != PIT_GPU_VIEW_AUTO)
		return d->request->view;
	if (ranks == 1 || ((size_t)ranks <= d->site->gpus && !any_mig(d->site)))
		return PIT_GPU_VIEW_ALL;
	return PIT_GPU_VIEW_OWN;
}

/* GPUs of rank r of R on G GPUs. */
static void take_gpus(struct pit_draft *d, int r)
{
	struct pit_seat *seat = &d->p->seat[r];
	int ranks = d->p->ranks, gpus = (int)d->site->gpus;

	if (!gpus)
		return;
	if (ranks >= gpus) {
		seat->gpu_first = (int)((long)r * gpus / ranks);
		seat->gpus = 1;
	} else if (ranks > 1 && d->p->view == PIT_GPU_VIEW_ALL) {
		seat->gpu_first = r;
		seat->gpus = 1;
	} else {
		int each = gpus / ranks, over = gpus % ranks;

		seat->gpu_first = r * each + (r < over ? r : over);
		seat->gpus = each + (r < over);
	}
}

static int count_sharers(struct pit_draft *d)
{
	for (int r = 0, last; r < d->p->ranks; r = last) {
		struct pit_seat *seat = &d->p->seat[r];

		for (last = r; last < d->p->ranks && d->p->seat[last].gpu_first == seat->gpu_first; last++)
			;
		for (int i = r; i < last; i++) {
			struct pit_seat *s = &d->p->seat[i];
			int rc = 0;

			s->gpu_sharers = s->gpus ? last - r : 0;
			if (s->gpu_sharers > 1)
				rc = pit_strv_addf(&s->why, "%d ranks share this GPU, and its memory", last - r);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int warn_unused(struct pit_draft *d)
{
	const struct pit_seat *last = &d->p->seat[d->p->ranks - 1];
	int used = last->gpu_first + last->gpus, gpus = (int)d->site->gpus;
	char name[96];

	if (used >= gpus)
		return 0;
	if (used == gpus - 1)
		return pit_strv_addf(&d->p->warnings, "%s has no rank; --gpu-view own would give it to one",
				     pit_draft_gpu_name(d, used, name, sizeof(name)));
	return pit_strv_addf(&d->p->warnings,
			     "each of the GPUs %d-%d has no rank; --gpu-view own would give ranks several GPUs", used,
			     gpus - 1);
}

static int warn_view(struct pit_draft *d)
{
	const struct pit_site *s = d->site;
	int ranks = d->p->ranks;
	bool all = d->p->view == PIT_GPU_VIEW_ALL;
	int rc = 0;

	if (all && s->gpus && (size_t)ranks > s->gpus)
		rc = pit_strv_addf(
			&d->p->warnings,
			"all %d ranks see %s%zu GPU%s: cuda:LOCAL_RANK does not exist for ranks from %zu on; "
			"--gpu-view own gives each its GPU as cuda:0",
			ranks, s->gpus == 1 ? "the " : "all ", s->gpus, s->gpus == 1 ? "" : "s", s->gpus);
	if (!rc && all && ranks > 1 && any_mig(s))
		rc = pit_strv_add(&d->p->warnings, "CUDA shows a process only the first MIG instance of its list: with "
						   "--gpu-view all every rank would use the same one");
	for (int r = 0; !rc && r < ranks && (!all || ranks == 1); r++)
		if (d->p->seat[r].gpus > 1 && s->gpu[d->p->seat[r].gpu_first].mig)
			rc = pit_strv_addf(
				&d->p->warnings,
				"rank %d has %d devices, but CUDA shows a process only the first MIG instance", r,
				d->p->seat[r].gpus);
	return rc ? rc : warn_unused(d);
}

int pit_draft_seats(struct pit_draft *d, struct pit_error *err)
{
	int rc = count_ranks(d->site, d->request, &d->p->ranks, err);

	if (rc)
		return rc;
	d->p->seat = calloc((size_t)d->p->ranks, sizeof(*d->p->seat));
	if (!d->p->seat)
		return -ENOMEM;
	d->p->view = view_of(d);
	for (int r = 0; r < d->p->ranks; r++) {
		d->p->seat[r].home_at = d->p->seat[r].nic_at = -1;
		take_gpus(d, r);
	}
	if (!d->site->gpus)
		return 0;
	rc = count_sharers(d);
	return rc ? rc : warn_view(d);
}
