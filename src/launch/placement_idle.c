/* SPDX-License-Identifier: MIT
 *
 * Allowed CPUs that nobody was given, and why.
 */
#include "launch/placement_draft.h"

static int say(struct pit_draft *d, const struct pit_idset *cpus, const char *why)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (pit_idset_is_empty(cpus))
		return 0;
	pit_idset_print(cpus, &text);
	return text.failed ? -ENOMEM : pit_strv_addf(&d->p->idle_why, "CPUs %s: %s", text.data, why);
}

static int say_other_threads(struct pit_draft *d)
{
	pit_auto_idset struct pit_idset rest = {0};
	int rc = pit_idset_copy(&rest, &d->p->idle);

	for (size_t i = 0; i < d->units; i++)
		pit_idset_subtract(&rest, &d->unit[i].cpus);
	return rc ? rc : say(d, &rest, "further threads of cores (--smt 1)");
}

static int say_group(struct pit_draft *d, int group)
{
	const struct pit_group *g = &d->group[group];
	pit_auto_idset struct pit_idset rest = {0};
	size_t home;
	char name[48], why[160];
	int rc = 0;

	for (size_t i = g->first; !rc && i < g->first + g->count; i++)
		rc = pit_idset_unite(&rest, &d->unit[i].cpus);
	if (rc)
		return rc;
	pit_idset_intersect(&rest, &d->p->idle);
	pit_draft_members(d, group, &home);
	pit_draft_group_name(d, group, name, sizeof(name));
	if (home)
		snprintf(why, sizeof(why), "L3 caches of %s that no rank was given (--bind l3)", name);
	else
		snprintf(why, sizeof(why), "no rank is at home on %s (%s %s)", name,
			 d->p->bind == PIT_BIND_EXCLUSIVE ? "--spill" : "--bind",
			 d->p->bind == PIT_BIND_EXCLUSIVE ? pit_spill_names[d->request->spill]
							  : pit_bind_names[d->p->bind]);
	return say(d, &rest, why);
}

int pit_draft_idle(struct pit_draft *d)
{
	int rc;

	if (d->p->bind == PIT_BIND_NONE)
		return 0;
	rc = pit_idset_copy(&d->p->idle, &d->site->allowed);
	if (rc)
		return rc;
	pit_idset_subtract(&d->p->idle, &d->p->reserved);
	for (int r = 0; r < d->p->ranks; r++)
		pit_idset_subtract(&d->p->idle, &d->p->seat[r].cpus);
	rc = say_other_threads(d);
	for (int g = 0; !rc && g < (int)d->groups; g++)
		rc = say_group(d, g);
	return rc;
}
