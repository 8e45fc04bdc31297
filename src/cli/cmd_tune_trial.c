/* SPDX-License-Identifier: MIT */
#include "cli/tune.h"

static int run_trial(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_trial = {.name = "trial", .summary = "", .run = run_trial};

static int run_bisect(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_bisect = {.name = "bisect", .summary = "", .run = run_bisect};
