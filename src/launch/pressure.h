/* SPDX-License-Identifier: MIT
 *
 * Watches the memory of a job while it runs: its control groups (current, events, PSI), or without groups the processes
 * of the ranks and the host's MemAvailable. Says when the OOM killer is near, in time for a checkpoint.
 */
#ifndef PIT_LAUNCH_PRESSURE_H
#define PIT_LAUNCH_PRESSURE_H

#include "base/event.h"
#include "host/root.h"
#include "launch/forecast.h"
#include "launch/leaf.h"

struct pit_pressure;

struct pit_pressure_news {
	int rank;  /* -1: the whole job, or the host */
	bool over; /* the episode has ended */
	uint64_t used, limit;
	double per_second;    /* growth, bytes */
	int64_t left;         /* ns until the limit at this growth; INT64_MAX unknown */
	const char *evidence; /* a sentence: which file, which numbers */
};
typedef void (*pit_pressure_fn)(void *arg, const struct pit_pressure_news *news);

struct pit_pressure_request {
	struct pit_loop *loop;
	struct pit_leaves *leaves; /* NULL: none */
	int ranks;
	const pid_t *leader; /* of each rank, used without groups; 0 gone; read at each sample */
	struct pit_forecast_rules rules;
	pit_pressure_fn fn; /* in the loop; once when an episode begins, once when it ends */
	void *arg;
};

/* Samples fast (4/s) while memory grows or is more than half full, slowly (1/s) else; PSI triggers wake it. Nothing it
 * reads can block for long. */
int pit_pressure_open(const struct pit_pressure_request *r, struct pit_pressure **ret, struct pit_error *err);
void pit_pressure_close(struct pit_pressure *p); /* NULL is fine */

#endif
