/* SPDX-License-Identifier: MIT
 *
 * Which rank an instance is when another launcher (torchrun, Slurm, MPI, Kubernetes) started it, from the environment
 * alone. Pure.
 */
#ifndef PIT_LAUNCH_IDENTITY_H
#define PIT_LAUNCH_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "pitcrew/error.h"

struct pit_identity {
	int local_rank, local_size; /* on this host; local_size >= 1 */
	int rank, world;            /* of the job; -1 unknown */
	char launcher[16];          /* "torchrun", "slurm", "openmpi", "mpich", "intelmpi", ..., "environment" */
	char local_from[64];        /* the variable that said it */
	char size_from[64]; /* the variable that said how many; "--ranks"; "" of a pod that is a host of its own */
	char master[256];   /* host that rank 0 runs on, for MASTER_ADDR; "" unknown */
	int port;           /* for MASTER_PORT: the same for all ranks of a job; 0 unknown */
};

/* `name`: the variable of --rank-from. `ranks`: --ranks, 0 not given. -EINVAL: the variable is unset, no number, or not
 * below the size; --ranks contradicts what the launcher says; or nothing that can be read says how many ranks there are
 * on this host, rank 0 being told so like all others. The text names variable and value. A variable of another launcher
 * is believed when that one gives this process the same local rank, and has more than one here. JOB_COMPLETION_INDEX
 * (Kubernetes) without --ranks: each pod is a host of its own, so the local rank is 0 of 1. */
int pit_identity_read(char **environ, const char *name, int ranks, struct pit_identity *ret, struct pit_error *err);

/* The first host of a Slurm node list ("n[07-09,12],gpu1" -> "n07") in `ret`; -EINVAL. */
int pit_identity_first_host(const char *list, char *ret, size_t size);

/* "4(x2),3" (SLURM_STEP_TASKS_PER_NODE) for the node at position `at`; -EINVAL. */
int pit_identity_tasks_at(const char *list, unsigned at, int *ret);

/* The value of `name` in `environ` (of the first entry, when it stands there twice); NULL unset. */
const char *pit_environ_get(char **environ, const char *name);

#endif
