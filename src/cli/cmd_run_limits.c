/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/run.h"
#include "launch/leaf.h"

enum {
	KEY_MEM_MAX = 3072,
	KEY_MEM_HIGH,
	KEY_CPU_MAX,
	KEY_IO,
	KEY_MEMLOCK,
	KEY_SCHED,
	KEY_NICE,
	KEY_OOM_SCORE,
	KEY_ALLOCATOR,
	KEY_MPS,
	KEY_CHDIR,
};

static const struct argp_option argp_options[] = {
	{"mem-max", KEY_MEM_MAX, "SIZE", 0, "Memory at which the kernel ends it: 64G", 5},
	{"mem-high", KEY_MEM_HIGH, "SIZE", 0, "Memory at which the kernel slows it and takes back what it can", 5},
	{"cpu-max", KEY_CPU_MAX, "CPUS", 0, "CPU time: 3.5 or 350%", 5},
	{"io", KEY_IO, "WHAT", 0, "'DEVICE rbps=1G wiops=500', or a priority: best-effort:N, idle; may be repeated", 5},
	{"memlock", KEY_MEMLOCK, "SIZE", 0, "Memory that it may lock (default: as much as it may have), or unlimited",
	 5},
	{"sched", KEY_SCHED, "POLICY", 0, "other, batch, fifo:P, rr:P", 5},
	{"nice", KEY_NICE, "N", 0, "-20 to 19", 5},
	{"oom-score", KEY_OOM_SCORE, "N", 0,
	 "-1000 (never) to 1000 (first to be killed when the host is out of memory)", 5},
	{NULL, 0, NULL, 0, "What each rank gets:", 6},
	{"allocator", KEY_ALLOCATOR, "NAME", 0, "jemalloc, tcmalloc, or system (no other than what is linked)", 6},
	{"mps", KEY_MPS, "PERCENT", 0, "Share GPUs by NVIDIA MPS, each rank at most this part of one", 6},
	{"env", 'e', "VARIABLE", 0, "NAME=VALUE sets, NAME passes on untouched, -NAME removes; may be repeated", 6},
	{"chdir", KEY_CHDIR, "DIR", 0, "Start there", 6},
	{0},
};

static const char *const allocators[] = {"jemalloc", "tcmalloc", "system", NULL};

static uint64_t parse_memlock(struct argp_state *state, const char *arg)
{
	return strcmp(arg, "unlimited") != 0 ? pit_run_size(state, "memlock", arg) : PIT_UNLIMITED;
}

static void set_number(int value, bool *set, int *to)
{
	*set = true;
	*to = value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_job_options *o = &((struct pit_run_options *)state->input)->job;

	switch (key) {
	case KEY_MEM_MAX:
		o->memory_max = pit_run_size(state, "mem-max", arg);
		break;
	case KEY_MEM_HIGH:
		o->memory_high = pit_run_size(state, "mem-high", arg);
		break;
	case KEY_CPU_MAX:
		o->cpu_max = pit_run_cpus(state, "cpu-max", arg);
		break;
	case KEY_IO:
		pit_run_io(state, arg, o);
		break;
	case KEY_MEMLOCK:
		o->memlock = parse_memlock(state, arg);
		break;
	case KEY_SCHED:
		pit_run_sched(state, arg, o);
		break;
	case KEY_NICE:
		set_number((int)pit_run_integer(state, "nice", arg, -20, 19), &o->nice_set, &o->nice);
		break;
	case KEY_OOM_SCORE:
		set_number((int)pit_run_integer(state, "oom-score", arg, -1000, 1000), &o->oom_set, &o->oom_score_adj);
		break;
	case KEY_ALLOCATOR:
		o->allocator = allocators[pit_cli_choice(state, "allocator", arg, allocators)];
		break;
	case KEY_MPS:
		o->mps = pit_cli_number(state, "mps", arg, 1, 100);
		break;
	case 'e':
		pit_run_env(state, arg, o);
		break;
	case KEY_CHDIR:
		if (!*arg)
			pit_cli_usage(state, "--chdir: give a directory");
		o->dir = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_run_limits_argp = {.options = argp_options, .parser = parse};
