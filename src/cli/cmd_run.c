/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "cli/run.h"
#include "launch/emit.h"
#include "launch/explain.h"
#include "launch/supervise.h"

/* How long a reader of stderr that does not read may hold us up. */
#define SAY_MS 100
#define REPORT_MS 2000

extern char **environ;

enum { KEY_EXPLAIN = 256, KEY_DRY_RUN, KEY_EMIT, KEY_ROOT, KEY_COLOUR };

static const struct argp_option argp_options[] = {
	{"explain", KEY_EXPLAIN, NULL, 0, "Show on stderr what was decided and why, then run", 10},
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Show it on stdout, and do not run", 10},
	{"emit", KEY_EMIT, "ENGINE", 0, "Print the same job for numactl, torchrun, slurm, systemd or docker instead",
	 10},
	{"format", 'f', "FORM", 0, "With --dry-run: text (default) or json", 10},
	{"root", KEY_ROOT, "PATH", 0, "With --dry-run or --emit: plan for a recorded machine, a directory or a tarball",
	 10},
	{"color", KEY_COLOUR, "WHEN", 0, "auto (default), always, never", 10},
	{0},
};

void pit_run_options_free(struct pit_run_options *o)
{
	pit_strv_free(&o->job.io);
	pit_strv_free(&o->job.env);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_run_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		for (size_t i = 0; state->root_argp->children[i].argp; i++)
			state->child_inputs[i] = o;
		break;
	case KEY_EXPLAIN:
		o->explain = true;
		break;
	case KEY_DRY_RUN:
		o->dry_run = true;
		break;
	case KEY_EMIT:
		o->emit = pit_cli_choice(state, "emit", arg, pit_emit_names);
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case KEY_ROOT:
		o->root = arg;
		break;
	case KEY_COLOUR:
		o->colour = pit_cli_colour(state, arg);
		break;
	case ARGP_KEY_ARGS:
		o->job.argv = state->argv + state->next;
		state->next = state->argc;
		break;
	case ARGP_KEY_END:
		pit_run_check(state, o);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{.argp = &pit_run_ranks_argp, .header = "How many ranks, on which GPUs:", .group = 1},
	{.argp = &pit_run_limits_argp, .header = "Limits of each rank:", .group = 2},
	{.argp = &pit_run_end_argp, .header = "While it runs, and how it ends:", .group = 3},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.children = children,
	.args_doc = "[--] COMMAND [ARG...]",
	.doc = "Start the ranks of a job in the right place, pass signals on, and stop all when one fails. Nothing that "
	       "they started is left behind.\v"
	       "Exit codes: the job's own (of the rank that failed first; 128 + N ended by signal N), 64 usage, 125 pitcrew "
	       "could not do its part, 126 the command cannot be executed, 127 it is not found.",
};

static int fail(const struct pit_error *err, int code)
{
	(void)pit_cli_fail(err);
	return code;
}

static void say(void *arg, const char *line)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_buf_puts(&out, "pitcrew: ");
	pit_page_clip(&out, line, SIZE_MAX);
	pit_buf_putc(&out, '\n');
	pit_sink_say(STDERR_FILENO, out.data, out.len, SAY_MS, NULL);
}

static void report(void *arg, const struct pit_exit_report *r, const struct pit_hurry *hurry)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_exit_report_text(r, &out);
	pit_sink_say(STDERR_FILENO, out.data, out.len, REPORT_MS, hurry);
}

/* 126 and 127 are of the command alone. */
static int check_dir(const char *dir, struct pit_error *err)
{
	pit_auto_close int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir && (fd < 0 || faccessat(fd, ".", X_OK, AT_EACCESS)))
		return pit_fail(err, errno, "--chdir=%s: %s", dir, strerror(errno));
	return 0;
}

static int supervise(struct pit_root *root, struct pit_job *j)
{
	struct pit_supervise s = {.root = root, .job = j, .say = say, .report = report};
	struct pit_error err = PIT_ERROR_INIT;
	int code;

	if (check_dir(j->options->dir, &err))
		return fail(&err, PIT_RUN_CANNOT);
	if (!j->program)
		return fail(&j->program_error,
			    j->program_error.code == ENOENT ? PIT_RUN_NOT_FOUND : PIT_RUN_NOT_EXECUTABLE);
	code = pit_supervise(&s, &err);
	return code < 0 ? fail(&err, PIT_RUN_CANNOT) : code;
}

static int print(const struct pit_buf *out)
{
	return pit_cli_print(out, PIT_EXIT_OK) ? PIT_RUN_CANNOT : PIT_EXIT_OK;
}

static int show(const struct pit_run_options *o, const struct pit_job *j)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDOUT_FILENO, o->colour, &out);

	if (o->json)
		out.failed |= pit_explain_json(j, &out) != 0;
	else
		pit_explain_text(j, &page, &out);
	return print(&out);
}

static int emit(const struct pit_run_options *o, const struct pit_job *j)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_emit(j, (enum pit_emit)o->emit, &out, &err))
		return fail(&err, PIT_RUN_CANNOT);
	return print(&out);
}

static int explain_and_run(const struct pit_run_options *o, struct pit_root *root, struct pit_job *j)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = pit_page_for(STDERR_FILENO, o->colour, &out);

	if (o->explain) {
		pit_explain_text(j, &page, &out);
		pit_sink_say(STDERR_FILENO, out.data, out.len, INT_MAX, NULL); /* nothing runs yet */
	}
	return supervise(root, j);
}

static int plan_and_run(const struct pit_run_options *o)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_job job = {0};
	int code;

	if (pit_root_open(o->root, &root, &err) || pit_cli_check_root(root, &err) ||
	    pit_job_plan(root, &o->job, environ, &job, &err))
		return fail(&err, PIT_RUN_CANNOT);
	if (o->dry_run)
		code = show(o, &job);
	else if (o->emit >= 0)
		code = emit(o, &job);
	else
		code = explain_and_run(o, root, &job);
	pit_job_free(&job);
	return code;
}

static int run(int argc, char **argv)
{
	struct pit_run_options o = PIT_RUN_OPTIONS_INIT;
	int code;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	code = plan_and_run(&o);
	pit_run_options_free(&o);
	return code;
}

const struct pit_cmd pit_cmd_run = {
	.name = "run",
	.summary = "start the ranks of a job in the right place, watch and stop them",
	.run = run,
};
