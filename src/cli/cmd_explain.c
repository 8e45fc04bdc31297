/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check/run.h"
#include "cli/cmd.h"
#include "report/text.h"

struct options {
	char **words;
	int count;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_ARGS:
		o->words = state->argv + state->next;
		o->count = state->argc - state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		pit_cli_usage(state, "name a check; 'pitcrew check --list' has them all");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "ID...\naccess USER PATH",
	.doc = "Tell all about checks: what each judges, why it matters, where its threshold comes from, what to do.",
};

static int explain_checks(const struct options *o)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	struct pit_page page = pit_page_for(STDOUT_FILENO, "auto", &out);
	struct pit_error err = PIT_ERROR_INIT;

	for (int i = 0; i < o->count; i++) {
		struct pit_selection one = {0};
		int rc = pit_selection_add(&one.only, o->words[i], &err);

		if (!rc) {
			PIT_CATALOG_FOREACH (row) {
				if (!pit_selection_has(&one, row))
					continue;
				if (out.len)
					pit_buf_putc(&out, '\n');
				pit_explain(row, &page);
			}
		}
		pit_strv_free(&one.only);
		if (rc) {
			fprintf(stderr, "pitcrew: %s\n", err.text);
			return PIT_EXIT_USAGE;
		}
	}
	return pit_cli_print(&out, PIT_EXIT_OK);
}

static int run(int argc, char **argv)
{
	struct options o = {0};

	if (argc > 1 && !strcmp(argv[1], "access"))
		return pit_cli_explain_access(argc - 1, argv + 1);
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	return explain_checks(&o);
}

const struct pit_cmd pit_cmd_explain = {
	.name = "explain",
	.summary = "tell all about a check",
	.run = run,
};
