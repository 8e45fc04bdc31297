/* SPDX-License-Identifier: MIT
 *
 * Job control of the user's shell, passed on. The ranks are in groups of their own, so the terminal is not theirs. As
 * long as none reads from it the front keeps it: Ctrl-C stops the job in order. A rank that asks for it (the kernel
 * stops whoever reads from a terminal in the background) is given it from then on: breakpoint() works, and Ctrl-C and
 * Ctrl-Z are for that rank.
 */
#ifndef PIT_LAUNCH_TERMINAL_H
#define PIT_LAUNCH_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct pit_terminal {
	int fd;       /* our controlling terminal; -1 none, and all below does nothing */
	pid_t holder; /* group that we gave it to; 0 none */
	bool given;   /* ever */
	bool saved;
	struct termios modes; /* when we were started */
};

void pit_terminal_open(struct pit_terminal *t);

/* Gives it back to us; `restore` its modes too: whoever had it was ended before it could. Closes. */
void pit_terminal_close(struct pit_terminal *t, bool restore);

/* Gives it to `group` if it is ours to give: we are in the foreground, or gave it to another. */
bool pit_terminal_give(struct pit_terminal *t, pid_t group);
void pit_terminal_take_back(struct pit_terminal *t);

/* Stops this process as `signal` (SIGTSTP, SIGTTIN, SIGTTOU, which is blocked) does; returns when it is continued.
 * False: the kernel did not stop us, since nobody is there who could continue us (PID 1, no shell any more). */
bool pit_terminal_stop_self(int signal);

#endif
