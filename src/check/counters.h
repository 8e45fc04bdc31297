/* SPDX-License-Identifier: MIT
 *
 * Numbers of the whole machine that many rows compare with, and words for them. Private to check/.
 */
#ifndef PIT_CHECK_COUNTERS_H
#define PIT_CHECK_COUNTERS_H

#include "check/facts.h"

/* A line of /proc/meminfo in bytes; -ENOENT: this kernel does not have it. */
int pit_meminfo(struct pit_facts *f, const char *key, uint64_t *ret_bytes, struct pit_error *err);

/* A counter of /proc/vmstat, and the sum of all whose name begins with `prefix`; -ENOENT none. */
int pit_vmstat(struct pit_facts *f, const char *key, uint64_t *ret, struct pit_error *err);
int pit_vmstat_sum(const char *text, const char *prefix, uint64_t *ret);

/* Growth per second of such a sum between two readings; errors as of pit_facts_rate(). */
int pit_vmstat_sum_rate(struct pit_facts *f, const char *prefix, double *ret_per_second, struct pit_error *err);

int pit_uptime(struct pit_facts *f, double *ret_seconds, struct pit_error *err);

/* The machine's clock, in seconds since 1970, when it was read: boot time plus uptime, so recordings have it too. */
int pit_clock(struct pit_facts *f, int64_t *ret_seconds, struct pit_error *err);

/* Bytes of one page; 4096 where nobody says. */
uint64_t pit_page_size(struct pit_facts *f);

/* True for the graphics of a CPU that shares its memory and is no use to a job: Intel's at 00:02.0, AMD's with less
 * than 4 GiB of its own. */
bool pit_gpu_is_integrated(struct pit_facts *f, const struct pit_device *d);

/* GPUs on this machine by PCI and NVML, without integrated ones; -1 unknown. */
int pit_gpu_count(struct pit_facts *f);

/* "12 s", "5 min", "3.5 h", "12 days" in `out`; returns `out`. */
char *pit_format_age(double seconds, char *out, size_t size);

/* Fills `origin` of a finding about the setting at `path` (under /proc/sys or /sys). */
void pit_origin_of(struct pit_facts *f, const char *path, const char *value, const char *cmdline_arg,
		   struct pit_finding *out);

#endif
