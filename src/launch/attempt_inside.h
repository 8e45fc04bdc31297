/* SPDX-License-Identifier: MIT
 *
 * The parts of an attempt. Private to attempt*.c.
 *
 *	attempt.c	begin, serve, report
 *	attempt_start.c	from the plan of a rank to its process
 *	attempt_end.c	ends of ranks and of orphans, and who caused them
 *	attempt_oom.c	... the kernel, for want of memory?
 *	attempt_stop.c	what the front says, orders to stop, killing what is left
 *	attempt_look.c	memory pressure, and whether the binding still stands
 */
#ifndef PIT_LAUNCH_ATTEMPT_INSIDE_H
#define PIT_LAUNCH_ATTEMPT_INSIDE_H

#include "base/clock.h"
#include "launch/attempt.h"
#include "launch/children.h"
#include "launch/output.h"
#include "launch/pressure.h"

#define PIT_ATTEMPT_OVER 1 /* ends the loop */

enum pit_member_state { PIT_MEMBER_NONE, PIT_MEMBER_STARTS, PIT_MEMBER_RUNS, PIT_MEMBER_ENDED };

/* One rank of this attempt. */
struct pit_member {
	struct pit_attempt *a;
	int at;   /* position in the report */
	int seat; /* in the placement */
	enum pit_member_state state;
	struct pit_env env;
	char **block;
	struct pit_spawn spawn;
	struct pit_spawned child; /* pid is 0 when there is none */
	char leaf[24];            /* name; "" none */
	struct pit_leaf_memory before;
	bool checkpoint; /* that signal was sent to it */
};

struct pit_attempt {
	const struct pit_attempt_request *q;
	const struct pit_job *job;
	const struct pit_job_options *options;
	struct pit_root *root; /* own one: what others keep stays */
	struct pit_loop *loop;
	struct pit_output *output;
	struct pit_pressure *pressure;
	struct pit_ending ending;
	struct pit_exit_report *report;
	struct pit_member *member;
	pid_t *leader;         /* of each; 0 gone */
	struct pit_idset mems; /* nodes that all memory of the job must come from; empty: not bound */
	int members;
	uint64_t passed; /* signals that went to the leaders as they came, a bit each, */
	pid_t passed_by; /* the last from whom */
	int null;        /* /dev/null for stdin */
	int signals;     /* signalfd */
	int64_t started;
	uint64_t own_kills; /* pit_attempt_own_kills() at the start, or at the last kill found by it */
	int deadline;       /* timer of `ending`; 0 none */
	bool front_lost;    /* and everything is ended */
	bool kill_ordered;  /* what ends by SIGKILL now was no left-over */
	int64_t kill_since;
	bool stuck_said;
	bool sweeping; /* all ranks have ended; what they left is given time, then killed (`swept`) */
	bool swept;
	int64_t sweep_kill, sweep_end;
	int sweep;               /* timer, */
	int64_t sweep_at;        /* due then */
	int reap;                /* timer: more ends wait to be taken; 0 none */
	bool stopped_by_front;   /* all ranks: the front knows */
	pid_t stopped;           /* the last rank of which the front was told that it stopped; 0 continued */
	int look_at;             /* next member to be looked at */
	struct pit_strv refused; /* refused steps of starts, to be said once all have started */
};

/* A line for the user now. */
void pit_attempt_say(struct pit_attempt *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, and in the report. */
void pit_attempt_note(struct pit_attempt *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *pit_attempt_who(const struct pit_member *m, char *out, size_t size); /* "rank 3", "the command" */

/* Prepares and starts all; what fails is an end of that rank. -errno: nothing more can be started. */
int pit_attempt_start(struct pit_attempt *a, struct pit_error *err);
/* The child has told how its start went, or has ended. */
int pit_attempt_started(struct pit_member *m);
void pit_member_free(struct pit_member *m);

/* Takes the ends of all children that are to be had; PIT_ATTEMPT_OVER, 0. */
int pit_attempt_reap(struct pit_attempt *a);
/* `m` has ended (its `how` is filled in): tells whoever decides, and carries that out. */
void pit_attempt_ended(struct pit_member *m);
int pit_attempt_on_pidfd(void *arg, uint32_t events);

int pit_attempt_watch_front(struct pit_attempt *a);
/* Hears what the front says; true when nobody wants to wait for anything any more. */
bool pit_attempt_hurried(void *arg);
/* A signal that asks the job to stop. */
void pit_attempt_asked(struct pit_attempt *a, const struct pit_front_message *m);
void pit_attempt_order(struct pit_attempt *a, unsigned orders);
/* Some of what was swept has ended, and what it started is ours now. */
void pit_attempt_sweep_soon(struct pit_attempt *a);
void pit_attempt_signal_leaders(struct pit_attempt *a, int signal);
/* The checkpoint signal to the leaders that have a handler for it; to how many. */
int pit_attempt_checkpoint(struct pit_attempt *a);

/* OOM kills in the group that we live in: a scheduler's task, a container. UINT64_MAX unknown. */
uint64_t pit_attempt_own_kills(struct pit_attempt *a);
/* Was it the memory? Sets `killer` then; or it was a worker's end, which is noted. */
void pit_attempt_find_oom(struct pit_member *m, struct pit_rank_end *end);

/* The kernel's log tells of a fault of this process. */
bool pit_attempt_log_has_fault(struct pit_attempt *a, pid_t pid);

int pit_attempt_watch_memory(struct pit_attempt *a);

#endif
