/* SPDX-License-Identifier: MIT */
#ifndef PIT_BASE_CLOCK_H
#define PIT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define PIT_MS INT64_C(1000000) /* nanoseconds */

/* Monotonic time in nanoseconds. */
static inline int64_t pit_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 * PIT_MS + t.tv_nsec;
}

#endif
