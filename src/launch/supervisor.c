/* SPDX-License-Identifier: MIT */
#include "launch/supervisor.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "launch/restart.h"

#define LEAVES_MS 2000

static void say(const struct pit_supervisor *v, const char *fmt, ...)
{
	char text[640];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (v->s->say)
		v->s->say(v->s->arg, text);
}

/* The directory may be one that others write to: no link is followed, and no FIFO waited for. */
static int write_all(int dir, const char *name, const struct pit_buf *text)
{
	pit_auto_close int fd = -1;

	if (unlinkat(dir, name, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) && errno != EINVAL && errno != EROFS ? -errno : 0;
}

/* "report.json"; instances that start one rank each, and restarts, have a number of their own. */
static void report_name(const struct pit_job *j, int attempt, char *out, size_t size)
{
	char rank[32] = "", number[16] = "";

	if (j->alone)
		snprintf(rank, sizeof(rank), "-rank-%d", j->own);
	if (attempt)
		snprintf(number, sizeof(number), ".%d", attempt);
	snprintf(out, size, "report%s%s.json", rank, number);
}

/* Whole or not at all. */
static void keep_report(const struct pit_supervisor *v, const struct pit_exit_report *r)
{
	const char *path = v->s->job->options->log_dir;
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_close int dir = -1;
	char name[64], new[80];
	int rc;

	if (!path)
		return;
	report_name(v->s->job, r->attempt, name, sizeof(name));
	snprintf(new, sizeof(new), "%s.new", name);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? -errno : pit_exit_report_json(r, &text);
	if (!rc)
		rc = write_all(dir, new, &text);
	if (!rc && renameat(dir, new, dir, name))
		rc = -errno;
	if (rc && dir >= 0)
		(void)unlinkat(dir, new, 0);
	if (rc)
		say(v, "cannot write %s/%s: %s", path, name, strerror(-rc));
}

static const char *why_no_more(enum pit_restart_answer answer)
{
	switch (answer) {
	case PIT_RESTART_USED_UP:
		return "all restarts are used up";
	case PIT_RESTART_NO_PROGRESS:
		return "it fails again and again soon after its start";
	default:
		return NULL;
	}
}

/* 1: start again. */
static int rest(const struct pit_supervisor *v, struct pit_exit_report *r, const struct pit_restart *restart,
		int64_t wait)
{
	struct pit_front_message m = {0};
	int rc;

	say(v, "starting again in %.3g s (restart %d of %d)", (double)wait / 1e9, restart->used, restart->most);
	rc = pit_supervisor_wait(v->front, pit_now() + wait, &m);
	if (!rc)
		rc = pit_supervisor_wait_gpus(v, r, &m);
	if (!rc)
		return 1;
	r->why = rc > 0 ? PIT_JOB_STOPPED : PIT_JOB_LOST_FRONT;
	r->asked_signal = m.signal;
	r->asked_by = m.sender;
	keep_report(v, r);
	return 0;
}

/* A command that cannot be started will not be found the next time either. */
static bool can_restart(const struct pit_exit_report *r)
{
	return r->why == PIT_JOB_FAILED && !r->asked_signal;
}

struct telling {
	const struct pit_supervisor *v;
	struct pit_exit_report *r;
};

static bool hurried(void *arg)
{
	struct telling *t = arg;
	struct pit_front_message m;
	int rc = pit_supervisor_wait(t->v->front, 0, &m);

	if (rc > 0)
		t->r->asked_signal = m.signal;
	return rc;
}

static void tell(const struct pit_supervisor *v, struct pit_exit_report *r)
{
	struct telling t = {.v = v, .r = r};
	const struct pit_hurry hurry = {.fd = v->front, .now = hurried, .arg = &t};

	if (v->s->report)
		v->s->report(v->s->arg, r, r->asked_signal || r->why == PIT_JOB_LOST_FRONT ? NULL : &hurry);
}

/* *ret_again: start again. The exit code, or -errno. */
static int attempt(struct pit_supervisor *v, int number, struct pit_restart *restart, bool *ret_again)
{
	const struct pit_attempt_request q = {
		.s = v->s, .front = v->front, .number = number, .leaves = v->leaves, .mps = v->mps, .mask = v->mask};
	struct pit_exit_report r;
	struct pit_error e = PIT_ERROR_INIT;
	enum pit_restart_answer answer = PIT_RESTART_NOT_ASKED;
	struct pit_front_message late;
	int64_t wait = 0;
	int code = pit_attempt_run(&q, &r, &e);

	if (code) {
		say(v, "%s", e.text);
		return code;
	}
	if (can_restart(&r))
		answer = pit_restart_ask(restart, r.lasted, &wait);
	r.gave_up = why_no_more(answer);
	keep_report(v, &r);
	tell(v, &r);
	*ret_again = answer == PIT_RESTART_NOW_AFTER && !r.asked_signal && rest(v, &r, restart, wait);
	v->lost = r.why == PIT_JOB_LOST_FRONT || pit_supervisor_wait(v->front, 0, &late) == -EPIPE;
	code = pit_exit_report_code(&r);
	pit_exit_report_free(&r);
	return code;
}

/* In the front's stead. */
static void clean_up(const struct pit_supervisor *v)
{
	pit_mps_stop(v->mps);
	if (v->leaves)
		(void)pit_leaves_close(v->leaves, LEAVES_MS);
}

/* Some files for each rank; the ranks have this limit from the job's plan. */
static void raise_files(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) || now.rlim_cur >= PIT_JOB_NOFILE)
		return;
	now.rlim_cur = now.rlim_max < PIT_JOB_NOFILE ? now.rlim_max : PIT_JOB_NOFILE;
	setrlimit(RLIMIT_NOFILE, &now);
}

_Noreturn void pit_supervisor_main(struct pit_supervisor *v)
{
	struct pit_restart restart = {.most = v->s->job->options->restarts};
	bool again = true;
	int code = 0;

	setpgid(0, 0); /* what the terminal sends comes through the front */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "pit-crew"); /* who ends us by name (pkill -9 pitcrew) ends one of the two, not both */
	raise_files();
	for (int number = 0; again; number++) {
		again = false;
		code = attempt(v, number, &restart, &again);
	}
	if (v->lost)
		clean_up(v);
	fflush(NULL);
	_exit(code < 0 ? PIT_SUPERVISE_FAILED : code);
}
