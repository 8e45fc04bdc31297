/* SPDX-License-Identifier: MIT
 *
 * One run of all ranks, inside the supervisor: spawn, watch, stop, clean up. Private to supervise.c and its tests.
 */
#ifndef PIT_LAUNCH_ATTEMPT_H
#define PIT_LAUNCH_ATTEMPT_H

#include "base/event.h"
#include "launch/supervise.h"

/* What the front tells: a signal that it received. */
struct pit_front_message {
	int signal;
	pid_t sender; /* 0 the kernel */
	uid_t uid;
};

/* Runs attempt number `number`; `front` is our end of the socket on which messages come (EOF: the front is gone). *ret
 * is filled also when ranks fail; -errno only when the supervisor itself cannot go on (all ranks are ended then too).
 */
int pit_attempt_run(const struct pit_supervise *s, int front, int number, struct pit_exit_report *ret,
		    struct pit_error *err);

#endif
