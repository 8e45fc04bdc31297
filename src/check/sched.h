/* SPDX-License-Identifier: MIT
 *
 * The "cpu" line of /proc/stat: where the time of all CPUs went, in clock ticks. Private to check/.
 */
#ifndef PIT_CHECK_SCHED_H
#define PIT_CHECK_SCHED_H

#include <stdint.h>

#include "pitcrew/error.h"

struct pit_cpu_times {
	uint64_t total; /* guest time is part of user time and not counted twice */
	uint64_t idle;  /* idle and iowait */
	uint64_t steal; /* another guest ran on our CPU */
};

/* -EBADMSG: no such line, or fewer than the four fields that every kernel has. */
int pit_cpu_times_parse(const char *stat, struct pit_cpu_times *ret, struct pit_error *err);

#endif
