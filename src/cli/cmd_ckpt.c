/* SPDX-License-Identifier: MIT */
#include "cli/ckpt.h"
#include "cli/verbs.h"

static const struct pit_cmd verb_inspect = {
	.name = "inspect",
	.summary = "what is in a checkpoint or file",
	.run = pit_cli_ckpt_inspect,
};

static const struct pit_cmd verb_verify = {
	.name = "verify",
	.summary = "read everything and compare checksums: any flipped bit shows",
	.run = pit_cli_ckpt_verify,
};

static const struct pit_cmd verb_convert = {
	.name = "convert",
	.summary = "between checkpoints, single files and sharded models",
	.run = pit_cli_ckpt_convert,
};

static const struct pit_cmd *const verbs[] = {&verb_inspect, &verb_verify, &verb_convert, NULL};

static int run(int argc, char **argv)
{
	static const struct pit_verbs ckpt = {.name = "ckpt",
					      .usage = "[OPTION...] PATH...",
					      .about = "Look after what a job saved.",
					      .verbs = verbs};

	return pit_cli_verbs(&ckpt, argc, argv);
}

const struct pit_cmd pit_cmd_ckpt = {
	.name = "ckpt",
	.summary = "inspect, verify and convert checkpoints",
	.run = run,
};
