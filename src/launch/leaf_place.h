/* SPDX-License-Identifier: MIT
 *
 * Below which group the job's group is made. Private to leaf*.c.
 *
 * No process may live in a group that hands controllers on to groups below it (the root is free of that). So it is our
 * own group when nobody but us is in it, and we move out of it; else the nearest group above that has no processes,
 * unless ranks would leave a limit behind on the way there: a service's MemoryMax= holds for them, too.
 * Nothing is done in groups of Slurm: what is in a group below them, scancel does not find.
 */
#ifndef PIT_LAUNCH_LEAF_PLACE_H
#define PIT_LAUNCH_LEAF_PLACE_H

#include "host/root.h"

struct pit_leaf_spot {
	char *path;     /* as the machine has it: "/sys/fs/cgroup/..." */
	bool own;       /* ours, the first of the list */
	bool top;       /* the root of the hierarchy */
	bool memory;    /* that controller can be handed on */
	bool scheduler; /* Slurm's: it signals and counts the processes that it finds in groups of its own making */
	bool limited;   /* by itself, in memory or CPUs: who moves further up is rid of that */
	int denied;     /* errno for making groups there; 0 none */
	int ours;       /* processes in it: we, and what we started */
	int others;     /* and of others */
	char other[64]; /* one of them, "bash 1234" */
};

struct pit_leaf_spots {
	struct pit_leaf_spot *item; /* from our own group upwards */
	size_t count;
};

/* -EOPNOTSUPP: no version 2, or one without controllers. */
int pit_leaf_spots_load(struct pit_root *root, struct pit_leaf_spots *ret, struct pit_error *err);
void pit_leaf_spots_free(struct pit_leaf_spots *s);

/* Pure. The position, or -EACCES, -EROFS, -EBUSY, -EOPNOTSUPP with a sentence for the user. */
int pit_leaf_choose(const struct pit_leaf_spots *s, struct pit_error *err);

/* Whether a process is this one, or was started by it. */
bool pit_leaf_is_ours(struct pit_root *root, pid_t pid);

#endif
