/* SPDX-License-Identifier: MIT */
#include "cli/feed.h"
#include "cli/verbs.h"

static const struct pit_cmd verb_index = {
	.name = "index",
	.summary = "list samples, and keep where they lie in tar shards",
	.run = pit_cli_feed_index,
};

static const struct pit_cmd verb_verify = {
	.name = "verify",
	.summary = "read all samples: are they complete, and as they were?",
	.run = pit_cli_feed_verify,
};

static const struct pit_cmd verb_bench = {
	.name = "bench",
	.summary = "time the loader on these samples",
	.run = pit_cli_feed_bench,
};

static const struct pit_cmd *const verbs[] = {&verb_index, &verb_verify, &verb_bench, NULL};

static int run(int argc, char **argv)
{
	static const struct pit_verbs feed = {.name = "feed",
					      .usage = "[OPTION...] PATH...",
					      .about = "Look after the samples that a job reads.",
					      .verbs = verbs};

	return pit_cli_verbs(&feed, argc, argv);
}

const struct pit_cmd pit_cmd_feed = {
	.name = "feed",
	.summary = "index, verify and time the samples that a job reads",
	.run = run,
};
