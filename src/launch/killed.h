/* SPDX-License-Identifier: MIT
 *
 * What the kernel's log says of processes that it killed for want of memory, or for a fault. Pure.
 */
#ifndef PIT_LAUNCH_KILLED_H
#define PIT_LAUNCH_KILLED_H

#include <sys/types.h>

#include "host/kmsg.h"

struct pit_killed {
	bool group; /* at the limit of its control group, not of the host */
	pid_t pid;  /* as the first PID namespace counts */
	char name[32];
};

/* The newest such message of `pid` ("Killed process 123 (python)"), not older than `since` (microseconds since boot).
 * False: there is none. */
bool pit_killed_pid(const struct pit_kmsg *k, int64_t since, pid_t pid, struct pit_killed *ret);

/* A message of a fault of `pid` that ended it ("python[123]: segfault at 0 ip ..."), of its first thread. */
bool pit_killed_fault(const struct pit_kmsg *k, int64_t since, pid_t pid);

/* The same of any process in the control group whose path ends in `end` ("/pitcrew-12/rank-3"). */
bool pit_killed_in(const struct pit_kmsg *k, int64_t since, const char *end, struct pit_killed *ret);

#endif
