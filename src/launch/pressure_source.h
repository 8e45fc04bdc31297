/* SPDX-License-Identifier: MIT
 *
 * One thing whose memory ends somewhere: a control group, the host, or the NUMA nodes that a job may not leave. Read
 * anew each time, with calls that never wait for others' memory. Private to pressure.c and its tests.
 */
#ifndef PIT_LAUNCH_PRESSURE_SOURCE_H
#define PIT_LAUNCH_PRESSURE_SOURCE_H

#include "base/idset.h"
#include "launch/forecast.h"
#include "pitcrew/error.h"

enum pit_pressure_source_kind {
	PIT_PRESSURE_SOURCE_GROUP,
	PIT_PRESSURE_SOURCE_GROUP_V1,
	PIT_PRESSURE_SOURCE_HOST,
	PIT_PRESSURE_SOURCE_NODES
};

#define PIT_PRESSURE_SOURCE_FILES 4

struct pit_pressure_source {
	enum pit_pressure_source_kind kind;
	int rank;                            /* -1: no rank's own */
	char name[512];                      /* for people: a directory or a file */
	int dir;                             /* its files are below */
	int file[PIT_PRESSURE_SOURCE_FILES]; /* those that are read often stay open: that halves the cost; -1 not open
					      */
	int trigger;                         /* pressure file with a trigger set; -1 none */
	struct pit_idset nodes;              /* of NODES */
	const char *limit_file;              /* that sets the limit: "memory.max" */
	uint64_t limit;
	int64_t limit_at;  /* when it was read */
	uint64_t stall_us; /* total at stall_at; 0 not read yet */
	int64_t stall_at;
};

/* The group `path` of v2 or v1. -ENOENT: it has no memory controller. The limit is the lower of max and high. */
int pit_pressure_source_group(const char *path, bool v2, int rank, struct pit_pressure_source *ret);

/* `proc` is "/proc". Use is what is not available; swap counts as room. */
int pit_pressure_source_host(const char *proc, struct pit_pressure_source *ret);

/* Memory of the nodes together, for strict bindings; `path` is "/sys/devices/system/node". -ENOENT: not there. */
int pit_pressure_source_nodes(const char *path, const struct pit_idset *nodes, struct pit_pressure_source *ret);
void pit_pressure_source_close(struct pit_pressure_source *s); /* safe twice */

/* Below the share `need` of the limit, `used` may count page cache and the rest stays unknown: cheaper. -errno: it is
 * gone, or makes no sense. */
int pit_pressure_source_read(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret);

/* Asks the kernel to wake us when tasks stall on memory: `s->trigger` gets readable as EPOLLPRI. -errno: sampling must
 * do (no PSI, no privilege before Linux 6.5, version 1, nodes). */
int pit_pressure_source_set_trigger(struct pit_pressure_source *s);

#endif
