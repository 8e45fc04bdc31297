/* SPDX-License-Identifier: MIT
 *
 * One run of all ranks, inside the supervisor: spawn, watch, stop, clean up. Private to supervise.c and its tests.
 */
#ifndef PIT_LAUNCH_ATTEMPT_H
#define PIT_LAUNCH_ATTEMPT_H

#include "launch/front.h"
#include "launch/mps.h"
#include "launch/supervise.h"

struct pit_attempt_request {
	const struct pit_supervise *s;
	int front;                 /* our end of the socket; EOF: the front is gone */
	int number;                /* 0 the first */
	struct pit_leaves *leaves; /* NULL none */
	struct pit_mps *mps;       /* NULL none */
	const sigset_t *mask;      /* signals that ranks find blocked */
};

/* *ret is filled also when ranks fail; -errno only when the supervisor itself cannot go on (all ranks are ended then
 * too). The first failure is the one that the kernel told first; ends that came while we were busy are told in the
 * order in which they came. */
int pit_attempt_run(const struct pit_attempt_request *q, struct pit_exit_report *ret, struct pit_error *err);

#endif
