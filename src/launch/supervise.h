/* SPDX-License-Identifier: MIT
 *
 * Runs a planned job to its end: starts the ranks, forwards signals, stops all when one fails, reaps what they leave
 * behind, starts again when asked for.
 *
 * Two processes do it (decision 0008). The *front* is the one that was called: it forwards its signals and the
 * terminal's stops to the *supervisor*, its child, which is the parent of the ranks and the reaper of their orphans.
 * When either is killed, even with SIGKILL, the other ends the ranks and everything that they started: the supervisor
 * sees the front's end as the end of their socket; the front inherits the orphans of a lost supervisor, since both are
 * subreapers.
 */
#ifndef PIT_LAUNCH_SUPERVISE_H
#define PIT_LAUNCH_SUPERVISE_H

#include "launch/exit_report.h"
#include "launch/job.h"
#include "launch/output_sink.h"

struct pit_supervise {
	struct pit_root *root; /* live */
	const struct pit_job *job;
	/* A line for the user while it runs, without newline: refused steps, pressure, re-bound threads, restarts. */
	void (*say)(void *arg, const char *line);
	/* The report of each attempt, at its end. A slow reader may take its time, until `hurry` (NULL: now). */
	void (*report)(void *arg, const struct pit_exit_report *r, const struct pit_hurry *hurry);
	void *arg; /* both run in the supervisor's process; say() in the front too, when there is no supervisor */
};

#define PIT_SUPERVISE_FAILED 125 /* pitcrew could not do its part; also when the supervisor was killed */

/* Forks; returns in the front only, with the exit code of pit_exit_report_code(): the signals that it has forwarded
 * then stay blocked, since one that comes too late must not end us with that code unsaid. -errno: nothing was started,
 * and signals are as before. */
int pit_supervise(const struct pit_supervise *s, struct pit_error *err);

#endif
