/* SPDX-License-Identifier: MIT
 *
 * NVIDIA's Multi-Process Service for the ranks of a job: an own control daemon (own pipe and log directories), or the
 * one that runs already. Clients are ended first (terminate_client), then servers, then the daemon, as NVIDIA requires.
 *
 * The daemon detaches itself, so it becomes a child of the nearest subreaper: whoever ends all children that are left
 * over spares pit_mps_pid() until pit_mps_stop().
 */
#ifndef PIT_LAUNCH_MPS_H
#define PIT_LAUNCH_MPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strv.h"
#include "pitcrew/error.h"

struct pit_mps;

struct pit_mps_request {
	const char *control; /* program; NULL: nvidia-cuda-mps-control from PATH of `environ` */
	const char *dir;     /* where pipes and logs go; made 0700, removed at the end. At most 88 bytes */
	const char *gpus;    /* UUIDs for CUDA_VISIBLE_DEVICES of the daemon; NULL: as in `environ` */
	char **environ;
	int percent;      /* default active thread percentage: 1 to 100 */
	int64_t patience; /* ns that it may take to answer, or to end; 0: 10 s */
};

/* Starts a daemon of our own, or uses the running one that CUDA_MPS_PIPE_DIRECTORY names, whose percentage is left
 * alone. -ENOENT: no such program; -ETIMEDOUT: it does not answer within `patience`; -EACCES: the running one is
 * another user's; -ENAMETOOLONG, -EEXIST, -EINVAL: `dir`, what is there, `percent`. */
int pit_mps_start(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err);
const char *pit_mps_dir(const struct pit_mps *m); /* for CUDA_MPS_PIPE_DIRECTORY */
bool pit_mps_ours(const struct pit_mps *m);
pid_t pit_mps_pid(const struct pit_mps *m); /* of the daemon when it is ours; 0 unknown */

/* Ends the client `pid`, or those in the process group `pid`, with work in flight properly before they are killed:
 * terminate_client on the server that has them. 0 also when it is no client. Takes half of `patience` at most; after a
 * daemon did not answer once, it is not asked again: -ETIMEDOUT at once. */
int pit_mps_end_client(struct pit_mps *m, pid_t pid);

/* Ends the daemon when it is ours (clients that are left, its servers, "quit", then SIGKILL after `patience`), and
 * frees. NULL is fine. */
void pit_mps_stop(struct pit_mps *m);

#endif
