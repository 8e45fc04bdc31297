/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

int pit_plan_conflicts(struct pit_scene *scene, struct pit_plan *plan, struct pit_error *err)
{
	return -ENOSYS;
}
