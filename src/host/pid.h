/* SPDX-License-Identifier: MIT
 *
 * Processes, read from /proc/PID.
 */
#ifndef PIT_HOST_PID_H
#define PIT_HOST_PID_H

#include <stdbool.h>
#include <stdint.h>

#include "host/root.h"

struct pit_proc {
	int pid, ppid, pgrp, session;
	char state;    /* R S D T t Z X I ... */
	char comm[64]; /* as the kernel has it; may hold blanks and parentheses */
	unsigned flags;
	uint64_t majflt;
	uint64_t utime, stime; /* clock ticks */
	int64_t nice;
	int64_t threads;
	uint64_t start; /* clock ticks since boot */
	uint64_t vsize; /* bytes */
	int64_t rss;    /* pages */
	int policy;     /* SCHED_*; -1 unknown */
};

#define PIT_PF_KTHREAD 0x00200000u /* include/linux/sched.h */
#define PIT_TICKS_PER_SECOND 100   /* USER_HZ; /proc uses it on x86_64 and aarch64 alike */

/* The text of /proc/PID/stat; the command ends at the LAST ")". -EBADMSG. */
int pit_proc_parse_stat(const char *text, struct pit_proc *ret, struct pit_error *err);

struct pit_procs {
	struct pit_proc *item; /* sorted by pid */
	size_t count;
	size_t unreadable; /* vanished or malformed while reading */
	double uptime;     /* seconds; 0 unknown: ages are unknown then */
	bool hidden;       /* /proc is mounted with hidepid: not all processes are seen */
};
int pit_procs_load(struct pit_root *root, struct pit_procs *ret, struct pit_error *err);
void pit_procs_free(struct pit_procs *p);

const struct pit_proc *pit_procs_find(const struct pit_procs *p, int pid); /* NULL none */

/* The first process with that command, cut at the 15 bytes that the kernel keeps, that is no zombie; NULL none. */
const struct pit_proc *pit_procs_named(const struct pit_procs *p, const char *comm);

/* Seconds since the process started; -1 unknown. */
double pit_proc_age(const struct pit_procs *p, const struct pit_proc *proc);

/* One limit ("Max locked memory") from /proc/PID/limits; UINT64_MAX = unlimited. `pid` 0 is this process. -ENOENT: no
 * such limit there. */
int pit_proc_limit(struct pit_root *root, int pid, const char *name, uint64_t *ret_soft, uint64_t *ret_hard);

#endif
