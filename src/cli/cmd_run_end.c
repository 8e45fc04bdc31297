/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/run.h"

enum {
	KEY_STOP_SIGNAL = 4096,
	KEY_GRACE,
	KEY_CHECKPOINT_SIGNAL,
	KEY_CHECKPOINT_GRACE,
	KEY_ON_PRESSURE,
	KEY_HORIZON,
	KEY_RESTART,
	KEY_AFTER,
	KEY_LOG_DIR,
};

static const struct argp_option argp_options[] = {
	{"stop-signal", KEY_STOP_SIGNAL, "SIGNAL", 0, "What stops a rank (default: the signal that asked, else TERM)",
	 9},
	{"grace", KEY_GRACE, "TIME", 0, "From the stop signal to SIGKILL (default 10s), or never", 9},
	{"checkpoint-signal", KEY_CHECKPOINT_SIGNAL, "SIGNAL", 0,
	 "What makes a rank save its state; sent to its first process alone, before the stop signal", 9},
	{"checkpoint-grace", KEY_CHECKPOINT_GRACE, "TIME", 0,
	 "How long ranks may save before they are stopped (default 60s)", 9},
	{"on-pressure", KEY_ON_PRESSURE, "WHAT", 0,
	 "When memory will run out: warn (default), checkpoint (warn, and send that signal), none", 9},
	{"pressure-horizon", KEY_HORIZON, "TIME", 0, "How long before the limit that is said (default 10s)", 9},
	{"restart", KEY_RESTART, "N", 0, "Start all ranks again after a failure, at most N times", 9},
	{"after", KEY_AFTER, "TIME", 0,
	 "When to look whether bindings still hold and memory is near (default 10s), or never", 9},
	{NULL, 0, NULL, 0, "What is shown:", 10},
	{"log-dir", KEY_LOG_DIR, "DIR", 0, "Write what ranks print to DIR/rank-N.out and .err, and a report as JSON",
	 10},
	{0},
};

static const char *const on_pressure[] = {
	[PIT_ON_PRESSURE_WARN] = "warn",
	[PIT_ON_PRESSURE_CHECKPOINT] = "checkpoint",
	[PIT_ON_PRESSURE_NONE] = "none",
	[PIT_ON_PRESSURE_NONE + 1] = NULL,
};

/* 0 means the default in the job, so a grace of nothing is one nanosecond. */
static int64_t parse_grace(struct argp_state *state, const char *option, const char *arg)
{
	int64_t ns = pit_run_duration(state, option, arg);

	return ns ? ns : 1;
}

/* A word for "no end", or a time. */
static int64_t parse_never(struct argp_state *state, const char *option, const char *arg, int64_t never)
{
	return strcmp(arg, "never") != 0 ? parse_grace(state, option, arg) : never;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_job_options *o = &((struct pit_run_options *)state->input)->job;

	switch (key) {
	case KEY_STOP_SIGNAL:
		o->ending.stop_signal = pit_run_signal(state, "stop-signal", arg);
		o->stop_signal_set = true;
		break;
	case KEY_GRACE:
		o->ending.grace = parse_never(state, "grace", arg, INT64_MAX);
		break;
	case KEY_CHECKPOINT_SIGNAL:
		o->ending.checkpoint_signal = pit_run_signal(state, "checkpoint-signal", arg);
		break;
	case KEY_CHECKPOINT_GRACE:
		o->ending.checkpoint_grace = parse_grace(state, "checkpoint-grace", arg);
		break;
	case KEY_ON_PRESSURE:
		o->on_pressure = (enum pit_on_pressure)pit_cli_choice(state, "on-pressure", arg, on_pressure);
		break;
	case KEY_HORIZON:
		o->pressure_horizon = parse_grace(state, "pressure-horizon", arg);
		break;
	case KEY_RESTART:
		o->restarts = pit_cli_number(state, "restart", arg, 0, 1000000);
		break;
	case KEY_AFTER:
		o->after = parse_never(state, "after", arg, -1);
		break;
	case KEY_LOG_DIR:
		o->log_dir = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_run_end_argp = {.options = argp_options, .parser = parse};

static void check_signals(struct argp_state *state, const struct pit_job_options *o)
{
	if (o->ending.checkpoint_signal)
		return;
	if (o->on_pressure == PIT_ON_PRESSURE_CHECKPOINT)
		pit_cli_usage(state, "--on-pressure=checkpoint: say with which --checkpoint-signal=SIGNAL");
	if (o->ending.checkpoint_grace)
		pit_cli_usage(state, "--checkpoint-grace goes with --checkpoint-signal=SIGNAL");
}

static void check_output(struct argp_state *state, const struct pit_run_options *o)
{
	if (o->dry_run && o->emit >= 0)
		pit_cli_usage(state,
			      "--dry-run prints the plan, --emit the job for another engine: choose one of them");
	if (o->explain && (o->dry_run || o->emit >= 0))
		pit_cli_usage(state, "--explain runs the job, --dry-run and --emit do not: choose one of them");
	if (o->json && !o->dry_run)
		pit_cli_usage(state, "--format=json goes with --dry-run");
	if (o->root && !o->dry_run && o->emit < 0)
		pit_cli_usage(state, "--root=%s: a job cannot run on a recorded machine; add --dry-run or --emit",
			      o->root);
}

void pit_run_check(struct argp_state *state, const struct pit_run_options *o)
{
	check_output(state, o);
	check_signals(state, &o->job);
	if (!o->job.argv && !o->dry_run)
		pit_cli_usage(state, "give the command to run, after '--'");
	if (o->job.rank_from && o->job.restarts)
		pit_cli_usage(state,
			      "--restart with --rank-from: the launcher that started this rank must restart all");
	if (o->job.memory_max && o->job.memory_high > o->job.memory_max)
		pit_cli_usage(state, "--mem-high is above --mem-max: nothing would be slowed before it is killed");
}
