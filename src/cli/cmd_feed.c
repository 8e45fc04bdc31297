/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/nearest.h"
#include "cli/feed.h"

static const struct pit_cmd verbs[] = {
	{.name = "index", .summary = "list samples, and keep where they lie in tar shards", .run = pit_cli_feed_index},
	{.name = "verify",
	 .summary = "read all samples: are they complete, and as they were?",
	 .run = pit_cli_feed_verify},
	{.name = "bench", .summary = "time the loader on these samples", .run = pit_cli_feed_bench},
};

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew feed VERB [OPTION...] PATH...\n"
	      "Look after the samples that a job reads.\n\n",
	      to);
	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		fprintf(to, "  %-7s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n'pitcrew feed VERB --help' and 'man pitcrew-feed' tell more.\n", to);
}

static int unknown(const char *word)
{
	const char *names[PIT_COUNT(verbs) + 1] = {0};
	const char *nearest;

	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		names[i] = verbs[i].name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew feed: '%s' is not a verb; did you mean '%s'?\n", word, nearest);
	else
		fprintf(stderr, "pitcrew feed: '%s' is not a verb; 'pitcrew feed --help' lists them\n", word);
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
		snprintf(name, sizeof(name), "pitcrew feed %s", verbs[i].name);
		argv[1] = name;
		return verbs[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

const struct pit_cmd pit_cmd_feed = {
	.name = "feed",
	.summary = "index, verify and time the samples that a job reads",
	.run = run,
};
