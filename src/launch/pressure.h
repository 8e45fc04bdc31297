/* SPDX-License-Identifier: MIT
 *
 * Watches the memory of a job while it runs, and says when the OOM killer is near, in time for a checkpoint. What is
 * watched is everything whose end is the job's: the group of each rank, the job's group and those above it that have a
 * limit; without groups of our own those that we are in (version 1 too); the NUMA nodes of a strict binding; the host.
 *
 * What the ranks' processes hold is only looked at to name the biggest one: a rank has no limit of its own without a
 * group, and walking /proc four times a second is not cheap.
 */
#ifndef PIT_LAUNCH_PRESSURE_H
#define PIT_LAUNCH_PRESSURE_H

#include "base/event.h"
#include "host/root.h"
#include "launch/forecast.h"
#include "launch/leaf.h"

struct pit_pressure;

struct pit_pressure_news {
	int rank;   /* -1: the whole job, or the host */
	bool over;  /* the episode has ended */
	bool along; /* began so soon after another (`horizon` or `calm`) that what was saved for that one will do */
	uint64_t used, limit;
	double per_second;    /* growth, bytes; 0 unknown */
	int64_t left;         /* ns until the limit at this growth; INT64_MAX unknown */
	const char *evidence; /* a sentence: which file, which numbers; valid during the call */
};
typedef void (*pit_pressure_fn)(void *arg, const struct pit_pressure_news *news);

struct pit_pressure_request {
	struct pit_loop *loop;
	struct pit_leaves *leaves; /* NULL: none. Those of the ranks are called "rank-N" */
	int ranks;
	const pid_t *leader;          /* of each rank, also its process group; 0 gone; read when an episode begins */
	const struct pit_idset *mems; /* nodes that the whole job is strictly bound to (MPOL_BIND); NULL none */
	struct pit_forecast_rules rules;
	pit_pressure_fn fn; /* in the loop; once when an episode begins, once when it ends. It may not close */
	void *arg;
};

/* Samples fast (4/s) while memory grows or is more than half full, slowly (1/s) else; PSI triggers wake it. Nothing it
 * reads can block for long. Groups that vanish are left alone. -ENOENT: there is nothing that can be watched. */
int pit_pressure_open(const struct pit_pressure_request *r, struct pit_pressure **ret, struct pit_error *err);
void pit_pressure_close(struct pit_pressure *p); /* NULL is fine */

#endif
