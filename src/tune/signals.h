/* SPDX-License-Identifier: MIT
 *
 * Signals that ask us to end are kept until somebody looks, so that they never hit in the middle of a change.
 */
#ifndef PIT_TUNE_SIGNALS_H
#define PIT_TUNE_SIGNALS_H

#include <signal.h>

struct pit_signals {
	int fd; /* readable when one came; -1 not held */
	sigset_t before;
};
#define PIT_SIGNALS_INIT                                                                                               \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Holds back INT, TERM, HUP and QUIT, but those that were ignored before (nohup); and what would stop us halfway at a
 * terminal (Ctrl-Z, writing from the background), which then has no effect. 0 or -errno. */
int pit_signals_hold(struct pit_signals *ret);

int pit_signals_take(struct pit_signals *s); /* the number of one that came; 0 none */

/* What came and was not taken is forgotten. Keeps errno. */
void pit_signals_release(struct pit_signals *s);
#define pit_auto_signals PIT_CLEANUP(pit_signals_release)

/* In a child that is to run another program: all as it was before, and those that this program ignores for itself
 * (PIPE, XFSZ) at their default. */
void pit_signals_child(const struct pit_signals *s);

#endif
