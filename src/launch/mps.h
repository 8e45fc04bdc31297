/* SPDX-License-Identifier: MIT
 *
 * NVIDIA's Multi-Process Service for the ranks of a job: an own control daemon (own pipe and log directories), or the
 * one that runs already. Clients are ended first (terminate_client), then servers, then the daemon, as NVIDIA requires.
 */
#ifndef PIT_LAUNCH_MPS_H
#define PIT_LAUNCH_MPS_H

#include <sys/types.h>

#include "base/strv.h"
#include "pitcrew/error.h"

struct pit_mps;

struct pit_mps_request {
	const char *control; /* program; NULL: nvidia-cuda-mps-control from PATH */
	const char *dir;     /* where pipes and logs go; made 0700 */
	const char *gpus;    /* UUIDs for CUDA_VISIBLE_DEVICES of the daemon */
	char **environ;
	int percent; /* default active thread percentage: 1 to 100 */
};

/* Starts a daemon of our own, or uses the running one that CUDA_MPS_PIPE_DIRECTORY names. -ENOENT: no such program;
 * -ETIMEDOUT: it does not answer within 10 s. */
int pit_mps_start(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err);
const char *pit_mps_dir(const struct pit_mps *m); /* for CUDA_MPS_PIPE_DIRECTORY */
bool pit_mps_ours(const struct pit_mps *m);

/* Ends the client `pid` with work in flight properly before it is killed: terminate_client on the server that has it. 0
 * also when it is no client. */
int pit_mps_end_client(struct pit_mps *m, pid_t pid);

/* Ends the daemon when it is ours (its servers first, "quit", then SIGKILL after 10 s), and frees. NULL is fine. */
void pit_mps_stop(struct pit_mps *m);

#endif
