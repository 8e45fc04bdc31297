/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"
#include "topo/view.h"

struct options {
	const char *root;
	bool json;
};

enum { KEY_ROOT = 256 };

static const struct argp_option argp_options[] = {
	{"root", KEY_ROOT, "PATH", 0, "Show a recorded machine: a directory or a tarball"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_ROOT:
		o->root = arg;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
		pit_cli_usage(state, "'%s': --root=PATH names a recorded machine", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Show CPUs, NUMA nodes, caches, GPUs, network cards and disks: who is near whom, and what may be used "
	       "here.\vExit codes: 0 shown, 3 could not, 64 usage.",
};

static int show(const struct options *o, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_topo *t = NULL;
	int rc = pit_root_open(o->root, &root, err);

	if (!rc)
		rc = pit_topo_load(root, &t, err);
	if (!rc && o->json)
		rc = pit_topo_json(t, out);
	else if (!rc)
		pit_topo_draw(t, out);
	pit_topo_free(t);
	return rc;
}

static int run(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct options o = {0};
	struct pit_error err = PIT_ERROR_INIT;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (show(&o, &out, &err))
		return pit_cli_fail(&err);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

const struct pit_cmd pit_cmd_topo = {
	.name = "topo",
	.summary = "show CPUs, nodes, GPUs, network cards, disks: who is near whom",
	.run = run,
};
