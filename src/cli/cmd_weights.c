/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "cli/verbs.h"
#include "cli/weights.h"

static const struct pit_cmd verb_inspect = {
	.name = "inspect",
	.summary = "list tensors: names, types, shapes, and where they lie",
	.run = pit_cli_weights_inspect,
};

static const struct pit_cmd verb_verify = {
	.name = "verify",
	.summary = "read everything and compare checksums",
	.run = pit_cli_weights_verify,
};

static const struct pit_cmd verb_time = {
	.name = "time",
	.summary = "read everything as a server does at its start",
	.run = pit_cli_weights_time,
};

static const struct pit_cmd *const verbs[] = {&verb_inspect, &verb_verify, &verb_time, NULL};

void pit_cli_weights_model(struct argp_state *state, int key, char *arg, const char **model)
{
	if (key == ARGP_KEY_ARG && *model)
		pit_cli_usage(state, "'%s': one MODEL at a time", arg);
	if (key == ARGP_KEY_ARG)
		*model = arg;
	else if (!*model)
		pit_cli_usage(state, "a MODEL is missing");
}

const struct argp_option pit_cli_model_options[] = {
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

error_t pit_cli_model_parse(int key, char *arg, struct argp_state *state)
{
	struct pit_cli_model *m = state->input;

	switch (key) {
	case 'f':
		m->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
	case ARGP_KEY_END:
		pit_cli_weights_model(state, key, arg, &m->model);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int pit_cli_weights_fail(int rc, const struct pit_error *err)
{
	int code = pit_cli_fail(err);

	return rc == -EBADMSG || rc == -EINVAL ? PIT_EXIT_FAIL : code;
}

static int run(int argc, char **argv)
{
	static const struct pit_verbs weights = {.name = "weights",
						 .usage = "[OPTION...] MODEL",
						 .about = "Look at the weights of a model.",
						 .verbs = verbs};

	return pit_cli_verbs(&weights, argc, argv);
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
