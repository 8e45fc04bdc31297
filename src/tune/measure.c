/* SPDX-License-Identifier: MIT */
#include "tune/measure.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"

#define GRACE_NS (10000 * PIT_MS) /* for a command that was asked to end */
#define DRAIN_MOST (16u << 20)    /* of what is left in the pipe when the command has ended: endless writers */
#define LINE_MOST 16384           /* longer lines are searched so far */
#define WORDS_MOST 2048
#define LINES_MOST 6

struct pit_meter {
	struct pit_pattern *pattern; /* NULL: wall clock */
	const char *const *argv;
	pit_hear_fn hear;
	void *arg;
};

struct run {
	struct pit_meter *meter;
	pid_t pid;
	int pidfd, out;
	int64_t began, ended;
	int64_t kill_at; /* 0 never */
	int signal;
	struct pit_buf line, words;
	double number;
	int found; /* as of pit_pattern_find(): of the last line that matched */
};

int pit_meter_new(const struct pit_metric *metric, const char *const *argv, pit_hear_fn hear, void *arg,
		  struct pit_meter **ret, struct pit_error *err)
{
	struct pit_meter *m = calloc(1, sizeof(*m));
	char why[128];
	int rc;

	if (!m)
		return pit_fail(err, ENOMEM, "out of memory");
	*m = (struct pit_meter){.argv = argv, .hear = hear, .arg = arg};
	rc = metric->pattern ? pit_pattern_new(metric->pattern, &m->pattern, why, sizeof(why)) : 0;
	if (rc) {
		free(m);
		return pit_fail(err, -rc, "'%s' is no regular expression: %s", metric->pattern, why);
	}
	*ret = m;
	return 0;
}

void pit_meter_free(struct pit_meter *m)
{
	if (m)
		pit_pattern_free(m->pattern);
	free(m);
}

void pit_measure_free(struct pit_measure *m)
{
	free(m->words);
	*m = (struct pit_measure){0};
}

/* In the child. */
static _Noreturn void become(const char *const *argv, const struct pit_interrupt *signals, pid_t parent, int out,
			     int status)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	pit_interrupt_child(signals);
	execvp(argv[0], (char *const *)argv);
	error = errno;
	if (write(status, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* The errno of exec, from a pipe that a successful exec closes; 0 it runs. */
static int exec_error(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

static int start(struct run *r, const struct pit_interrupt *signals, struct pit_error *err)
{
	pit_auto_close int out = -1, their_out = -1, status = -1, their_status = -1;
	pid_t parent = getpid();
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC))
		return pit_fail(err, errno, "cannot make a pipe: %s", strerror(errno));
	out = pipes[0];
	their_out = pipes[1];
	if (pipe2(pipes, O_CLOEXEC) || fcntl(out, F_SETFL, O_NONBLOCK))
		return pit_fail(err, errno, "cannot make a pipe: %s", strerror(errno));
	status = pipes[0];
	their_status = pipes[1];
	r->began = pit_now();
	r->pid = fork();
	if (r->pid < 0)
		return pit_fail(err, errno, "cannot start a process: %s", strerror(errno));
	if (!r->pid)
		become(r->meter->argv, signals, parent, their_out, their_status);
	close(pit_take_fd(&their_status));
	rc = exec_error(status);
	r->pidfd = rc ? -1 : (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->pidfd < 0) {
		int saved = rc ? rc : errno;

		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
		return pit_fail(err, ENOEXEC, "cannot run %s: %s", r->meter->argv[0], strerror(saved));
	}
	r->out = pit_take_fd(&out);
	return 0;
}

static void search_line(struct run *r)
{
	double number;
	int rc;

	if (r->line.failed || !r->meter->pattern)
		return;
	rc = pit_pattern_find(r->meter->pattern, r->line.data, &number);
	if (rc != -ENOENT)
		r->found = rc;
	if (!rc)
		r->number = number;
	pit_buf_clear(&r->line);
}

/* A progress bar ends its lines with a carriage return. */
static void scan(struct run *r, const char *bytes, size_t len)
{
	for (size_t i = 0; r->meter->pattern && i < len; i++) {
		if (bytes[i] == '\n' || bytes[i] == '\r')
			search_line(r);
		else if (r->line.len < LINE_MOST)
			pit_buf_putc(&r->line, bytes[i] ? bytes[i] : '?');
	}
}

static void keep_words(struct run *r, const char *bytes, size_t len)
{
	size_t over;

	if (len > WORDS_MOST) {
		bytes += len - WORDS_MOST;
		len = WORDS_MOST;
	}
	over = r->words.len + len > WORDS_MOST ? r->words.len + len - WORDS_MOST : 0;
	if (over) {
		r->words.len -= over;
		memmove(r->words.data, r->words.data + over, r->words.len);
	}
	pit_buf_add(&r->words, bytes, len);
}

/* Takes what is in the pipe: 1 there may be more later, 0 its end. */
static int drain(struct run *r, size_t most)
{
	char chunk[16384];
	ssize_t n;

	for (size_t all = 0; all < most; all += (size_t)n) {
		n = read(r->out, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n < 0 && errno == EAGAIN;
		scan(r, chunk, (size_t)n);
		keep_words(r, chunk, (size_t)n);
		if (r->meter->hear)
			r->meter->hear(chunk, (size_t)n, r->meter->arg);
	}
	return 1;
}

static void hand_on(struct run *r, int signal)
{
	kill(-r->pid, r->signal ? SIGKILL : signal);
	if (!r->signal) {
		r->signal = signal;
		r->kill_at = pit_now() + GRACE_NS;
	}
}

static void follow(struct run *r, struct pit_interrupt *signals)
{
	struct pollfd p[] = {
		{.fd = r->pidfd, .events = POLLIN},
		{.fd = r->out, .events = POLLIN},
		{.fd = signals->fd, .events = POLLIN},
	};

	while (!(p[0].revents & POLLIN)) {
		int signal;

		(void)poll(p, PIT_COUNT(p), r->kill_at ? 100 : -1);
		if (p[0].revents & POLLIN)
			r->ended = pit_now();
		if ((p[1].revents & (POLLIN | POLLHUP)) && !drain(r, DRAIN_MOST))
			p[1].fd = -1;
		signal = pit_interrupt_take(signals);
		if (signal)
			hand_on(r, signal);
		if (r->kill_at && pit_now() > r->kill_at)
			kill(-r->pid, SIGKILL);
	}
}

/* While its first process is not reaped no other group can have the number. */
static int finish(struct run *r)
{
	int status = 0;

	kill(-r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)drain(r, DRAIN_MOST);
	search_line(r);
	return status;
}

static char *last_lines(struct pit_buf *words)
{
	size_t lines = 0, at = words->len;

	while (at && strchr("\n\r ", words->data[at - 1]))
		at--;
	words->len = at;
	words->data[at] = '\0';
	while (at && (words->data[at - 1] != '\n' || ++lines < LINES_MOST))
		at--;
	return strdup(words->data + at);
}

static const char *last_line(const char *words)
{
	const char *newline = strrchr(words, '\n');

	return newline ? newline + 1 : words;
}

static int judge(const struct run *r, int status, const char *words, struct pit_error *err)
{
	const char *name = r->meter->argv[0], *last = last_line(words), *colon = *last ? ": " : "";

	if (WIFSIGNALED(status))
		return pit_fail(err, ECHILD, "%s was killed by signal %d (%s)%s%s", name, WTERMSIG(status),
				strsignal(WTERMSIG(status)), colon, last);
	if (WEXITSTATUS(status))
		return pit_fail(err, ECHILD, "%s ended with exit code %d%s%s", name, WEXITSTATUS(status), colon, last);
	if (!r->meter->pattern)
		return 0;
	if (r->found == -ENOENT)
		return pit_fail(err, ENOMSG, "%s printed no line that fits the metric", name);
	if (r->found)
		return pit_fail(err, ENOMSG, "%s printed a line that fits the metric without a number in its place",
				name);
	if (!(r->number > 0))
		return pit_fail(err, ENOMSG, "%s printed %g as its metric: ratios need numbers above 0", name,
				r->number);
	return 0;
}

int pit_measure(struct pit_meter *m, struct pit_interrupt *signals, struct pit_measure *ret, struct pit_error *err)
{
	struct run r = {
		.meter = m,
		.out = -1,
		.pidfd = -1,
		.line = PIT_BUF_INIT,
		.words = PIT_BUF_INIT,
		.found = -ENOENT,
	};
	int rc = start(&r, signals, err), status;

	if (rc)
		return rc;
	follow(&r, signals);
	status = finish(&r);
	*ret = (struct pit_measure){.signal = r.signal, .words = last_lines(&r.words)};
	ret->seconds = (double)(r.ended - r.began) / 1e9;
	ret->value = m->pattern ? r.number : ret->seconds;
	if (!ret->words)
		rc = pit_fail(err, ENOMEM, "out of memory");
	else if (!r.signal)
		rc = judge(&r, status, ret->words, err);
	close(r.out);
	close(r.pidfd);
	pit_buf_free(&r.line);
	pit_buf_free(&r.words);
	return rc;
}
