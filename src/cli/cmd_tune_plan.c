/* SPDX-License-Identifier: MIT */
#include "cli/tune.h"

static int run_plan(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_plan = {.name = "plan", .summary = "", .run = run_plan};

static int run_apply(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_apply = {.name = "apply", .summary = "", .run = run_apply};
