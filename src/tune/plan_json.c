/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

int pit_plan_json(const struct pit_plan *p, struct pit_buf *out)
{
	return -ENOSYS;
}
