/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

int pit_persist(const struct pit_knob *knob, struct pit_scene *scene, struct pit_wishes *wishes, struct pit_error *err)
{
	return -ENOSYS;
}
