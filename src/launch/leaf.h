/* SPDX-License-Identifier: MIT
 *
 * Control groups of a job: "GROUP/pitcrew-PID" with a leaf for each rank, where version 2 lets us (root, or a delegated
 * group). GROUP is the group we are in when we are alone there: nothing is written to it except to enable controllers,
 * and only after we have moved out into "GROUP/pitcrew-PID-supervisor", since no process may be in it then. Where
 * others live beside us, they are left alone: GROUP is then the nearest group above without processes that we may
 * write to, unless a limit would be left behind on the way there. All is put back at the end (but for a controller that
 * another job uses by then); what a killed pitcrew left behind, the next one removes once it is empty.
 */
#ifndef PIT_LAUNCH_LEAF_H
#define PIT_LAUNCH_LEAF_H

#include "host/root.h"

#define PIT_UNLIMITED UINT64_MAX

struct pit_leaf_limits {
	uint64_t memory_max, memory_high;    /* bytes; 0 and PIT_UNLIMITED none */
	double cpu_max;                      /* CPUs; 0 none */
	const struct pit_strv *io;           /* lines of io.max, "MAJ:MIN rbps=..." or "/dev/..."; may be NULL */
	const struct pit_idset *cpus, *mems; /* cpuset; NULL none; skipped where the controller is not delegated */
	bool oom_group;                      /* the kernel ends the whole leaf at once */
};

struct pit_leaves; /* of one job */

/* -EOPNOTSUPP: no version 2 here; -EACCES: not delegated to us; -EROFS, -EBUSY: as they say. `err` is the
 * reason. Limits of the whole job go on the job's group. `notes` gets a sentence for
 * each controller that is not to be had. We and what we have started may move to another group, so this comes before
 * processes are started; those that are forked later may use and close what is opened here. */
int pit_leaves_open(struct pit_root *root, const struct pit_leaf_limits *job, struct pit_leaves **ret,
		    struct pit_strv *notes, struct pit_error *err);

/* The leaf `name` ("rank-3"), made when it is not there; its directory as an fd that stays ours. A limit whose
 * controller is missing is left out, with a note unless there was one. -errno: the limit that was refused is named. */
int pit_leaves_add(struct pit_leaves *l, const char *name, const struct pit_leaf_limits *limits, struct pit_strv *notes,
		   int *ret_fd, struct pit_error *err);

/* Why the leaves cannot have `controller`; NULL when they can. */
const char *pit_leaves_lack(const struct pit_leaves *l, const char *controller);

const char *pit_leaves_path(const struct pit_leaves *l); /* "/sys/fs/cgroup/.../pitcrew-123" */

struct pit_leaf_memory { /* UINT64_MAX unknown */
	uint64_t current, peak, max, high;
	uint64_t anon, file, shmem, slab;                /* memory.stat; `slab` is the part that cannot be reclaimed */
	uint64_t events_high, events_max, oom, oom_kill; /* memory.events: groups below count, too */
	uint64_t oom_group_kill;                         /* each of them counts its victim twice in `oom_kill` */
};
/* `name` NULL: the whole job. */
int pit_leaves_memory(struct pit_leaves *l, const char *name, struct pit_leaf_memory *ret);

/* A file of a leaf (or of the job: `name` NULL), e.g. "memory.pressure", opened with `flags`. fd or -errno. */
int pit_leaves_file(struct pit_leaves *l, const char *name, const char *file, int flags);

/* Processes in a leaf (and in groups that a rank made below it), or in the whole job. -errno. */
int pit_leaves_count(struct pit_leaves *l, const char *name);

/* SIGKILL for every process of the leaf (`name` NULL: of the job, not of the supervisor leaf), with cgroup.kill or,
 * before 5.14, frozen and one by one. 0 or -errno. They may still be ending when this returns. */
int pit_leaves_kill(struct pit_leaves *l, const char *name);

/* Removes the groups once they are empty (up to `ms`), moves us back, frees. 0, or -EBUSY when something is left: then
 * nothing is moved, and limits still hold for what lives. */
int pit_leaves_close(struct pit_leaves *l, int ms);

#endif
