/* SPDX-License-Identifier: MIT
 *
 * What the rows about processes share. Private to check/process*.c and check/limits*.c.
 */
#ifndef PIT_CHECK_PROCESS_H
#define PIT_CHECK_PROCESS_H

#include "check/facts.h"

/* /proc/PID/stat a second time: 0, -ENOENT when the process is gone by then, -ENODATA when a recording lacks it.
 * `ret_seconds` (may be NULL): time between the readings. */
int pit_process_again(struct pit_facts *f, int pid, struct pit_proc *ret, double *ret_seconds);

/* "python3 (PID 400)", or "PID 400" when it is not in the list; returns `out`. */
char *pit_process_name(const struct pit_procs *procs, int pid, char *out, size_t size);

/* Verdict on `used` of `limit` in percent: from 80 on a warning, from 95 on a failure (the figures of gpud). */
int pit_process_share(struct pit_finding *out, uint64_t used, uint64_t limit, const char *what);

/* The same for a limit in a file under /proc/sys; a bad verdict names who set it. */
int pit_process_share_of(struct pit_facts *f, struct pit_finding *out, uint64_t used, const char *path, uint64_t limit,
			 const char *what);

#define PROBE(name)                                                                                                    \
	int name(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
PROBE(pit_probe_zombies);
PROBE(pit_probe_half_exited);
PROBE(pit_probe_blocked);
PROBE(pit_probe_gpu_orphans);
PROBE(pit_probe_stuck_tools);
PROBE(pit_probe_tasks);
PROBE(pit_probe_threads_max);
PROBE(pit_probe_cgroup_pids);
PROBE(pit_probe_fork_failures);
PROBE(pit_probe_file_handles);
PROBE(pit_probe_aio);
PROBE(pit_probe_load);
PROBE(pit_probe_thread_count);
PROBE(pit_probe_realtime);
PROBE(pit_probe_gpu_nice);
PROBE(pit_probe_reclaim_threads);
PROBE(pit_probe_mps_server);
PROBE(pit_probe_core_pattern);
PROBE(pit_probe_environment_size);
PROBE(pit_probe_uptime);
PROBE(pit_probe_rapid_cron);

#endif
