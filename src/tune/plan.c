/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

int pit_plan_make(struct pit_scene *scene, const struct pit_profile *profile, const struct pit_plan_options *options,
		  struct pit_plan *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_plan_free(struct pit_plan *p)
{
}
