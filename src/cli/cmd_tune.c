/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/nearest.h"
#include "cli/tune.h"

static const struct pit_cmd *const verbs[] = {
	&pit_tune_plan, &pit_tune_apply,  &pit_tune_status, &pit_tune_verify,
	&pit_tune_log,  &pit_tune_revert, &pit_tune_trial,  &pit_tune_bisect,
};

static const struct pit_cmd *const for_units[] = {&pit_tune_boot, &pit_tune_hold_latency};

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew tune VERB [OPTION...]\n"
	      "Change what `pitcrew check` found wrong, with a journal that puts everything back.\n\n",
	      to);
	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fputs("\nTry 'pitcrew tune plan': it only looks. 'pitcrew tune VERB --help' and 'man pitcrew-tune' tell more.\n",
	      to);
}

static int unknown(const char *word)
{
	const char *names[PIT_COUNT(verbs) + 1] = {0};
	const char *nearest;

	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		names[i] = verbs[i]->name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew tune: '%s' is not a verb; did you mean '%s'?\n", word, nearest);
	else
		fprintf(stderr, "pitcrew tune: '%s' is not a verb; 'pitcrew tune --help' lists them\n", word);
	return PIT_EXIT_USAGE;
}

static const struct pit_cmd *find(const char *word, const struct pit_cmd *const *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, from[i]->name))
			return from[i];
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct pit_cmd *verb;
	char name[64];

	if (argc < 2) {
		print_help(stderr);
		return PIT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-?")) {
		print_help(stdout);
		return PIT_EXIT_OK;
	}
	verb = find(argv[1], verbs, PIT_COUNT(verbs));
	if (!verb)
		verb = find(argv[1], for_units, PIT_COUNT(for_units));
	if (!verb)
		return unknown(argv[1]);
	snprintf(name, sizeof(name), "pitcrew tune %s", verb->name);
	argv[1] = name;
	return verb->run(argc - 1, argv + 1);
}

const struct pit_cmd pit_cmd_tune = {
	.name = "tune",
	.summary = "change what is wrong, with a journal that puts everything back",
	.run = run,
};
