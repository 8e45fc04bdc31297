/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/nearest.h"
#include "cli/ckpt.h"

static const struct pit_cmd verbs[] = {
	{.name = "inspect", .summary = "what is in a checkpoint or file", .run = pit_cli_ckpt_inspect},
	{.name = "verify",
	 .summary = "read everything and compare checksums: any flipped bit shows",
	 .run = pit_cli_ckpt_verify},
	{.name = "convert",
	 .summary = "between checkpoints, single files and sharded models",
	 .run = pit_cli_ckpt_convert},
};

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew ckpt VERB [OPTION...] PATH...\n"
	      "Look after what a job saved.\n\n",
	      to);
	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n'pitcrew ckpt VERB --help' and 'man pitcrew-ckpt' tell more.\n", to);
}

static int unknown(const char *word)
{
	const char *names[PIT_COUNT(verbs) + 1] = {0};
	const char *nearest;

	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		names[i] = verbs[i].name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew ckpt: '%s' is not a verb; did you mean '%s'?\n", word, nearest);
	else
		fprintf(stderr, "pitcrew ckpt: '%s' is not a verb; 'pitcrew ckpt --help' lists them\n", word);
	return PIT_EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	char name[64];

	if (argc < 2) {
		print_help(stderr);
		return PIT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-?")) {
		print_help(stdout);
		return PIT_EXIT_OK;
	}
	for (size_t i = 0; i < PIT_COUNT(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		snprintf(name, sizeof(name), "pitcrew ckpt %s", verbs[i].name);
		argv[1] = name;
		return verbs[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

const struct pit_cmd pit_cmd_ckpt = {
	.name = "ckpt",
	.summary = "inspect, verify and convert checkpoints",
	.run = run,
};
