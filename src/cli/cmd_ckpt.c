/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

static int run(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_cmd_ckpt = {
	.name = "ckpt",
	.summary = "inspect, verify and convert checkpoints",
	.run = run,
};
