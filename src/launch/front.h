/* SPDX-License-Identifier: MIT
 *
 * The front process: forwards signals and the terminal's stops, reaps whatever becomes its child (it may be PID 1 of a
 * container), and ends everything when the supervisor is lost. What the two tell each other are packets of a socket.
 */
#ifndef PIT_LAUNCH_FRONT_H
#define PIT_LAUNCH_FRONT_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* To the supervisor: a signal that the front received, or makes up. */
struct pit_front_message {
	int signal;
	pid_t sender; /* 0 the kernel, -1 unknown (of another PID namespace) */
	pid_t group;  /* SIGCONT for this group alone; 0 all */
};

/* To the front: the leader of `group` was stopped, or has ended. */
struct pit_front_news {
	pid_t group;
	int signal; /* SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP; 0 it has ended */
	bool only;  /* it is the only rank */
};

/* Signals that ask the job to stop; others are the ranks' own affair. */
bool pit_front_asks_to_stop(int signal);

/* It was ignored when we were started (nohup), so it is to stay without effect: blocked ones would be queued. */
bool pit_front_ignores(int signal);

struct pit_front {
	int signals;      /* signalfd of what pit_front_signals() blocks */
	int socket;       /* our end */
	pid_t supervisor; /* our child */
	int launcher;     /* pidfd of who started all ranks: its end asks the job to stop; -1 none */
	void (*launcher_ended)(void *arg);
	void *arg;
};

/* Blocks what the front is to forward, and makes *ret_fd to read it from. Signals that were ignored when we were
 * started (nohup, background jobs of scripts) stay so. *ret_old: the mask to go back to. 0 or -errno. */
int pit_front_signals(int *ret_fd, sigset_t *ret_old);

/* Serves until the supervisor has ended; gives its wait status. 0 or -errno, with which the supervisor may live. */
int pit_front_serve(const struct pit_front *f, int *ret_status);

#endif
