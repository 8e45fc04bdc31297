/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "host/procfs.h"
#include "launch/attempt_inside.h"

#define SETTLE (500 * PIT_MS)       /* helpers of ranks (DataLoader workers, resource trackers) end by themselves */
#define SWEEP (200 * PIT_MS)        /* between two rounds of SIGKILL, for what was born meanwhile, */
#define SWEEP_SOON (5 * PIT_MS)     /* or became our own, its parent having ended */
#define SWEEP_MOST (10000 * PIT_MS) /* who is still there is stuck in the kernel */
#define STUCK_SAID (10000 * PIT_MS)
#define LOST_GRACE (5000 * PIT_MS) /* at most, when nobody waits for us any more */

static bool lives(const struct pit_member *m)
{
	return m->a->leader[m->at] != 0;
}

static void signal_leader(const struct pit_member *m, int signal)
{
	if (!lives(m))
		return;
	if (m->child.pidfd < 0 || syscall(SYS_pidfd_send_signal, m->child.pidfd, signal, NULL, 0))
		kill(m->child.pid, signal); /* not waited for yet, so it is nobody else */
}

void pit_attempt_signal_leaders(struct pit_attempt *a, int signal)
{
	for (int i = 0; i < a->members; i++)
		signal_leader(&a->member[i], signal);
}

static void signal_group(const struct pit_member *m, int signal)
{
	if (!lives(m))
		return;
	/* A leader that has left its group, or is not in it yet, is not reached with it. */
	if (getpgid(m->child.pid) != m->child.pid)
		signal_leader(m, signal);
	kill(-m->child.pid, signal);
}

static void signal_groups(struct pit_attempt *a, int signal)
{
	for (int i = 0; i < a->members; i++)
		signal_group(&a->member[i], signal);
}

static uint64_t signal_set(const char *status, const char *key)
{
	char hex[32];

	return pit_kv_str(status, key, hex, sizeof(hex)) ? 0 : strtoull(hex, NULL, 16);
}

/* In sigwait(), which lets in what is blocked else. */
static bool awaits_signals(const struct pit_member *m)
{
	char call[32];

	return !pit_root_str(m->a->root, call, sizeof(call), "/proc/%d/syscall", m->child.pid) &&
	       isdigit((unsigned char)*call) && atoi(call) == SYS_rt_sigtimedwait;
}

/* Others would be ended by the checkpoint signal, with nothing saved and no grace for what they started: shells around
 * the command, programs that are still being loaded. Those who wait for a signal block it. */
static bool hears(const struct pit_member *m, int signal)
{
	uint64_t bit = UINT64_C(1) << (signal - 1);
	struct pit_text status;

	if (!lives(m) || m->state != PIT_MEMBER_RUNS)
		return false;
	if (pit_root_read(m->a->root, &status, "/proc/%d/status", m->child.pid) || !strstr(status.data, "SigCgt:"))
		return true; /* nobody knows */
	return (signal_set(status.data, "SigCgt") | signal_set(status.data, "SigBlk")) & bit || awaits_signals(m);
}

int pit_attempt_checkpoint(struct pit_attempt *a)
{
	int signal = a->ending.rules.checkpoint_signal, sent = 0, deaf = 0;
	char name[32];

	pit_root_forget(a->root);
	for (int i = 0; i < a->members; i++) {
		if (hears(&a->member[i], signal)) {
			signal_leader(&a->member[i], signal);
			a->member[i].checkpoint = true;
			sent++;
		} else {
			deaf += lives(&a->member[i]);
		}
	}
	pit_root_forget(a->root);
	pit_root_end_helper(a->root); /* a child, which a sweep must not find */
	if (deaf)
		pit_attempt_note(
			a,
			"%d of %d ranks did not get the checkpoint signal: they have no handler for %s, and it "
			"would end them (put 'exec' before the command in a shell)",
			deaf, sent + deaf, pit_signal_name(signal, name, sizeof(name)));
	return sent;
}

/* Nobody who saves: nothing to wait for. */
static unsigned checkpoint(struct pit_attempt *a)
{
	a->report->checkpoint_sent = pit_attempt_checkpoint(a) > 0;
	return a->report->checkpoint_sent ? 0 : pit_ending_unheard(&a->ending, pit_now());
}

/* Who is stopped cannot end in order. */
static void stop(struct pit_attempt *a)
{
	a->report->stop_signal = a->ending.rules.stop_signal;
	signal_groups(a, a->ending.rules.stop_signal);
	signal_groups(a, SIGCONT);
}

/* With groups at once; without, what the killed leave becomes our own and is killed in the next round. */
static void kill_everything(struct pit_attempt *a)
{
	for (int i = 0; a->q->mps && i < a->members; i++)
		if (lives(&a->member[i]) && !a->kill_ordered)
			pit_mps_end_client(a->q->mps, a->member[i].child.pid);
	if (a->q->leaves)
		(void)pit_leaves_kill(a->q->leaves, NULL);
	signal_groups(a, SIGKILL);
	(void)pit_children_kill(a->root, NULL);
}

static void kill_ordered(struct pit_attempt *a)
{
	kill_everything(a);
	if (!a->kill_ordered && a->ending.phase != PIT_ENDED)
		a->report->grace_over = true;
	if (!a->kill_ordered)
		a->kill_since = pit_now();
	a->kill_ordered = true;
	if (!a->stuck_said && pit_now() - a->kill_since > STUCK_SAID) {
		a->stuck_said = true;
		pit_attempt_note(a,
				 "%d of the ranks do not even end by SIGKILL: they are stuck in the kernel (a "
				 "driver, a network file system)",
				 a->ending.alive);
	}
}

static int on_sweep(void *arg, uint32_t events);

static void sweep_again(struct pit_attempt *a, int64_t at)
{
	pit_loop_cancel(a->loop, a->sweep);
	a->sweep_at = at;
	a->sweep = pit_loop_at(a->loop, at, on_sweep, a);
}

static int on_sweep(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;
	int64_t now = pit_now();
	int rc = pit_attempt_reap(a);

	if (rc)
		return rc;
	if (now >= a->sweep_end) {
		pit_attempt_note(a, "some processes of the job are left: they are stuck in the kernel");
		return PIT_ATTEMPT_OVER;
	}
	if (now >= a->sweep_kill) {
		a->swept = true;
		kill_everything(a);
	}
	sweep_again(a, now >= a->sweep_kill ? now + SWEEP : a->sweep_kill);
	return 0;
}

/* Ends that come without a pause do not put it off again and again. */
void pit_attempt_sweep_soon(struct pit_attempt *a)
{
	int64_t soon = pit_now() + SWEEP_SOON;

	if (a->swept && soon < a->sweep_at)
		sweep_again(a, soon);
}

static void done(struct pit_attempt *a)
{
	int64_t now = pit_now();

	a->sweeping = true;
	a->sweep_kill = a->kill_ordered || a->front_lost ? now : now + SETTLE;
	a->sweep_end = a->ending.alive > 0 ? now : now + SWEEP_MOST;
	sweep_again(a, now);
}

static int on_deadline(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;

	a->deadline = 0;
	pit_attempt_order(a, pit_ending_time(&a->ending, pit_now()));
	return 0;
}

static void set_deadline(struct pit_attempt *a)
{
	pit_loop_cancel(a->loop, a->deadline);
	a->deadline = 0;
	if (a->ending.deadline != INT64_MAX)
		a->deadline = pit_loop_at(a->loop, a->ending.deadline, on_deadline, a);
}

void pit_attempt_order(struct pit_attempt *a, unsigned orders)
{
	if (orders & PIT_ORDER_CHECKPOINT)
		orders |= checkpoint(a);
	if (orders & PIT_ORDER_STOP)
		stop(a);
	if (orders & PIT_ORDER_KILL)
		kill_ordered(a);
	if (orders & PIT_ORDER_DONE)
		done(a);
	set_deadline(a);
}

void pit_attempt_asked(struct pit_attempt *a, const struct pit_front_message *m)
{
	struct pit_exit_report *r = a->report;

	if (a->ending.phase == PIT_RUNNING) {
		r->why = PIT_JOB_STOPPED;
		r->asked_signal = m->signal;
		r->asked_by = m->sender;
		pit_root_forget(a->root);
		if (m->sender > 0)
			(void)pit_root_str(a->root, r->asked_name, sizeof(r->asked_name), "/proc/%d/comm", m->sender);
		if (!a->options->stop_signal_set)
			a->ending.rules.stop_signal = m->signal;
	} else if (!r->asked_signal) {
		r->asked_signal = m->signal; /* it has failed already, but is not to be started again */
	}
	pit_attempt_order(a, pit_ending_stop_asked(&a->ending, pit_now()));
}

/* Nobody waits for the result any more: no checkpoint, and soon. */
static void lost_front(struct pit_attempt *a)
{
	int64_t half = a->ending.rules.grace / 2;

	pit_loop_unwatch(a->loop, a->q->front);
	a->front_lost = true;
	if (a->report->why == PIT_JOB_DONE && a->ending.phase == PIT_RUNNING)
		a->report->why = PIT_JOB_LOST_FRONT;
	pit_attempt_order(a, pit_ending_lost(&a->ending, half < LOST_GRACE ? half : LOST_GRACE, pit_now()));
}

static void hear(struct pit_attempt *a, const struct pit_front_message *m)
{
	if (pit_front_asks_to_stop(m->signal)) {
		pit_attempt_asked(a, m);
	} else if (m->signal == SIGCONT && m->group) {
		a->stopped = 0;
		for (int i = 0; i < a->members; i++)
			if (a->leader[i] == m->group)
				signal_group(&a->member[i], SIGCONT);
	} else if (m->signal == SIGTSTP || m->signal == SIGCONT) {
		a->stopped = 0;
		a->stopped_by_front = m->signal == SIGTSTP;
		signal_groups(a, m->signal);
	} else {
		a->passed |= UINT64_C(1) << (m->signal - 1);
		a->passed_by = m->sender;
		pit_attempt_signal_leaders(a, m->signal);
	}
}

static int on_front(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;
	struct pit_front_message m;
	ssize_t size;

	while ((size = recv(a->q->front, &m, sizeof(m), MSG_DONTWAIT)) == (ssize_t)sizeof(m))
		hear(a, &m);
	if (size >= 0 || (errno != EAGAIN && errno != EINTR))
		lost_front(a);
	return 0;
}

bool pit_attempt_hurried(void *arg)
{
	struct pit_attempt *a = arg;

	on_front(a, 0);
	return a->report->asked_signal || a->front_lost;
}

int pit_attempt_watch_front(struct pit_attempt *a)
{
	return pit_loop_watch(a->loop, a->q->front, EPOLLIN, on_front, a);
}
