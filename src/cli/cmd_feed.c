/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

static int run(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_cmd_feed = {
	.name = "feed",
	.summary = "index, verify and time the samples that a job reads",
	.run = run,
};
