/* SPDX-License-Identifier: MIT
 *
 * The parts of leaf: what a job's groups are made of, and how limits are written. Private to leaf*.c.
 */
#ifndef PIT_LAUNCH_LEAF_INSIDE_H
#define PIT_LAUNCH_LEAF_INSIDE_H

#include "launch/leaf.h"

struct pit_leaf {
	char *name;
	int dir;
};

struct pit_leaves {
	struct pit_root *root;
	char *above; /* path of the group that ours lies in */
	int above_dir;
	int lock;                /* while groups are made or taken back; else -1 */
	char name[64];           /* of the job's group in it, "pitcrew-123" */
	char *path;              /* of the job's group */
	int dir;                 /* and its directory, locked for as long as we live */
	char supervisor[80];     /* group that we have moved to; "" we have not moved */
	struct pit_strv enabled; /* controllers that we enabled in `above` */
	struct pit_strv told;    /* of which a note was given that they are missing, */
	struct pit_strv why;     /* and of each the reason */
	struct pit_leaf *leaf;
	size_t leaves;
};

/* Writes the limits to a group. Those whose controller is missing are left out, with a note once. */
int pit_leaf_limit(struct pit_leaves *l, int dir, const char *path, const struct pit_leaf_limits *limits,
		   struct pit_strv *notes, struct pit_error *err);

/* A controller is missing: keeps the reason, and adds it to the notes with what is lost. -ENOMEM. */
int pit_leaf_miss(struct pit_leaves *l, const char *controller, struct pit_strv *notes, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The controllers that are wanted, ended by NULL, and what is lost without each. */
extern const char *const pit_leaf_controllers[];
const char *pit_leaf_lost(const char *controller);

/* The text for cpu.max. Returns `out`. */
char *pit_leaf_cpu_max(double cpus, char *out, size_t size);

/* A line for io.max: "/dev/NAME" in front becomes "MAJOR:MINOR". -ENOENT, -ENOTBLK (no block device), -EINVAL (neither
 * of both in front, or nothing behind it). */
int pit_leaf_io_line(const char *line, char *out, size_t size);

#endif
