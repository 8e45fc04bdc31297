/* SPDX-License-Identifier: MIT
 *
 * What the rows about resource limits share. Private to check/limits*.c.
 */
#ifndef PIT_CHECK_LIMITS_H
#define PIT_CHECK_LIMITS_H

#include "check/process.h"

/* One limit and how much of it is enough. */
struct pit_limit {
	const char *name;     /* in /proc/PID/limits */
	const char *item;     /* in limits.conf */
	const char *unit_key; /* in systemd units */
	bool bytes;
	uint64_t plain;     /* wanted at least on any machine; 0: any will do */
	uint64_t gpu;       /* with a GPU */
	uint64_t rdma;      /* with RDMA; UINT64_MAX: unlimited */
	uint64_t rdma_fail; /* with RDMA, less than this is a failure; 0: never */
};

/* limits_probe.c; `row->arg` is a struct pit_limit. */
pit_probe pit_probe_limit_shell, pit_probe_limit_daemons, pit_probe_limit_gpu;

/* limits_use.c */
pit_probe pit_probe_files_used, pit_probe_memory_locked, pit_probe_core_shell, pit_probe_core_gpu,
	pit_probe_limits_conf;

/* Processes here that start jobs. */
struct pit_daemon {
	const char *comm, *unit;
	const char *other_unit; /* its name elsewhere; NULL none */
	bool login;             /* PAM sets the limits of what it starts */
	bool hard;              /* what it starts may raise limits up to its hard one */
};
struct pit_daemon_found {
	const struct pit_daemon *daemon;
	int pid;
};
#define PIT_DAEMONS_MAX 16
size_t pit_daemons_find(const struct pit_procs *procs, struct pit_daemon_found ret[PIT_DAEMONS_MAX]);

#endif
