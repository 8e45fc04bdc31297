/* SPDX-License-Identifier: MIT
 *
 * Reports of the kernel's out-of-memory killer, read from its messages (Linux 3.10 to 6.x). A report may be cut: the
 * ring buffer drops its beginning, rate limits drop lines, other CPUs write between them.
 */
#ifndef PIT_CHECK_OOM_H
#define PIT_CHECK_OOM_H

#include "host/kmsg.h"

enum pit_oom_constraint {
	PIT_OOM_UNKNOWN,
	PIT_OOM_NONE,      /* the whole machine was out of memory */
	PIT_OOM_MEMCG,     /* a control group reached its limit */
	PIT_OOM_CPUSET,    /* the memory nodes of a cpuset were full */
	PIT_OOM_MEMPOLICY, /* the memory nodes of a binding (numactl, mbind) were full */
};
const char *pit_oom_constraint_name(enum pit_oom_constraint c); /* "host", "memcg", "cpuset", "mempolicy", "unknown" */

struct pit_oom {
	int64_t usec; /* of its last line; -1 unknown */
	char invoker[64];
	int order;   /* of the allocation that failed; -1 somebody asked for the kill by hand (SysRq f) */
	bool manual; /* it was */
	enum pit_oom_constraint constraint;
	char mems[64];               /* memory nodes that were allowed; "" unknown */
	char limited[256];           /* control group whose limit was reached; "" none or unknown */
	char group[256];             /* control group of the victim; "" unknown */
	uint64_t usage_kb, limit_kb; /* of the group that is limited; 0 unknown */
	bool killed;                 /* somebody was; false: nobody could be, or the report is cut */
	char task[64];
	int pid;
	int adj;                             /* oom_score_adj of the victim; INT_MIN unknown */
	uint64_t anon_kb, file_kb, shmem_kb; /* resident when killed; all 0 unknown */
};

struct pit_ooms {
	struct pit_oom *item; /* oldest first */
	size_t count;
};

/* Never fails for what a message holds; 0 or -ENOMEM. *ret must be all-zero. */
int pit_oom_parse(const struct pit_kmsg *log, struct pit_ooms *ret);
void pit_oom_free(struct pit_ooms *o);
#define pit_auto_ooms PIT_CLEANUP(pit_oom_free)

#endif
