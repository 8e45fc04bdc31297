/* SPDX-License-Identifier: MIT
 *
 * The parts of a report. Private to exit_report*.c.
 *
 *	exit_report.c		the exit code
 *	exit_report_how.c	words for the end of a rank
 *	exit_report_cause.c	which rank may have caused the end, where several failed at nearly the same time
 *	exit_report_text.c	one screen
 *	exit_report_json.c	JSON
 */
#ifndef PIT_LAUNCH_EXIT_REPORT_PARTS_H
#define PIT_LAUNCH_EXIT_REPORT_PARTS_H

#include "launch/exit_report.h"

/* The rank at this position failed by itself too, within a second after the first. */
bool pit_exit_report_near(const struct pit_exit_report *r, int at);

/* The position of a rank that looks like the cause: the first one only says that it lost a peer, this one does not.
 * -1: none does. */
int pit_exit_report_cause(const struct pit_exit_report *r);

/* "exited with 3", "ended by our SIGKILL after the grace". */
void pit_exit_report_put_how(struct pit_buf *out, const struct pit_rank_end *e);
/* What lies behind the end of a rank; nothing when only it can know. */
void pit_exit_report_put_why(struct pit_buf *out, const struct pit_rank_end *e);

#endif
