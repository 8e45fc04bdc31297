/* SPDX-License-Identifier: MIT */
#include "tune/plan.h"

void pit_plan_text(const struct pit_plan *p, const struct pit_page *page)
{
}
