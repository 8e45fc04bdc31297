/* SPDX-License-Identifier: MIT */
#include "cli/verbs.h"

#include <string.h>

#include "base/nearest.h"

static void print_help(const struct pit_verbs *v, FILE *to)
{
	int width = 0;

	fprintf(to, "Usage: pitcrew %s VERB %s\n%s\n\n", v->name, v->usage, v->about);
	for (const struct pit_cmd *const *c = v->verbs; *c; c++)
		width = (int)strlen((*c)->name) > width ? (int)strlen((*c)->name) : width;
	for (const struct pit_cmd *const *c = v->verbs; *c; c++)
		fprintf(to, "  %-*s %s\n", width + 2, (*c)->name, (*c)->summary);
	fprintf(to, "\n%s'pitcrew %s VERB --help' and 'man pitcrew-%s' tell more.\n", v->hint ? v->hint : "", v->name,
		v->name);
}

static int unknown(const struct pit_verbs *v, const char *word)
{
	const char *names[32] = {0};
	const char *nearest;

	for (size_t i = 0; v->verbs[i] && i < PIT_COUNT(names) - 1; i++)
		names[i] = v->verbs[i]->name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew %s: '%s' is not a verb; did you mean '%s'?\n", v->name, word, nearest);
	else
		fprintf(stderr, "pitcrew %s: '%s' is not a verb; 'pitcrew %s --help' lists them\n", v->name, word,
			v->name);
	return PIT_EXIT_USAGE;
}

static const struct pit_cmd *find(const struct pit_cmd *const *from, const char *word)
{
	for (; from && *from; from++)
		if (!strcmp(word, (*from)->name))
			return *from;
	return NULL;
}

int pit_cli_verbs(const struct pit_verbs *v, int argc, char **argv)
{
	const struct pit_cmd *verb;
	char name[64];

	if (argc < 2) {
		print_help(v, stderr);
		return PIT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-?")) {
		print_help(v, stdout);
		return PIT_EXIT_OK;
	}
	verb = find(v->verbs, argv[1]);
	if (!verb)
		verb = find(v->hidden, argv[1]);
	if (!verb)
		return unknown(v, argv[1]);
	snprintf(name, sizeof(name), "pitcrew %s %s", v->name, verb->name);
	argv[1] = name;
	return verb->run(argc - 1, argv + 1);
}
