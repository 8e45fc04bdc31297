/* SPDX-License-Identifier: MIT */
#include "launch/attempt_inside.h"
#include "launch/output_file.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define OUTPUT_MS 2000
#define NOTES_KEPT 256            /* a job may run for months, and memory be short every minute */
#define END_MOST (10000 * PIT_MS) /* who outlives SIGKILL for so long is stuck in the kernel */

static void say_text(struct pit_attempt *a, const char *fmt, va_list args, bool note)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, args);
	if (note && a->report->notes.count < NOTES_KEPT)
		(void)!pit_strv_add(&a->report->notes, text);
	if (a->q->s->say)
		a->q->s->say(a->q->s->arg, text);
}

void pit_attempt_say(struct pit_attempt *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_text(a, fmt, args, false);
	va_end(args);
}

void pit_attempt_note(struct pit_attempt *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_text(a, fmt, args, true);
	va_end(args);
}

const char *pit_attempt_who(const struct pit_member *m, char *out, size_t size)
{
	if (m->a->members == 1 && !m->seat)
		snprintf(out, size, "the command");
	else
		snprintf(out, size, "rank %d", m->seat);
	return out;
}

/* 0 in options is the default. */
static struct pit_ending_rules rules(const struct pit_job_options *o)
{
	struct pit_ending_rules r = o->ending;

	if (!r.stop_signal)
		r.stop_signal = SIGTERM;
	if (!r.grace)
		r.grace = 10 * 1000 * PIT_MS;
	if (!r.checkpoint_grace)
		r.checkpoint_grace = 60 * 1000 * PIT_MS;
	return r;
}

static int make_report(struct pit_attempt *a)
{
	struct pit_exit_report *r = a->report;

	*r = (struct pit_exit_report){
		.rank = calloc((size_t)a->members, sizeof(*r->rank)),
		.ranks = a->members,
		.first = -1,
		.why = PIT_JOB_DONE,
		.asked_by = -1,
		.attempt = a->q->number,
		.restarts = a->options->restarts,
	};
	for (int i = 0; r->rank && i < a->members; i++)
		r->rank[i].rank = a->member[i].seat;
	return r->rank ? 0 : -ENOMEM;
}

static int make_members(struct pit_attempt *a)
{
	const struct pit_job *j = a->job;

	a->members = j->alone ? 1 : j->placement.ranks;
	a->member = calloc((size_t)a->members, sizeof(*a->member));
	a->leader = calloc((size_t)a->members, sizeof(*a->leader));
	if (!a->member || !a->leader)
		return -ENOMEM;
	for (int i = 0; i < a->members; i++)
		a->member[i] = (struct pit_member){
			.a = a, .at = i, .seat = j->alone ? j->own : i, .child = {.pidfd = -1, .report = -1}};
	return make_report(a);
}

static void on_lost(void *arg, int fd, int error)
{
	struct pit_attempt *a = arg;
	const char *name = fd == STDOUT_FILENO ? "stdout" : "stderr";

	if (error == EPIPE) {
		pit_attempt_note(a, "nobody reads our %s any more: a rank that writes to its own gets SIGPIPE", name);
		return;
	}
	a->report->output_lost = error;
	pit_attempt_note(a, "cannot write our %s: %s; what the ranks print there is lost", name, strerror(error));
}

/* What an earlier job left would be read as part of this one. A launcher that starts its ranks again says so: what the
 * failed ones said is what is looked for. */
static int clean_output(const struct pit_attempt *a, struct pit_error *err)
{
	const char *again = a->job->alone ? pit_environ_get(a->job->environ, "TORCHELASTIC_RESTART_COUNT") : NULL;

	if (!a->options->log_dir || a->q->number || (again && strcmp(again, "0") != 0))
		return 0;
	return pit_output_dir_clean(a->options->log_dir, a->job->alone ? a->job->own : -1, err);
}

static int open_output(struct pit_attempt *a, struct pit_error *err)
{
	enum pit_output_mode mode = a->members > 1 ? PIT_OUTPUT_LABELLED : PIT_OUTPUT_INHERIT;
	int rc = clean_output(a, err);

	if (a->options->log_dir)
		mode = PIT_OUTPUT_FILES;
	if (!rc)
		rc = pit_output_open(a->loop, mode, a->options->log_dir, a->job->placement.ranks, a->q->number,
				     &a->output, err);
	if (!rc)
		pit_output_on_lost(a->output, &(struct pit_output_lost){.fn = on_lost, .arg = a});
	return rc;
}

static int on_signal(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == sizeof(info))
		/* Somebody means the supervisor itself. It never shortens: the front is told the same, most often. */
		if (info.ssi_signo != SIGCHLD && a->ending.phase == PIT_RUNNING)
			pit_attempt_asked(a, &(struct pit_front_message){.signal = (int)info.ssi_signo,
									 .sender = (pid_t)info.ssi_pid});
	return pit_attempt_reap(a);
}

/* All but SIGCHLD reach us only when they are sent to us alone: our group is not the terminal's. */
static int watch_signals(struct pit_attempt *a)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (int signal = 1; signal < SIGRTMIN; signal++)
		if (pit_front_asks_to_stop(signal) && !pit_front_ignores(signal))
			sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	a->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (a->signals < 0)
		return -errno;
	return pit_loop_watch(a->loop, a->signals, EPOLLIN, on_signal, a);
}

static int open_attempt(struct pit_attempt *a, struct pit_error *err)
{
	const struct pit_ending_rules r = rules(a->options);
	int rc = make_members(a);

	if (!rc)
		rc = pit_root_open(NULL, &a->root, err);
	if (!rc)
		rc = pit_loop_open(&a->loop);
	if (!rc)
		rc = watch_signals(a);
	if (!rc)
		rc = pit_attempt_watch_front(a);
	if (!rc)
		rc = open_output(a, err);
	a->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!rc && a->null < 0)
		rc = pit_fail(err, errno, "cannot open /dev/null: %s", strerror(errno));
	pit_ending_begin(&a->ending, &r, a->members);
	a->started = pit_now();
	a->own_kills = rc ? UINT64_MAX : pit_attempt_own_kills(a);
	return rc;
}

static void add_tails(struct pit_attempt *a)
{
	for (int i = 0; i < a->members; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		pit_output_tail(a->output, a->member[i].seat, &text);
		if (text.len)
			a->report->rank[i].tail = pit_buf_take(&text);
	}
}

static void close_attempt(struct pit_attempt *a)
{
	pit_pressure_close(a->pressure);
	for (int i = 0; a->member && i < a->members; i++)
		pit_member_free(&a->member[i]);
	pit_cleanup_close(&a->signals);
	pit_cleanup_close(&a->null);
	pit_loop_close(a->loop);
	pit_root_close(a->root);
	free(a->member);
	free(a->leader);
	pit_strv_free(&a->refused);
	pit_idset_free(&a->mems);
}

/* What is still in pipes belongs to the tails; somebody who was left behind may hold one open. */
static void take_output(struct pit_attempt *a)
{
	if (!a->output)
		return;
	pit_output_drain(a->output, OUTPUT_MS);
	add_tails(a);
	if (!a->report->asked_signal && !a->front_lost)
		pit_output_hurry(a->output,
				 &(struct pit_hurry){.fd = a->q->front, .now = pit_attempt_hurried, .arg = a});
	pit_output_close(a->output, OUTPUT_MS);
}

int pit_attempt_run(const struct pit_attempt_request *q, struct pit_exit_report *ret, struct pit_error *err)
{
	struct pit_exit_report report = {.first = -1};
	struct pit_attempt a = {
		.q = q, .job = q->s->job, .options = q->s->job->options, .report = &report, .null = -1, .signals = -1};
	int rc = open_attempt(&a, err);

	if (!rc)
		rc = pit_attempt_start(&a, err);
	if (!rc)
		rc = pit_attempt_watch_memory(&a);
	if (!rc)
		rc = pit_loop_run(a.loop);
	take_output(&a);
	report.lasted = pit_now() - a.started;
	if (rc < 0) {
		if (a.root)
			(void)pit_children_end(a.root, NULL, q->leaves, END_MOST);
		pit_exit_report_free(&report);
		(void)pit_wrap(err, rc, "cannot run the job");
	} else {
		*ret = report;
	}
	close_attempt(&a);
	return rc < 0 ? rc : 0;
}
