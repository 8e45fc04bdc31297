/* SPDX-License-Identifier: MIT
 *
 * Starts one rank: a new process that binds itself, limits itself and becomes the command. Between clone and exec only
 * async-signal-safe calls are made; everything is prepared before. What the kernel refuses comes back step by step
 * through a pipe, and the errno of a failed exec too.
 */
#ifndef PIT_LAUNCH_SPAWN_H
#define PIT_LAUNCH_SPAWN_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/idset.h"
#include "launch/policy.h"
#include "pitcrew/error.h"

enum pit_spawn_step {                   /* in the order in which the child takes them */
		      PIT_STEP_SESSION, /* setsid or setpgid */
		      PIT_STEP_DEATH,   /* PR_SET_PDEATHSIG, and the check that the parent still lives */
		      PIT_STEP_CGROUP,
		      PIT_STEP_CPUS,
		      PIT_STEP_MEM,
		      PIT_STEP_LIMIT,
		      PIT_STEP_OOM,
		      PIT_STEP_IO_PRIORITY,
		      PIT_STEP_NICE,
		      PIT_STEP_SCHED,
		      PIT_STEP_STDIO,
		      PIT_STEP_DIR,
		      PIT_STEP_TERMINAL,
		      PIT_STEP_EXEC,
};
const char *pit_spawn_step_name(enum pit_spawn_step step); /* "binding CPUs", ... */

/* What became of a step that did not go as asked for. */
struct pit_spawn_note {
	enum pit_spawn_step step;
	int error; /* errno of the refusal; 0: done, but for a part of the CPUs or nodes only (see `fell`) */
	/* mem: the enum pit_mem used instead (the wanted one: for fewer nodes; before Linux 5.15 PREFER takes but the
	 * first); cpus: 1 when the kernel bound to fewer than asked; else 0 */
	int fell;
	int detail; /* limit: its RLIMIT_ number; it is now as near to the wanted one as our hard limit allows */
};
#define PIT_SPAWN_NOTES 16

struct pit_spawn {
	char *const *argv; /* argv[0] is looked up in PATH of `environ` when it has no slash */
	char *const *environ;
	const char *dir;              /* NULL: ours */
	const struct pit_idset *cpus; /* NULL or empty: not bound */
	enum pit_mem mem;             /* NONE and AUTO: not touched */
	const struct pit_idset *mems;
	struct {
		int resource;
		struct rlimit64 value;
	} limit[RLIM_NLIMITS];
	size_t limits;
	bool oom_set, nice_set, sched_set, io_set;
	int oom_score_adj;
	int nice;
	int policy, priority; /* SCHED_* */
	int io_class, io_level;
	int cgroup;           /* directory of a v2 group; -1 none */
	int stdio[3];         /* -1: as ours */
	int death;            /* signal when the thread that spawned it ends; 0 none */
	bool session;         /* setsid; else an own process group */
	int terminal;         /* own group becomes the foreground group of this terminal; -1 no */
	const sigset_t *mask; /* signals that are blocked in it; NULL: none */
	/* A step that is refused, even in part, ends the child, and is an error of pit_spawn_finish(). Without it only
	 * stdio, directory and command do that, and the others are notes. */
	bool strict;
};

struct pit_spawned {
	pid_t pid;
	int pidfd;  /* -1: this kernel has none (before 5.3) */
	int report; /* our end of the pipe, which hangs up (EPOLLHUP) when finish need not wait; closed by finish */
	struct pit_spawn_note note[PIT_SPAWN_NOTES]; /* the last is the step that ended it, when one did */
	size_t notes;
};

#define PIT_SPAWN_WAIT (300 * 1000 * PIT_MS) /* for exec from a slow file system; after it -ETIMEDOUT */

/* Two halves, so that many start side by side. start returns at once; -errno: nothing was started (also -ENOENT and
 * -EACCES of pit_spawn_find() and of `dir`, from which relative names are looked up). Signals: handlers go, what was
 * ignored stays so, but SIGPIPE and SIGXFSZ, which our main() ignores, are as usual again. Open files above 2 that are
 * not close-on-exec stay open: MPI and Slurm hand such on. The scheduling policy holds for all threads and children
 * that the rank makes, as with chrt. */
int pit_spawn_start(const struct pit_spawn *what, struct pit_spawned *ret, struct pit_error *err);

/* Waits until the child runs the command. -errno of the step that failed (exec: ENOENT, EACCES, ENOEXEC, ...): the
 * child is reaped then, `s->pid` is 0 and `s->pidfd` -1; the text names the command (and a script's missing
 * interpreter), and the last note is that step. A child that a signal ended on its way is no error: that is seen as of
 * every other. */
int pit_spawn_finish(const struct pit_spawn *what, struct pit_spawned *s, struct pit_error *err);

/* PATH of `environ`; *ret is malloc'ed. -ENOENT, -EACCES (found, not executable). */
int pit_spawn_find(const char *command, char *const *environ, char **ret, struct pit_error *err);

/* The memory policy that this process inherited (numactl, a launcher), and its nodes; PIT_MEM_NONE: the kernel's
 * default, or it cannot be known. Weighted interleaving counts as interleaving. -ENOMEM. */
int pit_spawn_inherited_mem(enum pit_mem *ret, struct pit_idset *ret_nodes);

/* What memory policies this process may set, tried out in a child: MPOL_PREFERRED_MANY, MPOL_BIND ... may each be
 * refused by seccomp. The mode that would be used when `wanted` is asked for, PIT_MEM_NONE when none may be set. */
enum pit_mem pit_spawn_probe_mem(enum pit_mem wanted, const struct pit_idset *mems, int *ret_error);

#endif
