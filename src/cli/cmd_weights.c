/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <string.h>

#include "base/nearest.h"
#include "base/path.h"
#include "cli/weights.h"

static const struct pit_cmd verbs[] = {
	{.name = "inspect",
	 .summary = "list tensors: names, types, shapes, and where they lie",
	 .run = pit_cli_weights_inspect},
	{.name = "verify", .summary = "read everything and compare checksums", .run = pit_cli_weights_verify},
	{.name = "time", .summary = "read everything as a server does at its start", .run = pit_cli_weights_time},
};

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew weights VERB [OPTION...] MODEL\n"
	      "Look at the weights of a model.\n\n",
	      to);
	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n'pitcrew weights VERB --help' and 'man pitcrew-weights' tell more.\n", to);
}

static int unknown(const char *word)
{
	const char *names[PIT_COUNT(verbs) + 1] = {0};
	const char *nearest;

	for (size_t i = 0; i < PIT_COUNT(verbs); i++)
		names[i] = verbs[i].name;
	nearest = pit_nearest(word, names);
	if (nearest)
		fprintf(stderr, "pitcrew weights: '%s' is not a verb; did you mean '%s'?\n", word, nearest);
	else
		fprintf(stderr, "pitcrew weights: '%s' is not a verb; 'pitcrew weights --help' lists them\n", word);
	return PIT_EXIT_USAGE;
}

void pit_cli_weights_model(struct argp_state *state, int key, char *arg, const char **model)
{
	if (key == ARGP_KEY_ARG && *model)
		pit_cli_usage(state, "'%s': one MODEL at a time", arg);
	if (key == ARGP_KEY_ARG)
		*model = arg;
	else if (!*model)
		pit_cli_usage(state, "a MODEL is missing");
}

int pit_cli_weights_fail(int rc, const struct pit_error *err)
{
	int code = pit_cli_fail(err);

	return rc == -EBADMSG || rc == -EINVAL ? PIT_EXIT_FAIL : code;
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
		snprintf(name, sizeof(name), "pitcrew weights %s", verbs[i].name);
		argv[1] = name;
		return verbs[i].run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

const struct pit_cmd pit_cmd_weights = {
	.name = "weights",
	.summary = "inspect, verify and time the reading of weights",
	.run = run,
};

static bool has_file(const struct pit_weights *w, const char *name)
{
	const char *path;

	for (size_t i = 0; (path = pit_weights_file(w, i)); i++)
		if (!strcmp(pit_base_name(path), name))
			return true;
	return false;
}

void pit_cli_weights_foreign(const char *model, const struct pit_weights *w, void (*found)(void *arg, const char *name),
			     void *arg)
{
	pit_auto_free char *beside = strndup(model, (size_t)(pit_base_name(model) - model));
	bool index = pit_ends_with(model, ".json");
	pit_auto_closedir DIR *dir = beside ? opendir(!index ? model : *beside ? beside : ".") : NULL;

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (*e->d_name != '.' && pit_ends_with(e->d_name, ".safetensors") && !has_file(w, e->d_name))
			found(arg, e->d_name);
}
