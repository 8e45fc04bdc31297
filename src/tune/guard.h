/* SPDX-License-Identifier: MIT
 *
 * The guardian of a trial: a process in a session of its own that waits until we are done or dead. When we die without
 * dismissing it, in whatever way, it reverts the transaction; values that somebody else changed meanwhile stay.
 *
 * It ignores INT, TERM, HUP and QUIT and keeps the state's lock with us, so that nobody comes between our end and its
 * work. It holds nothing open that we were handed (whoever waits for the end of our output must not wait for it).
 */
#ifndef PIT_TUNE_GUARD_H
#define PIT_TUNE_GUARD_H

#include "tune/txn.h"

struct pit_guard {
	pid_t pid; /* 0 none */
	int fd;
};
#define PIT_GUARD_INIT                                                                                                 \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Returns when it is ready. All files of `state` and `place` must be close-on-exec, all others not matter. */
int pit_guard_start(struct pit_tune_state *state, struct pit_place *place, int txn, struct pit_guard *ret,
		    struct pit_error *err);

/* Sends it away without work, and waits until it is gone. Keeps errno. */
void pit_guard_dismiss(struct pit_guard *g);

#endif
