/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "launch/attempt_inside.h"

#define AT_ONCE 1024 /* ends that are taken before others are served: they may come faster than that */

static bool is_fault(int signal)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

	for (size_t i = 0; i < PIT_COUNT(faults); i++)
		if (faults[i] == signal)
			return true;
	return false;
}

/* A process gets these for what it does itself, most often. */
static bool is_own(int signal)
{
	static const int own[] = {SIGABRT, SIGSYS, SIGPIPE, SIGXCPU, SIGXFSZ};

	for (size_t i = 0; i < PIT_COUNT(own); i++)
		if (own[i] == signal)
			return true;
	return is_fault(signal);
}

/* Only of the first: a log is long, and ranks that end together are many. */
static enum pit_killer own_doing(const struct pit_member *m, int signal)
{
	if (is_fault(signal) && m->a->ending.phase == PIT_RUNNING && pit_attempt_log_has_fault(m->a, m->child.pid))
		return PIT_KILLER_FAULT;
	return PIT_KILLER_SELF;
}

static enum pit_killer killer(const struct pit_member *m, int signal)
{
	const struct pit_attempt *a = m->a;

	if (signal == SIGKILL && a->kill_ordered)
		return PIT_KILLER_US_GRACE;
	if (signal == a->report->stop_signal)
		return PIT_KILLER_US_STOP;
	if (m->checkpoint && signal == a->ending.rules.checkpoint_signal)
		return PIT_KILLER_US_CHECKPOINT;
	if (a->passed & UINT64_C(1) << (signal - 1))
		return PIT_KILLER_PASSED;
	return is_own(signal) ? own_doing(m, signal) : PIT_KILLER_UNKNOWN;
}

static void add_leaf(struct pit_member *m, struct pit_rank_end *end)
{
	struct pit_leaves *leaves = m->a->q->leaves;

	if (!m->leaf[0] || pit_leaves_memory(leaves, m->leaf, &end->memory))
		return;
	if (asprintf(&end->leaf, "%s/%s", pit_leaves_path(leaves), m->leaf) < 0)
		end->leaf = NULL;
}

/* Of a process that has ended, but is not reaped: in seconds, when that is what ended it; else 0. */
static int64_t reached_cpu_limit(const siginfo_t *info)
{
	struct rlimit limit;
	struct timespec used;
	clockid_t clock;

	if (info->si_code == CLD_EXITED || (info->si_status != SIGKILL && info->si_status != SIGXCPU) ||
	    prlimit(info->si_pid, RLIMIT_CPU, NULL, &limit))
		return 0;
	if (info->si_status == SIGKILL)
		limit.rlim_cur = limit.rlim_max;
	/* The limit is held by a clock of ticks, which runs ahead where others want the CPU too. */
	if (limit.rlim_cur == RLIM_INFINITY || clock_getcpuclockid(info->si_pid, &clock) ||
	    clock_gettime(clock, &used) ||
	    (double)used.tv_sec + (double)used.tv_nsec / 1e9 < 0.9 * (double)limit.rlim_cur - 0.5)
		return 0;
	return limit.rlim_cur ? (int64_t)limit.rlim_cur : 1; /* the kernel takes 0 for 1 */
}

static void fill(struct pit_member *m, const siginfo_t *info, int64_t cpu_limit)
{
	struct pit_attempt *a = m->a;
	struct pit_rank_end *end = &a->report->rank[m->at];

	end->how = info->si_code == CLD_EXITED ? PIT_RANK_EXITED : PIT_RANK_SIGNALLED;
	add_leaf(m, end);
	if (end->how == PIT_RANK_EXITED) {
		end->code = info->si_status;
	} else {
		end->signal = info->si_status;
		end->core = info->si_code == CLD_DUMPED;
		end->killer = killer(m, end->signal);
		end->sender = a->passed_by;
	}
	pit_attempt_find_oom(m, end);
	end->cpu_limit = cpu_limit;
	if (cpu_limit && (end->killer == PIT_KILLER_UNKNOWN || end->killer == PIT_KILLER_SELF))
		end->killer = PIT_KILLER_CPU_LIMIT;
}

static bool has_failed(const struct pit_rank_end *end)
{
	return end->how != PIT_RANK_EXITED || end->code;
}

static void tell_front(const struct pit_member *m)
{
	const struct pit_front_news n = {.group = m->child.pid};

	if (n.group)
		(void)!send(m->a->q->front, &n, sizeof(n), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* It may have stopped itself since this rank did, and then nobody waits for us. */
static void wake_front(struct pit_attempt *a, pid_t pid)
{
	if (a->stopped == pid && !a->front_lost)
		kill(getppid(), SIGCONT);
	if (a->stopped == pid)
		a->stopped = 0;
}

void pit_attempt_ended(struct pit_member *m)
{
	struct pit_attempt *a = m->a;
	struct pit_exit_report *r = a->report;
	struct pit_rank_end *end = &r->rank[m->at];
	int64_t now = pit_now();

	m->state = PIT_MEMBER_ENDED;
	a->leader[m->at] = 0;
	end->after = now - a->started;
	tell_front(m);
	wake_front(a, m->child.pid);
	if (a->ending.phase == PIT_RUNNING && has_failed(end)) {
		r->first = m->at;
		r->why = end->how == PIT_RANK_NOT_STARTED ? PIT_JOB_NOT_STARTED : PIT_JOB_FAILED;
	}
	pit_attempt_order(a, pit_ending_rank_ended(&a->ending, has_failed(end), now));
}

/* 0 when its end is not to be had yet. */
static int take(struct pit_member *m)
{
	siginfo_t info = {0};

	int64_t cpu_limit;

	if (waitid(P_PID, (id_t)m->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return 0;
	cpu_limit = reached_cpu_limit(&info);
	if (waitid(P_PID, (id_t)m->child.pid, &info, WEXITED | WNOHANG) || !info.si_pid)
		return 0;
	pit_loop_unwatch(m->a->loop, m->child.pidfd);
	fill(m, &info, cpu_limit);
	pit_attempt_ended(m);
	return 1;
}

int pit_attempt_on_pidfd(void *arg, uint32_t events)
{
	struct pit_member *m = arg;

	/* Under strace the tracer has it first, and we are told again with SIGCHLD. */
	if (m->state == PIT_MEMBER_RUNS && !take(m)) {
		pit_loop_unwatch(m->a->loop, m->child.pidfd);
		pit_cleanup_close(&m->child.pidfd);
		m->child.pidfd = -1;
	}
	return pit_attempt_reap(m->a);
}

static struct pit_member *find(struct pit_attempt *a, pid_t pid)
{
	for (int i = 0; i < a->members; i++)
		if (a->leader[i] == pid)
			return &a->member[i];
	return NULL;
}

/* Helpers of ours are in our group. */
static void take_orphan(struct pit_attempt *a, pid_t pid)
{
	bool helper = getpgid(pid) == getpgrp();
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) || !info.si_pid || helper)
		return;
	if (info.si_code == CLD_EXITED || info.si_status != SIGKILL || !a->swept)
		a->report->orphans += !a->kill_ordered;
	else
		a->report->leftovers += !a->kill_ordered;
}

static bool is_stop(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU || signal == SIGSTOP;
}

/* A rank that stopped, or waits for the terminal, concerns the user's shell. */
static void tell_stops(struct pit_attempt *a)
{
	siginfo_t info = {0};

	while (!waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOHANG) && info.si_pid) {
		const struct pit_front_news n = {
			.group = info.si_pid, .signal = info.si_status, .only = a->members == 1};
		bool rank = find(a, n.group);

		if (rank && info.si_code == CLD_STOPPED && is_stop(n.signal) && !a->stopped_by_front) {
			(void)!send(a->q->front, &n, sizeof(n), MSG_DONTWAIT | MSG_NOSIGNAL);
			a->stopped = n.group;
		} else if (rank && info.si_code == CLD_CONTINUED) {
			wake_front(a, n.group);
		}
		info = (siginfo_t){0};
	}
}

/* A rank that has a pidfd is left to it: the loop serves these in the order of their ends, which this list has not. */
static bool take_next(struct pit_attempt *a, pid_t pid)
{
	struct pit_member *m = find(a, pid);

	if (!m) {
		take_orphan(a, pid);
		return true;
	}
	if (m->state == PIT_MEMBER_STARTS)
		return !pit_attempt_started(m);
	return m->child.pidfd < 0 && take(m);
}

static int on_more(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;

	a->reap = 0;
	return pit_attempt_reap(a);
}

int pit_attempt_reap(struct pit_attempt *a)
{
	int taken = 0;
	pid_t pid;

	tell_stops(a);
	while (taken < AT_ONCE && (pid = pit_children_ended()) && take_next(a, pid))
		taken++;
	if (taken == AT_ONCE && a->reap <= 0)
		a->reap = pit_loop_at(a->loop, pit_now(), on_more, a);
	if (a->sweeping && pit_children_none(a->root, NULL))
		return PIT_ATTEMPT_OVER;
	if (taken)
		pit_attempt_sweep_soon(a);
	return 0;
}
