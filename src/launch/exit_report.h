/* SPDX-License-Identifier: MIT
 *
 * How a job ended: one screen, a JSON text, an exit code. Pure.
 */
#ifndef PIT_LAUNCH_EXIT_REPORT_H
#define PIT_LAUNCH_EXIT_REPORT_H

#include <sys/types.h>

#include "base/buf.h"
#include "launch/leaf.h"

enum pit_rank_how {
	PIT_RANK_RUNS, /* never seen to end */
	PIT_RANK_EXITED,
	PIT_RANK_SIGNALLED,
	PIT_RANK_NOT_STARTED, /* `code` is the errno, of exec unless `before_exec` */
};

enum pit_killer { /* who sent the signal that ended it, as far as can be known */
		  PIT_KILLER_UNKNOWN,
		  PIT_KILLER_FAULT,         /* itself: the kernel's log has the fault */
		  PIT_KILLER_SELF,          /* itself, most often: ABRT SEGV BUS FPE ILL SYS TRAP PIPE XCPU XFSZ */
		  PIT_KILLER_CPU_LIMIT,     /* the kernel, at RLIMIT_CPU */
		  PIT_KILLER_PASSED,        /* somebody who sent it to us: we passed it on */
		  PIT_KILLER_US_CHECKPOINT, /* our checkpoint signal */
		  PIT_KILLER_US_STOP,       /* our stop signal */
		  PIT_KILLER_US_GRACE,      /* our SIGKILL, after the grace */
		  PIT_KILLER_OOM_GROUP,     /* the kernel, at the limit of its group (memory.events) */
		  PIT_KILLER_OOM_HOST,      /* the kernel, because the host was out of memory (kmsg) */
};

struct pit_rank_end {
	int rank;
	pid_t pid;
	enum pit_rank_how how;
	int code, signal; /* by `how` */
	bool core;        /* a core file was written */
	bool before_exec; /* NOT_STARTED: a step of ours failed (binding with --strict, --chdir), not the command */
	enum pit_killer killer;
	pid_t sender;        /* PASSED: of whom; 0 the kernel, -1 unknown */
	int64_t cpu_limit;   /* CPU_LIMIT: s */
	uint64_t oom_killed; /* processes of its group that the kernel killed for want of memory; 0 none, or unknown */
	int64_t after;       /* ns since the start of this attempt */
	struct pit_leaf_memory memory; /* of its leaf at its end; all zero: there was none */
	char *leaf;                    /* path of that leaf; NULL there was none */
	char *tail;                    /* last lines of its stderr; NULL none were kept */
	char *gone;                    /* a sentence about its start, or NULL: "exec: No such file" */
};

enum pit_job_why { PIT_JOB_DONE, PIT_JOB_FAILED, PIT_JOB_STOPPED, PIT_JOB_LOST_FRONT, PIT_JOB_NOT_STARTED };

struct pit_exit_report {
	struct pit_rank_end *rank;
	int ranks;
	int first; /* position of the rank that failed first; -1 none */
	enum pit_job_why why;
	int asked_signal;      /* STOPPED: which. Also set when somebody asked who came too late: no restart then */
	pid_t asked_by;        /* and from whom; 0 the kernel (a terminal), -1 unknown */
	char asked_name[32];   /* its command; "" unknown */
	int stop_signal;       /* the one that was sent to the ranks; 0 none */
	int attempt, restarts; /* this one is number `attempt` (0 first) of at most 1 + restarts */
	const char *gave_up;   /* why no further restart; NULL */
	int64_t lasted;
	int leftovers;         /* processes that the ranks left behind and we ended */
	int orphans;           /* that ended by themselves and were reaped */
	int output_lost;       /* errno with which what they printed could not be written on; 0 all was */
	bool checkpoint_sent;  /* before the stop signal */
	int64_t pressed;       /* ns since the start of a checkpoint signal for want of memory; 0 none */
	bool grace_over;       /* the stop signal was not enough for some */
	struct pit_strv notes; /* what --explain would have said of it: re-bound threads, remote memory, pressure */
};
void pit_exit_report_free(struct pit_exit_report *r); /* back to all-zero, `first` -1 */

/* 0; the first failing rank's code, or 128 + its signal; a job that was asked to stop: 128 + that signal unless all
 * ranks ended with 0; 127 command not found, 126 not executable, 125 pitcrew could not do its part: also when
 * all ended well, but output was lost. */
int pit_exit_report_code(const struct pit_exit_report *r);

/* At most PIT_EXIT_REPORT_LINES lines of at most 100 columns, nothing for a job that simply went well; foreign text
 * without control characters. Rank 0, when it is alone, is called the command. */
#define PIT_EXIT_REPORT_LINES 24
void pit_exit_report_text(const struct pit_exit_report *r, struct pit_buf *out);
int pit_exit_report_json(const struct pit_exit_report *r, struct pit_buf *out); /* {"schema":1,...}; 0 or -ENOMEM */

/* "SIGTERM" for 15, "SIGRTMIN+3"; "signal 99" when it has no name. Returns `out`. */
char *pit_signal_name(int signal, char *out, size_t size);
/* "TERM", "SIGTERM", "15", "RTMIN+1", "RTMAX-2" in any case; -EINVAL, also for 0 and the two that libc keeps. */
int pit_signal_parse(const char *text, int *ret);

#endif
