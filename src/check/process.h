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

/* process_counts.c */
pit_probe pit_probe_tasks, pit_probe_threads_max, pit_probe_cgroup_pids, pit_probe_fork_failures,
	pit_probe_file_handles, pit_probe_aio, pit_probe_load, pit_probe_thread_count;
/* process_gpu.c */
pit_probe pit_probe_gpu_orphans, pit_probe_mps_server;
/* process_hogs.c */
pit_probe pit_probe_stuck_tools, pit_probe_realtime, pit_probe_gpu_nice, pit_probe_reclaim_threads;
/* process_settings.c */
pit_probe pit_probe_core_pattern, pit_probe_environment_size, pit_probe_uptime, pit_probe_rapid_cron;
/* process_state.c */
pit_probe pit_probe_zombies, pit_probe_half_exited, pit_probe_blocked;

#endif
