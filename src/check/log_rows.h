/* SPDX-License-Identifier: MIT
 *
 * Rows about messages of the kernel: none may hold certain words. One probe serves them all; its parameters are the
 * row's `arg`. Private to check/.
 */
#ifndef PIT_CHECK_LOG_ROWS_H
#define PIT_CHECK_LOG_ROWS_H

#include "check/facts.h"

#define PIT_LOG_RECENT 3600 /* seconds; what happened within them counts as happening now */

struct pit_log_want {
	const char *any[8];     /* a message counts that holds one of these ... */
	const char *none[8];    /* ... and none of these */
	const char *one, *many; /* "soft lockup", "soft lockups" */
	bool calm;              /* nothing is lost while it happens: a risk, however recent */
};

/* Passes when no message counts. Else the row's own verdict, "hurting now", when the last one is recent; and a warning
 * of a risk when it is older or its time is unknown. */
pit_probe pit_probe_log;

/* Seconds from a message to the reading of the log; negative unknown. */
double pit_log_age(struct pit_facts *facts, int64_t usec);

#endif
