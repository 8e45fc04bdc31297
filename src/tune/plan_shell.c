/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

void pit_plan_shell(const struct pit_plan *p, struct pit_buf *out)
{
}
