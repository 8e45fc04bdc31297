/* SPDX-License-Identifier: MIT
 *
 * A job: what was asked for, and everything that was decided before the first process starts. Planning only looks.
 */
#ifndef PIT_LAUNCH_JOB_H
#define PIT_LAUNCH_JOB_H

#include "launch/ending.h"
#include "launch/environment.h"
#include "launch/spawn.h"

enum pit_on_pressure { PIT_ON_PRESSURE_WARN, PIT_ON_PRESSURE_CHECKPOINT, PIT_ON_PRESSURE_NONE };

struct pit_job_options {   /* of the command line; all zero is the default unless said otherwise */
	char *const *argv; /* command */
	struct pit_placement_request placement;
	const char *gpus;                 /* --gpus */
	const char *rank_from;            /* --rank-from; NULL: we start all ranks */
	bool isolated;                    /* --isolated */
	uint64_t memory_max, memory_high; /* --mem-max, --mem-high: of each rank; 0 none */
	double cpu_max;                   /* --cpu-max: CPUs of each rank; 0 none */
	struct pit_strv io;               /* --io: lines of io.max, or "best-effort:N", "idle" (ionice) */
	uint64_t memlock; /* --memlock: bytes; 0 not asked for (then raised to the hard limit); PIT_UNLIMITED */
	bool sched_set, nice_set, oom_set;
	int policy, priority, nice, oom_score_adj;
	const char *allocator;          /* NULL: as it is */
	int mps;                        /* percent; 0 none */
	struct pit_strv env;            /* --env */
	const char *dir;                /* --chdir; NULL: ours */
	struct pit_ending_rules ending; /* 0: defaults (TERM or the signal that asked, 10 s; no checkpoint, 60 s) */
	bool stop_signal_set;
	enum pit_on_pressure on_pressure;
	int64_t pressure_horizon; /* ns; 0: the usual */
	int restarts;
	const char *log_dir;
	bool strict;   /* a binding that is refused is an error */
	int64_t after; /* ns after start at which the binding is looked at again; 0: 10 s; -1 never */
};

#define PIT_JOB_LIMITS 4
#define PIT_JOB_NOFILE 65536 /* open files that ranks get where they may: select() and loops over all files bear it */

struct pit_job_limit {
	int resource; /* RLIMIT_... */
	struct rlimit64 value, was;
};

struct pit_job {
	const struct pit_job_options *options;
	char **environ; /* what we were started with; the caller's */
	struct pit_site site;
	struct pit_placement placement;
	struct pit_identity identity; /* with rank_from */
	bool alone;                   /* rank_from: only seat `own` is started here */
	int own;                      /* its seat, which is its local rank */
	pid_t launcher;               /* alone: the process whose end is to be ours, too; 0 none is known */
	bool peers_unknown;  /* what the launcher gave to others is not known: no seat but `own` means anything */
	struct pit_env *env; /* of each seat; when alone only [own] is filled */
	char *program;       /* argv[0] as found in PATH; NULL: not found, `program_error` says why */
	struct pit_error program_error;
	struct pit_strv preload;   /* of the allocator */
	struct pit_strv rebinders; /* sentences */
	struct pit_strv notes;     /* sentences: what cannot be had here */
	struct pit_strv
		mistakes; /* those of the notes that are said at the start: it was meant otherwise, most likely */
	enum pit_mem mem; /* policy that the kernel lets us set; placement.mem is what is wanted */
	int mem_error;    /* errno of its refusal */
	int port;         /* for MASTER_PORT; 0: not ours to choose */
	struct pit_job_limit limit[PIT_JOB_LIMITS];
	size_t limits;
	struct pit_strv io_max; /* lines for pit_leaf_limits.io: devices by number */
	bool recorded;          /* the machine is a recording: the job can be explained, not run */
};

/* -EINVAL what was asked for makes no sense, or with `strict` cannot be had (the errno of a refused memory policy,
 * too); -ENOENT the allocator, or a device of --io, is missing. A missing command is no error here. `options->argv` may
 * be NULL where nothing will be started. */
int pit_job_plan(struct pit_root *root, const struct pit_job_options *o, char **environ, struct pit_job *ret,
		 struct pit_error *err);
void pit_job_free(struct pit_job *j);

struct pit_job_group_limit { /* that only a control group can hold */
	const char *option, *controller;
	bool asked;
};
#define PIT_JOB_GROUP_LIMITS 4
void pit_job_group_limits(const struct pit_job *j, struct pit_job_group_limit ret[PIT_JOB_GROUP_LIMITS]);

/* The variables of a seat in a later attempt, or with the directory of an MPS daemon (NULL none) that is there now;
 * what `env` holds is this with 0 and NULL. */
int pit_job_env(const struct pit_job *j, int seat, int restart, const char *mps_dir, struct pit_env *ret,
		struct pit_error *err);

/* What seat `seat` gives to pit_spawn_start(): all but cgroup and stdio. Texts and sets belong to the job; `block` is
 * from pit_env_block(). */
void pit_job_spawn(const struct pit_job *j, int seat, char *const *block, struct pit_spawn *ret);

#endif
