/* SPDX-License-Identifier: MIT
 *
 * Counters that grow: over the life of the machine, and between the two readings of one run. A total without its age
 * says little, so rows print both.
 */
#ifndef PIT_CHECK_READINGS_H
#define PIT_CHECK_READINGS_H

#include "check/counters.h"

/* Seconds since boot; 0 unknown. */
double pit_uptime_or_0(struct pit_facts *facts);

/* Both readings of a file of pit_sampled_files[]. Without a second one (a recording without it, or the two lie closer
 * together than PIT_READINGS_MIN seconds) *ret_second is `first` and *ret_seconds is 0. -errno: not even the first. */
#define PIT_READINGS_MIN 0.01
int pit_two_readings(struct pit_facts *facts, const char *path, const char **ret_first, const char **ret_second,
		     double *ret_seconds);

/* Growth of one counter between two readings, per second; -1 unknown. */
double pit_growth(uint64_t before, uint64_t after, double seconds);

/* Names in `out` who sets the sysctl `path` ("/proc/sys/...") that now holds `value` (may be NULL). */
void pit_blame_sysctl(struct pit_facts *facts, struct pit_finding *out, const char *path, const char *value);

#endif
