/* SPDX-License-Identifier: MIT
 *
 * The parts that pit_job_plan() is made of. Private to launch/job*.c and their tests.
 */
#ifndef PIT_LAUNCH_JOB_PARTS_H
#define PIT_LAUNCH_JOB_PARTS_H

#include "launch/job.h"

/* What the launcher gave to this instance alone, so that its neighbours have something else and nobody can divide it
 * among all ranks again. */
struct pit_job_narrow {
	bool cpus;      /* srun --cpu-bind, mpirun --bind-to: our affinity is less than the launcher's */
	bool gpus;      /* srun --gpus-per-task: the variable that names our GPUs is not the launcher's */
	pid_t launcher; /* whose end is ours; 0 none, or of a kind that may leave before its ranks */
};

/* Looks at the ancestors of this process: the launcher is the first that lacks our variable `rank_from`, or that is not
 * ours to look into. Nothing on a recorded machine but what the environment says. */
struct pit_job_narrow pit_job_narrow(struct pit_root *root, const struct pit_job *j);

/* True when `ours` names the GPUs of one rank rather than of all: fewer than ranks, and not what the environment of the
 * launcher names (NUL between its variables; NULL: not to be seen); or as many as Slurm says that each task has. */
bool pit_job_gpus_are_own(char **ours, const struct pit_text *launcher, int local_size, size_t gpus);

/* Limits of processes that ranks get. What cannot be read is left alone. */
void pit_job_plan_limits(struct pit_root *root, struct pit_job *j);

/* `io_max` from --io. -ENOENT, -ENOTBLK: no such disk. */
int pit_job_plan_io(struct pit_root *root, struct pit_job *j, struct pit_error *err);

/* What groups would do for this job and cannot here: notes. */
int pit_job_plan_groups(struct pit_root *root, struct pit_job *j);

/* A note when --cpu-max limits nothing, as 350 where 350% was meant. -ENOMEM. */
int pit_job_plan_cpu_max(struct pit_job *j);

#endif
