/* SPDX-License-Identifier: MIT
 *
 * Is the profile meant for such a machine? One for a kind of work changes much that only pays where GPUs wait.
 */
#include "tune/plan_draft.h"

int pit_draft_workload(struct pit_draft *d)
{
	const struct pit_topo *topo;
	char text[400];

	if (!d->profile->workload || pit_scene_topo(d->scene, &topo, NULL) || pit_topo_count(topo, PIT_DEVICE_GPU))
		return 0;
	snprintf(text, sizeof(text),
		 "this machine has no GPU that pitcrew can see: profile %.80s is meant for hosts with one; "
		 "shared-workstation or base changes less",
		 d->profile->name);
	return pit_strv_add(&d->plan.notes, text) ? pit_draft_no_memory(d) : 0;
}
