/* SPDX-License-Identifier: MIT */
#include "tune/resolve.h"

#include "base/parse.h"

#define NO_TURBO "/sys/devices/system/cpu/intel_pstate/no_turbo"
#define BOOST "/sys/devices/system/cpu/cpufreq/boost"

int pit_resolve_turbo(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		      struct pit_error *err)
{
	struct pit_root *root = pit_scene_root(scene);
	bool on, inverted = !pit_root_exists(root, NO_TURBO);
	struct pit_cell cell = {0};
	int rc;

	if (pit_parse_bool(setting->value, &on))
		return pit_fail(err, EINVAL, "'%s' is neither on nor off", setting->value);
	rc = inverted ? 0 : pit_root_exists(root, BOOST);
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_wishes_absent(ret, "no turbo switch here; the firmware or the hypervisor decides");
	if (rc)
		return pit_fail(err, -rc, BOOST);
	rc = pit_cell_set(&cell, PIT_TARGET_KERNEL, PIT_VALUE_BOOL, "%s", inverted ? NO_TURBO : BOOST);
	rc = rc ? rc : pit_wish_add(ret, &cell, on != inverted ? "1" : "0");
	pit_cell_free(&cell);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}
