/* SPDX-License-Identifier: MIT
 *
 * The parts of spawn: what the parent prepares, what the child does with it, what it tells. Private to spawn*.c.
 */
#ifndef PIT_LAUNCH_SPAWN_INSIDE_H
#define PIT_LAUNCH_SPAWN_INSIDE_H

#include <stdint.h>

#include "launch/spawn.h"

/* All that the child needs; it only reads it. */
struct pit_spawn_plan {
	const struct pit_spawn *what;
	char *program;      /* for execve(), seen from the new directory */
	const char **shell; /* arguments of /bin/sh for a script without "#!"; NULL: the file is none */
	char oom[16];       /* text for oom_score_adj */
	pid_t parent;
	int report;      /* writing end of the pipe, above 2 */
	bool joined;     /* the kernel put the child into its group at once */
	int procs;       /* else: the group's cgroup.procs; -1 */
	int procs_error; /* why not */
};

/* What the child says, one write each. */
struct pit_spawn_record {
	int32_t step, error, fell, detail;
	int32_t fatal; /* the child has ended */
};

/* Between clone and exec, with all signals blocked. */
_Noreturn void pit_spawn_child(const struct pit_spawn_plan *p);

/* As pit_spawn_find(), for a command that is looked up from the directory `dir` (NULL: ours). */
int pit_spawn_look_up(const char *dir, const char *command, char *const *environ, char **ret, struct pit_error *err);

/* Fills `err` for a child that ended at a step; returns -error. */
int pit_spawn_fail(const struct pit_spawn *what, const struct pit_spawn_record *r, struct pit_error *err);

#endif
