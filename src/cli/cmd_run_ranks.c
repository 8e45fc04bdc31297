/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/run.h"

enum {
	KEY_PER_GPU = 2048,
	KEY_RANK_FROM,
	KEY_GPUS,
	KEY_GPU_VIEW,
	KEY_BIND,
	KEY_MEM,
	KEY_SMT,
	KEY_SPILL,
	KEY_RESERVE,
	KEY_ISOLATED,
	KEY_STRICT,
};

static const struct argp_option argp_options[] = {
	{"ranks", 'n', "N", 0, "Start N ranks (default 1)", 1},
	{"per-gpu", KEY_PER_GPU, "K", 0, "Start K ranks for each GPU", 1},
	{"rank-from", KEY_RANK_FROM, "VARIABLE", 0,
	 "Be one rank of those that another launcher started: its number on this host is in VARIABLE (LOCAL_RANK, "
	 "SLURM_LOCALID, ...)",
	 1},
	{"gpus", KEY_GPUS, "LIST", 0, "Use these GPUs: positions 0-3,6, UUIDs, PCI addresses, none", 1},
	{"gpu-view", KEY_GPU_VIEW, "WHICH", 0, "GPUs that a rank sees: all of the job, its own, or auto (default)", 1},
	{NULL, 0, NULL, 0, "Where ranks run:", 2},
	{"bind", KEY_BIND, "HOW", 0,
	 "auto (default: node for one rank beside its GPU, else exclusive), node, exclusive, l3, socket, none", 2},
	{"mem", KEY_MEM, "HOW", 0, "auto (default: prefer when CPUs are bound), prefer, bind, interleave, local, none",
	 2},
	{"smt", KEY_SMT, "WHICH", 0, "all (default) hardware threads of a core, or 1", 2},
	{"spill", KEY_SPILL, "WHERE", 0, "Cores of nodes without ranks go to the nearest (default) rank, or to none",
	 2},
	{"cpus-reserve", KEY_RESERVE, "N", 0, "Keep N CPUs free for interrupts and daemons", 2},
	{"isolated", KEY_ISOLATED, NULL, 0, "Use CPUs that the kernel isolates, too", 2},
	{"strict", KEY_STRICT, NULL, 0, "A binding or limit that is refused ends the job, instead of being told", 2},
	{0},
};

static const char *const smt_names[] = {"all", "1", NULL};

static const char *parse_variable(struct argp_state *state, const char *arg)
{
	if (!*arg || strchr(arg, '='))
		pit_cli_usage(state, "--rank-from=%s: give the name of a variable, such as LOCAL_RANK", arg);
	return arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_run_options *o = state->input;
	struct pit_placement_request *p = &o->job.placement;

	switch (key) {
	case 'n':
		p->ranks = pit_cli_number(state, "ranks", arg, 1, PIT_RANKS_MAX);
		break;
	case KEY_PER_GPU:
		p->per_gpu = pit_cli_number(state, "per-gpu", arg, 1, 256);
		break;
	case KEY_RANK_FROM:
		o->job.rank_from = parse_variable(state, arg);
		break;
	case KEY_GPUS:
		pit_run_gpus(state, arg, &o->job);
		break;
	case KEY_GPU_VIEW:
		p->view = (enum pit_gpu_view)pit_cli_choice(state, "gpu-view", arg, pit_gpu_view_names);
		break;
	case KEY_BIND:
		p->bind = (enum pit_bind)pit_cli_choice(state, "bind", arg, pit_bind_names);
		break;
	case KEY_MEM:
		p->mem = (enum pit_mem)pit_cli_choice(state, "mem", arg, pit_mem_names);
		break;
	case KEY_SMT:
		p->one_thread = pit_cli_choice(state, "smt", arg, smt_names) == 1;
		break;
	case KEY_SPILL:
		p->spill = (enum pit_spill)pit_cli_choice(state, "spill", arg, pit_spill_names);
		break;
	case KEY_RESERVE:
		p->reserve = pit_cli_number(state, "cpus-reserve", arg, 0, PIT_IDSET_MAX);
		break;
	case KEY_ISOLATED:
		o->job.isolated = true;
		break;
	case KEY_STRICT:
		o->job.strict = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_run_ranks_argp = {.options = argp_options, .parser = parse};
