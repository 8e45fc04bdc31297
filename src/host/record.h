/* SPDX-License-Identifier: MIT
 *
 * Writes all answers that a live root has given so far into one archive, which pit_root_open() takes.
 *
 *	proc/meminfo ...          files and links at their own places, links along the way included
 *	.pitcrew/format           "1", then who wrote it
 *	.pitcrew/missing          what could not be read: "errno kind path"
 *	.pitcrew/KIND/ESCAPED     answers that are no file: lists, stat, statfs, facts, second readings
 */
#ifndef PIT_HOST_RECORD_H
#define PIT_HOST_RECORD_H

#include "host/root.h"

struct pit_record_summary {
	size_t files;   /* answers written */
	size_t missing; /* reads that had failed */
	uint64_t bytes;
};

/* `raw` keeps secrets and addresses (see redact.h). The root must be live. */
int pit_record(struct pit_root *root, const char *path, bool raw, struct pit_record_summary *ret,
	       struct pit_error *err);

#endif
