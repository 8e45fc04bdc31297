/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

static int run(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_cmd_bench = {
	.name = "bench",
	.summary = "measure what I/O this machine allows, and why",
	.run = run,
};
