/* SPDX-License-Identifier: MIT */
#include "cli/tune.h"

static int run_revert(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_revert = {.name = "revert", .summary = "", .run = run_revert};
