/* SPDX-License-Identifier: MIT
 *
 * The supervisor process: attempts one after the other. Private to supervise*.c.
 */
#ifndef PIT_LAUNCH_SUPERVISOR_H
#define PIT_LAUNCH_SUPERVISOR_H

#include "launch/attempt.h"

struct pit_supervisor {
	const struct pit_supervise *s;
	int front;                 /* our end of the socket */
	struct pit_leaves *leaves; /* NULL none. The front closes them, unless it is lost */
	struct pit_mps *mps;
	const sigset_t *mask; /* for the ranks */
	bool lost;            /* the front is */
};

/* Exits with the job's code. */
_Noreturn void pit_supervisor_main(struct pit_supervisor *v);

/* Waits until `until` (of pit_now()): 0 it came, 1 the job is asked to stop (`ret`), -EPIPE the front is lost. */
int pit_supervisor_wait(int front, int64_t until, struct pit_front_message *ret);

/* Ranks of the report that hold memory of a GPU, each once for each GPU. What `root` kept is forgotten. -errno: NVML
 * does not say. */
int pit_supervisor_gpus_held(struct pit_root *root, const struct pit_exit_report *r);

/* Until none of the report's ranks holds memory of an NVIDIA GPU any more; returns as pit_supervisor_wait(). What
 * cannot be known is not waited for. */
int pit_supervisor_wait_gpus(const struct pit_supervisor *v, const struct pit_exit_report *r,
			     struct pit_front_message *ret);

#endif
