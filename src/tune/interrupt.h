/* SPDX-License-Identifier: MIT
 *
 * Signals that ask us to end are kept until somebody looks, so that they never hit in the middle of a change.
 */
#ifndef PIT_TUNE_INTERRUPT_H
#define PIT_TUNE_INTERRUPT_H

#include <signal.h>

struct pit_interrupt {
	int fd; /* readable when one came; -1 not held */
	sigset_t before;
};
#define PIT_INTERRUPT_INIT                                                                                             \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Holds back INT, TERM, HUP and QUIT, but those that were ignored before (nohup); and what would stop us halfway at a
 * terminal (Ctrl-Z, writing from the background), which then has no effect. 0 or -errno. */
int pit_interrupt_hold(struct pit_interrupt *ret);

int pit_interrupt_take(struct pit_interrupt *s); /* the number of one that came; 0 none */

/* What came and was not taken is forgotten. Keeps errno. */
void pit_interrupt_release(struct pit_interrupt *s);
#define pit_auto_interrupt PIT_CLEANUP(pit_interrupt_release)

/* In a child that is to run another program: all as it was before, and those that this program ignores for itself
 * (PIPE, XFSZ) at their default. */
void pit_interrupt_child(const struct pit_interrupt *s);

#endif
