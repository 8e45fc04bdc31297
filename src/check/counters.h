/* SPDX-License-Identifier: MIT
 *
 * Numbers of the whole machine that many rows compare with: memory, time, and counters that grow, over the life of the
 * machine and between the two readings of one run. Private to check/.
 */
#ifndef PIT_CHECK_COUNTERS_H
#define PIT_CHECK_COUNTERS_H

#include "check/facts.h"

/* A line of /proc/meminfo in bytes; -ENOENT: this kernel does not have it. */
int pit_meminfo(struct pit_facts *f, const char *key, uint64_t *ret_bytes, struct pit_error *err);

/* A counter of /proc/vmstat, and the sum of all whose name begins with `prefix`; -ENOENT none. */
int pit_vmstat(struct pit_facts *f, const char *key, uint64_t *ret, struct pit_error *err);
int pit_vmstat_sum(const char *text, const char *prefix, uint64_t *ret);

/* Growth per second of such a sum between two readings; errors as of pit_facts_again(). */
int pit_vmstat_sum_rate(struct pit_facts *f, const char *prefix, double *ret_per_second, struct pit_error *err);

/* Both readings of a counter file. Without a second one (a recording without it, or the two lie closer together than
 * PIT_READINGS_MIN seconds) *ret_second is the first and *ret_seconds is 0. -EAGAIN as of pit_facts_again(); another
 * -errno: not even the first. */
#define PIT_READINGS_MIN 0.01
int pit_two_readings(struct pit_facts *f, const char *path, const char **ret_first, const char **ret_second,
		     double *ret_seconds);

/* Growth of one counter between two readings, per second; -1 unknown. */
double pit_growth(uint64_t before, uint64_t after, double seconds);

/* Seconds since boot. A total without its age says little, so rows print both. */
int pit_uptime(struct pit_facts *f, double *ret_seconds, struct pit_error *err);
double pit_uptime_or_0(struct pit_facts *f); /* 0 unknown */

/* The machine's clock, in seconds since 1970, when it was read: boot time plus uptime, so recordings have it too. */
int pit_clock(struct pit_facts *f, int64_t *ret_seconds, struct pit_error *err);

/* Bytes of one page; 4096 where nobody says. */
uint64_t pit_page_size(struct pit_facts *f);

#endif
