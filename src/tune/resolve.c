/* SPDX-License-Identifier: MIT */
#include "tune/knob.h"

int pit_knob_wishes(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	return -ENOSYS;
}
