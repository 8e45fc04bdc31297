/* SPDX-License-Identifier: MIT
 *
 * Which rank may have caused the end, where several failed at nearly the same time. Private to exit_report*.c.
 */
#ifndef PIT_LAUNCH_EXIT_REPORT_CAUSE_H
#define PIT_LAUNCH_EXIT_REPORT_CAUSE_H

#include "launch/exit_report.h"

/* The rank at this position failed by itself too, within a second after the first. */
bool pit_exit_report_near(const struct pit_exit_report *r, int at);

/* The position of a rank that looks like the cause: the first one only says that it lost a peer, this one does not.
 * -1: none does. */
int pit_exit_report_cause(const struct pit_exit_report *r);

#endif
