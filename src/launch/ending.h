/* SPDX-License-Identifier: MIT
 *
 * When and how a job is stopped, as a pure machine: events and the time in, orders out.
 *
 *	running -> (a rank fails | stop asked for) -> [checkpoint signal, wait] -> stop signal, grace -> SIGKILL ->
 *ended
 *
 * A second stop request shortens: the checkpoint wait, then the grace. Ranks that end with 0 stop nobody.
 */
#ifndef PIT_LAUNCH_ENDING_H
#define PIT_LAUNCH_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PIT_ENDING_SAME (300 * PIT_MS)           /* requests this near are one: timeout(1) says it twice */
#define PIT_ENDING_AGAIN (1000 * PIT_MS)         /* SIGKILL is repeated this often, for what forks meanwhile */
#define PIT_ENDING_PATIENCE (60 * 1000 * PIT_MS) /* with ranks that outlive SIGKILL: stuck in a driver, a mount */

enum pit_phase { PIT_RUNNING, PIT_CHECKPOINTING, PIT_STOPPING, PIT_KILLING, PIT_ENDED };
const char *pit_phase_name(enum pit_phase phase);

struct pit_ending_rules {
	int stop_signal;       /* SIGTERM */
	int64_t grace;         /* ns from the stop signal to SIGKILL; 0: both at once; INT64_MAX: wait for ever */
	int checkpoint_signal; /* 0 none */
	int64_t checkpoint_grace;
};

struct pit_ending {
	struct pit_ending_rules rules;
	enum pit_phase phase;
	int alive;        /* ranks */
	int64_t deadline; /* when pit_ending_time() is due; INT64_MAX never */
	int64_t since;    /* the last step or request */
	int64_t give_up;  /* KILLING: until when */
	bool failed;      /* a rank failed, rather than stop being asked for */
};

/* What to do now; several bits at once. */
enum pit_order {
	PIT_ORDER_CHECKPOINT = 1, /* checkpoint signal to the leaders that would hear it */
	PIT_ORDER_STOP = 2,       /* stop signal to the process groups of the ranks that live */
	PIT_ORDER_KILL = 4,       /* SIGKILL of everything */
	PIT_ORDER_DONE = 8,       /* no rank lives, or those that do (`alive`) outlived SIGKILL by PIT_ENDING_PATIENCE;
				     leftovers are killed and waited for */
};

void pit_ending_begin(struct pit_ending *e, const struct pit_ending_rules *rules, int ranks);
unsigned pit_ending_rank_ended(struct pit_ending *e, bool failed, int64_t now);
unsigned pit_ending_stop_asked(struct pit_ending *e, int64_t now); /* INT, TERM, HUP to us */
/* Nobody waits for the result any more: the next step, without a checkpoint and with `grace` at most, whatever the
 * rules said. */
unsigned pit_ending_lost(struct pit_ending *e, int64_t grace, int64_t now);
/* Nobody heard the checkpoint signal: not to be waited for. */
unsigned pit_ending_unheard(struct pit_ending *e, int64_t now);
unsigned pit_ending_time(struct pit_ending *e, int64_t now); /* a deadline may have passed */

#endif
