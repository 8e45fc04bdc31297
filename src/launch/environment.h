/* SPDX-License-Identifier: MIT
 *
 * The variables that a rank gets. What the user set is never overwritten, except the rank's own numbers, the GPUs that
 * it is to see, and where the ranks of a job around this one meet; each variable has its reason, and what was left
 * alone is told too. Pure.
 */
#ifndef PIT_LAUNCH_ENVIRONMENT_H
#define PIT_LAUNCH_ENVIRONMENT_H

#include "launch/identity.h"
#include "launch/placement.h"

struct pit_env_item {
	char *name;
	char *value; /* NULL: removed; with `kept`: stays unset */
	char *why;
	bool kept; /* left as it is, `value`; ours is only told in `why` */
};

struct pit_env {
	struct pit_env_item *item;
	size_t items;
};

struct pit_env_request {
	char **environ; /* what we were started with */
	/* --env NAME=VALUE (set), NAME (left as it is), -NAME (removed); stronger than all else, except that LD_PRELOAD
	 * of `preload` still comes in front, and that RANK and LOCAL_RANK of several ranks cannot be one value. */
	const struct pit_strv *set;
	const struct pit_site *site;
	const struct pit_placement *placement;
	const struct pit_identity *identity; /* NULL: we start all ranks */
	bool unnumbered; /* one rank that nobody asked for by number: it may start ranks of its own, and gets no RANK */
	int seat;        /* position in the placement */
	int port;    /* of MASTER_PORT when we start all ranks and none is set, or that of a job around; 0: leave it */
	int restart; /* TORCHELASTIC_RESTART_COUNT-like number of earlier starts */
	/* "NAME=VALUE" of the allocator (allocator.h); LD_PRELOAD is put in front of the user's */
	const struct pit_strv *preload;
	int mps_percent;     /* CUDA_MPS_ACTIVE_THREAD_PERCENTAGE; 0 none */
	const char *mps_dir; /* CUDA_MPS_PIPE_DIRECTORY; NULL none */
};

/* True when these are the variables of a rank: MASTER_ADDR, MASTER_PORT and the like are of its job, and a job that
 * starts ranks in it gets others. Without RANK and LOCAL_RANK they are the user's. */
bool pit_env_is_rank(char **environ);

/* -EINVAL: a bad --env. */
int pit_env_plan(const struct pit_env_request *r, struct pit_env *ret, struct pit_error *err);
void pit_env_free(struct pit_env *e);

/* `environ` with the plan applied, NULL-terminated, each name once (the first of it counts, as for getenv()); free with
 * pit_env_block_free(). NULL: no memory. */
char **pit_env_block(char **environ, const struct pit_env *e);
void pit_env_block_free(char **block);

/* Libraries and launchers that bind again by themselves, found in `environ` (KMP_AFFINITY, GOMP_CPU_AFFINITY,
 * OMP_PLACES, I_MPI_PIN, SLURM_CPU_BIND, TLLM_NUMA_AWARE_WORKER_AFFINITY, ...): appends a sentence for each to `ret`.
 */
int pit_env_rebinders(char **environ, struct pit_strv *ret);

#endif
