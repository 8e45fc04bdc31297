/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../tempdir.h"
#include "base/clock.h"
#include "launch/output.h"
#include "launch/output_file.h"
#include "launch/output_sink.h"

#define LONG 20000 /* ms; nothing here takes so long unless it hangs */

/* Our stdout and stderr, replaced; what is written to them can be read at `at`. */
struct world {
	int saved[2], at[2];
	struct pit_loop *loop;
	struct pit_output *o;
};

static void replace(struct world *w, int out, int err)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++)
		w->saved[i] = fcntl(STDOUT_FILENO + i, F_DUPFD_CLOEXEC, 10);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	assert_int_equal(pit_loop_open(&w->loop), 0);
}

static void put_back(struct world *w)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(w->saved[i], STDOUT_FILENO + i);
		close(w->saved[i]);
	}
	pit_loop_close(w->loop);
}

/* stdout and stderr become pipes. */
static void begin(struct world *w)
{
	int out[2], err[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	w->at[0] = out[0];
	w->at[1] = err[0];
	replace(w, out[1], err[1]);
	close(out[1]);
	close(err[1]);
}

static void end(struct world *w)
{
	put_back(w);
	close(w->at[0]);
	close(w->at[1]);
}

/* All that can be read without waiting; NULL-terminated, the caller frees. */
static char *take_all(int fd)
{
	pit_auto_buf struct pit_buf all = PIT_BUF_INIT;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, 0) == 1 && !pit_buf_reserve(&all, 65536)) {
		ssize_t n = read(fd, all.data + all.len, 65536);

		if (n <= 0)
			break;
		all.len += (size_t)n;
		all.data[all.len] = '\0';
	}
	return pit_buf_take(&all);
}

typedef void (*writer_fn)(int out, int err);

/* A rank that runs `fn`. */
static pid_t start(struct pit_output *o, int rank, writer_fn fn)
{
	int fd[2] = {-7, -7};
	pid_t pid;

	assert_int_equal(pit_output_files(o, rank, fd, NULL), 0);
	assert_true(fd[0] >= 0 && fd[1] >= 0);
	pid = fork();
	if (!pid) {
		alarm(60);
		fn(fd[0], fd[1]);
		_exit(0);
	}
	pit_output_started(o, rank);
	assert_true(pid > 0);
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void put(int fd, const char *text)
{
	for (size_t len = strlen(text); len;) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			_exit(1);
		text += n;
		len -= (size_t)n;
	}
}

static void write_both(int out, int err)
{
	put(out, "to stdout\nand no end");
	put(err, "to stderr\n");
}

static void labels_each_stream(void **state)
{
	struct world w;
	pid_t pid[2];

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 12, 0, &w.o, NULL), 0);
	pid[0] = start(w.o, 3, write_both);
	pid[1] = start(w.o, 11, write_both);
	assert_int_equal(pit_loop_run(w.loop), 0);
	pit_output_close(w.o, LONG);
	reap(pid[0]);
	reap(pid[1]);
	for (int i = 0; i < 2; i++) {
		pit_auto_free char *text = take_all(w.at[i]);

		assert_non_null(strstr(text, i ? "[3] to stderr\n" : "[3] to stdout\n"));
		assert_non_null(strstr(text, i ? "[11] to stderr\n" : "[11] and no end\n"));
		assert_null(strstr(text, i ? "stdout" : "stderr"));
	}
	end(&w);
}

static void write_pieces(int out, int err)
{
	for (int i = 0; i < 400; i++) {
		put(i % 2 ? out : err, "a line that ");
		put(i % 2 ? out : err, "comes in pieces\n");
	}
}

/* stdout and stderr are one pipe, as with 2>&1. */
static void keeps_lines_whole(void **state)
{
	struct world w;
	int ends[2], lines = 0;
	pid_t pid[4];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
	replace(&w, ends[1], ends[1]);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 4, 0, &w.o, NULL), 0);
	for (int i = 0; i < 4; i++)
		pid[i] = start(w.o, i, write_pieces);
	assert_int_equal(pit_loop_run(w.loop), 0);
	pit_output_close(w.o, LONG);
	for (int i = 0; i < 4; i++)
		reap(pid[i]);
	put_back(&w);
	pit_auto_free char *text = take_all(ends[0]);

	for (char *line = text; *line; line += strlen("[0] a line that comes in pieces\n"), lines++) {
		assert_memory_equal(line + 1 + strspn(line + 1, "0123"), "] a line that comes in pieces\n",
				    strlen("] a line that comes in pieces\n"));
	}
	assert_int_equal(lines, 1600);
	close(ends[0]);
	close(ends[1]);
}

#define MANY 65536 /* lines of 64 bytes: 4 MiB */
static void write_much(int out, int err)
{
	char line[65];

	for (int i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line), "%063d\n", i);
		put(out, line);
	}
}

static void write_endlessly(int out, int err)
{
	dup2(out, STDOUT_FILENO);
	execlp("yes", "yes", (char *)NULL); /* which closes the other end, that is ours */
	_exit(1);
}

struct lost {
	int times, fd, error;
};

static void on_lost(void *arg, int fd, int error)
{
	struct lost *l = arg;

	*l = (struct lost){.times = l->times + 1, .fd = fd, .error = error};
}

/* Who writes on gets SIGPIPE, as a member of a pipe does. */
static void closes_what_nobody_reads(void **state)
{
	struct world w;
	struct lost lost = {0};
	pid_t pid;
	int status;

	begin(&w);
	close(w.at[0]);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	pit_output_on_lost(w.o, &(struct pit_output_lost){.fn = on_lost, .arg = &lost});
	pid = start(w.o, 0, write_endlessly);
	assert_int_equal(pit_loop_run(w.loop), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	pit_output_close(w.o, LONG);
	assert_int_equal(lost.times, 1);
	assert_int_equal(lost.fd, STDOUT_FILENO);
	assert_int_equal(lost.error, EPIPE);
	w.at[0] = dup(w.at[1]);
	end(&w);
}

static void tells_what_a_full_disk_lost(void **state)
{
	pit_auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct world w;
	struct lost lost = {0};
	pid_t pid;

	if (full < 0)
		skip();
	replace(&w, full, full);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	pit_output_on_lost(w.o, &(struct pit_output_lost){.fn = on_lost, .arg = &lost});
	pid = start(w.o, 0, write_much);
	assert_int_equal(pit_loop_run(w.loop), 0);
	reap(pid);
	pit_output_close(w.o, LONG);
	put_back(&w);
	assert_int_equal(lost.times, 1);
	assert_int_equal(lost.error, ENOSPC);
}

static int stop(void *arg, uint32_t events)
{
	return 77;
}

/* Reads all of `fd` in a process that counts; its exit code is 0 when `lines` have come in order. */
static pid_t reader(int fd, int wait_ms)
{
	pid_t pid = fork();
	char line[128];
	FILE *f;

	if (pid)
		return pid;
	alarm(60);
	usleep((useconds_t)wait_ms * 1000);
	f = fdopen(fd, "r");
	for (int i = 0; i < MANY; i++)
		if (!fgets(line, sizeof(line), f) || atoi(line + 4) != i)
			_exit(1);
	_exit(0);
}

/* The rank waits for our reader, we do not; nothing is lost. */
static void waits_for_a_slow_reader_without_blocking(void **state)
{
	struct world w;
	pid_t rank, slow;

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_much);
	pit_loop_at(w.loop, pit_now() + 300 * PIT_MS, stop, NULL);
	assert_int_equal(pit_loop_run(w.loop), 77);
	assert_int_equal(waitpid(rank, NULL, WNOHANG), 0);
	slow = reader(w.at[0], 0);
	assert_int_equal(pit_loop_run(w.loop), 0);
	reap(rank);
	pit_output_close(w.o, LONG);
	put_back(&w);
	reap(slow);
	close(w.at[0]);
	close(w.at[1]);
}

/* A pipe full of lines, whose writing end is kept. */
static int full_pipe(struct pit_output *o, int rank)
{
	char lines[4096];
	int fd[2], end;

	assert_int_equal(pit_output_files(o, rank, fd, NULL), 0);
	end = dup(fd[0]);
	pit_output_started(o, rank);
	memset(lines, 'x', sizeof(lines));
	lines[sizeof(lines) - 1] = '\n';
	fcntl(end, F_SETFL, O_NONBLOCK);
	while (write(end, lines, sizeof(lines)) > 0)
		;
	return end;
}

/* What our reader does not take stays with the ranks, however many they are. */
static void holds_little_of_many_ranks(void **state)
{
	int end_of[64], taken = 0, left;
	struct world w;

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, PIT_COUNT(end_of), 0, &w.o, NULL), 0);
	for (int i = 0; i < (int)PIT_COUNT(end_of); i++)
		end_of[i] = full_pipe(w.o, i);
	pit_loop_at(w.loop, pit_now() + 300 * PIT_MS, stop, NULL);
	assert_int_equal(pit_loop_run(w.loop), 77);
	for (size_t i = 0; i < PIT_COUNT(end_of); i++) {
		assert_int_equal(ioctl(end_of[i], FIONREAD, &left), 0);
		taken += left < 4096;
		close(end_of[i]);
	}
	assert_in_range(taken, 1, 16);
	pit_output_close(w.o, 10);
	end(&w);
}

/* As the supervisor does: a message "!" or the end of all messages means it. */
static bool hurried(void *arg)
{
	const int *front = arg;
	char message;

	return read(front[0], &message, 1) <= 0 || message == '!';
}

static void gives_a_slow_reader_the_time_it_needs(void **state)
{
	struct world w;
	int front[2];
	pid_t rank, slow;

	begin(&w);
	assert_int_equal(pipe2(front, O_CLOEXEC), 0);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_much);
	slow = reader(w.at[0], 400);
	put(front[1], "nothing of importance");
	pit_output_hurry(w.o, &(struct pit_hurry){.fd = front[0], .now = hurried, .arg = front});
	pit_output_drain(w.o, LONG);
	reap(rank);
	pit_output_close(w.o, 0);
	put_back(&w);
	reap(slow);
	for (int i = 0; i < 2; i++) {
		close(front[i]);
		close(w.at[i]);
	}
}

static void hurries_when_told(void **state)
{
	struct world w;
	int front[2];
	int64_t before = pit_now();
	pid_t rank;

	begin(&w);
	assert_int_equal(pipe2(front, O_CLOEXEC), 0);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_much);
	pit_output_hurry(w.o, &(struct pit_hurry){.fd = front[0], .now = hurried, .arg = front});
	put(front[1], "now!");
	kill(rank, SIGKILL);
	waitpid(rank, NULL, 0);
	pit_output_close(w.o, 100);
	assert_true(pit_now() - before < LONG * PIT_MS);
	close(front[0]);
	close(front[1]);
	end(&w);
}

static void hold(int out, int err)
{
	char text[32];
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		pause();
	}
	put(out, "who stays");
	snprintf(text, sizeof(text), "%d\n", pid);
	put(err, text);
}

/* Somebody who was left behind holds the pipe. */
static void does_not_wait_for_ever_for_a_pipe(void **state)
{
	struct world w;
	int64_t before = pit_now();
	pit_auto_buf struct pit_buf holder = PIT_BUF_INIT;
	pid_t rank;

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, hold);
	reap(rank);
	pit_output_tail(w.o, 0, &holder);
	pit_output_close(w.o, 100);
	assert_true(atoi(holder.data) > 1);
	kill(atoi(holder.data), SIGKILL);
	assert_true(pit_now() - before < LONG * PIT_MS);
	pit_auto_free char *text = take_all(w.at[0]);

	assert_string_equal(text, "[0] who stays\n");
	end(&w);
}

static void write_bar(int out, int err)
{
	char state[64];

	for (int i = 1; i <= 1000; i++) {
		snprintf(state, sizeof(state), "\r%4d of 1000 |#####     |", i);
		put(err, state);
		usleep(1000);
	}
	put(err, "\n");
}

static int count_lines(const char *text)
{
	int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void lets_a_bar_through_now_and_then(void **state)
{
	struct world w;
	int64_t before = pit_now();
	pid_t rank;

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_bar);
	assert_int_equal(pit_loop_run(w.loop), 0);
	reap(rank);
	pit_output_close(w.o, LONG);
	pit_auto_free char *text = take_all(w.at[1]);

	assert_non_null(strstr(text, "[0] 1000 of 1000 |#####     |\n"));
	assert_true(count_lines(text) >= 2);
	/* Two a second; on a busy machine one that was late comes close to the next. */
	assert_true(count_lines(text) <= 3 + (pit_now() - before) / (200 * PIT_MS));
	end(&w);
}

static void write_tail(int out, int err)
{
	char line[64];

	put(out, "not this\n");
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		put(err, line);
	}
	put(err, "\r 10%\r 20%\n\nend");
}

static void check_tail(struct pit_output *o, int rank)
{
	pit_auto_buf struct pit_buf tail = PIT_BUF_INIT;

	pit_output_tail(o, rank, &tail);
	assert_int_equal(count_lines(tail.data), PIT_OUTPUT_TAIL);
	assert_memory_equal(tail.data, "line 4982\n", 10);
	assert_non_null(strstr(tail.data, "line 4999\n 20%\nend\n"));
}

static void keeps_the_last_lines(void **state)
{
	struct world w;
	pid_t rank;

	begin(&w);
	fcntl(w.at[1], F_SETPIPE_SZ, 1 << 20);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 2, 0, &w.o, NULL), 0);
	rank = start(w.o, 1, write_tail);
	pit_output_drain(w.o, LONG);
	reap(rank);
	check_tail(w.o, 1);
	check_tail(w.o, 1);
	pit_output_close(w.o, LONG);
	end(&w);
}

/* Also what has not been read yet, when the report is made as soon as a rank has ended. */
static void keeps_what_is_still_in_the_pipe(void **state)
{
	struct world w;
	pid_t rank;

	begin(&w);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_both);
	reap(rank);
	pit_auto_buf struct pit_buf tail = PIT_BUF_INIT;

	pit_output_tail(w.o, 0, &tail);
	assert_string_equal(tail.data, "to stderr\n");
	pit_output_close(w.o, LONG);
	end(&w);
}

static void leaves_one_rank_alone(void **state)
{
	pit_auto_buf struct pit_buf tail = PIT_BUF_INIT;
	struct pit_output *o;
	struct pit_loop *loop;
	int fd[2] = {7, 7};

	assert_int_equal(pit_loop_open(&loop), 0);
	assert_int_equal(pit_output_open(loop, PIT_OUTPUT_INHERIT, NULL, 1, 0, &o, NULL), 0);
	assert_int_equal(pit_output_files(o, 0, fd, NULL), 0);
	assert_int_equal(fd[0], -1);
	assert_int_equal(fd[1], -1);
	pit_output_started(o, 0);
	pit_output_tail(o, 0, &tail);
	assert_string_equal(tail.data, "");
	pit_output_close(o, LONG);
	pit_loop_close(loop);
}

/* The file is shared with others, who do not expect a file that does not block. */
static void changes_no_flags_of_ours(void **state)
{
	struct world w;
	int flags;
	pid_t rank;

	begin(&w);
	flags = fcntl(STDOUT_FILENO, F_GETFL);
	assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
	rank = start(w.o, 0, write_both);
	assert_int_equal(pit_loop_run(w.loop), 0);
	assert_int_equal(fcntl(STDOUT_FILENO, F_GETFL), flags);
	assert_int_equal(flags & O_NONBLOCK, 0);
	reap(rank);
	pit_output_close(w.o, LONG);
	end(&w);
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void closes_all(void **state)
{
	struct world w;
	int before = open_files();

	begin(&w);
	for (int i = 0; i < 3; i++) {
		int fd[2];

		assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 2, 0, &w.o, NULL), 0);
		assert_int_equal(pit_output_files(w.o, 0, fd, NULL), 0);
		if (i)
			pit_output_started(w.o, 0);
		pit_output_close(w.o, 50);
	}
	end(&w);
	assert_int_equal(open_files(), before);
}

/* Terminals, sockets, a file, a full disk, and none at all. */
static void writes_to_any_kind_of_file(void **state)
{
	int kinds[5][2], pair[2];

	assert_int_equal(openpty(&kinds[0][0], &kinds[0][1], NULL, NULL, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	kinds[1][0] = pair[0];
	kinds[1][1] = pair[1];
	kinds[2][0] = -1;
	kinds[2][1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	kinds[3][0] = -1;
	kinds[3][1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	kinds[4][1] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	kinds[4][0] = kinds[4][1] < 0 ? -1 : dup(kinds[4][1]);
	for (int i = 0; i < 5; i++) {
		struct world w;
		pid_t rank;

		if (kinds[i][1] < 0)
			continue;
		replace(&w, kinds[i][1], kinds[i][1]);
		assert_int_equal(pit_output_open(w.loop, PIT_OUTPUT_LABELLED, NULL, 1, 0, &w.o, NULL), 0);
		rank = start(w.o, 0, write_both);
		assert_int_equal(pit_loop_run(w.loop), 0);
		pit_output_close(w.o, LONG);
		put_back(&w);
		reap(rank);
		if (kinds[i][0] >= 0) {
			lseek(kinds[i][0], 0, SEEK_SET);
			pit_auto_free char *text = take_all(kinds[i][0]);

			assert_non_null(strstr(text, "[0] to stdout"));
			assert_non_null(strstr(text, "[0] and no end"));
			assert_non_null(strstr(text, "[0] to stderr"));
			close(kinds[i][0]);
		}
		close(kinds[i][1]);
	}
}

static void on_drained(void *arg)
{
	++*(int *)arg;
}

/* Where the file cannot be opened again, no more is written than fits. */
static void never_blocks_on_a_pipe_that_it_shares(void **state)
{
	struct pit_loop *loop;
	struct pit_sink s;
	int ends[2], drained = 0;

	assert_int_equal(pit_loop_open(&loop), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pit_sink_open(&s, loop, ends[1], on_drained, &drained);
	assert_int_equal(s.way, PIT_SINK_OWN);
	close(s.fd);
	s.fd = dup(ends[1]);
	s.way = PIT_SINK_SHARED;
	for (int i = 0; i < 100000; i++)
		pit_sink_put(&s, "0123456789\n", 11);
	alarm(60);
	pit_sink_flush(&s);
	assert_true(pit_sink_left(&s) > PIT_SINK_LOW && pit_sink_left(&s) < 1100000);
	assert_int_equal(drained, 0);
	while (pit_sink_left(&s)) {
		pit_auto_free char *text = take_all(ends[0]);

		assert_true(*text);
		pit_sink_flush(&s);
	}
	assert_true(drained > 0);
	close(ends[0]);
	pit_sink_put(&s, "gone\n", 5);
	pit_sink_flush(&s);
	assert_int_equal(s.fd, -1);
	assert_int_equal(pit_sink_left(&s), 0);
	pit_sink_close(&s);
	close(ends[1]);
	pit_loop_close(loop);
}

static void says_without_a_loop(void **state)
{
	pit_auto_buf struct pit_buf much = PIT_BUF_INIT;
	struct world w;
	int front[2];
	int64_t before = pit_now();

	for (int i = 0; i < 100000; i++)
		pit_buf_puts(&much, "0123456789\n");
	begin(&w);
	assert_int_equal(pipe2(front, O_CLOEXEC), 0);
	pit_sink_say(STDERR_FILENO, "a word\n", 7, 0, NULL);
	pit_auto_free char *word = take_all(w.at[1]);

	assert_string_equal(word, "a word\n");
	pit_sink_say(STDERR_FILENO, much.data, much.len, 50, NULL);
	put(front[1], "and now!");
	pit_sink_say(STDERR_FILENO, much.data, much.len, 50,
		     &(struct pit_hurry){.fd = front[0], .now = hurried, .arg = front});
	assert_true(pit_now() - before >= 100 * PIT_MS && pit_now() - before < LONG * PIT_MS);
	close(w.at[1]);
	pit_sink_say(STDERR_FILENO, "nobody\n", 7, LONG, NULL);
	w.at[1] = dup(w.at[0]);
	close(front[0]);
	close(front[1]);
	end(&w);
}

static char *read_file(const char *dir, const char *name)
{
	char path[512];
	FILE *f;
	char *text = calloc(1, 4096);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	fread(text, 1, 4095, f);
	fclose(f);
	return text;
}

static void writes_files(void **state)
{
	char dir[64], sub[128], path[256];
	struct pit_loop *loop;
	struct stat st;

	tempdir_new(dir, sizeof(dir));
	snprintf(sub, sizeof(sub), "%s/made/too/", dir);
	assert_int_equal(pit_loop_open(&loop), 0);
	for (int i = 0; i < 3; i++) {
		pit_auto_buf struct pit_buf tail = PIT_BUF_INIT;
		struct pit_output *o;
		pid_t rank;

		assert_int_equal(pit_output_open(loop, PIT_OUTPUT_FILES, sub, 4, i == 2 ? 1 : 0, &o, NULL), 0);
		rank = start(o, 3, write_both);
		reap(rank);
		pit_output_tail(o, 3, &tail);
		assert_string_equal(tail.data, "to stderr\n");
		pit_output_close(o, LONG);
	}
	pit_auto_free char *out = read_file(sub, "rank-3.out"), *err = read_file(sub, "rank-3.err"),
			   *again = read_file(sub, "rank-3.1.err");

	assert_string_equal(out, "to stdout\nand no endto stdout\nand no end");
	assert_string_equal(err, "to stderr\nto stderr\n");
	assert_string_equal(again, "to stderr\n");
	snprintf(path, sizeof(path), "%srank-3.out", sub);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
	pit_loop_close(loop);
	tempdir_remove(dir);
}

static void keeps_the_last_lines_of_files(void **state)
{
	char dir[64];
	struct pit_loop *loop;
	struct pit_output *o;
	pid_t rank;

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "rank-0.err", "from a run before\n");
	assert_int_equal(pit_loop_open(&loop), 0);
	assert_int_equal(pit_output_open(loop, PIT_OUTPUT_FILES, dir, 2, 0, &o, NULL), 0);
	rank = start(o, 1, write_tail);
	reap(rank);
	check_tail(o, 1);
	check_tail(o, 1);
	rank = start(o, 0, write_both);
	reap(rank);
	pit_auto_buf struct pit_buf tail = PIT_BUF_INIT;

	pit_output_tail(o, 0, &tail);
	assert_string_equal(tail.data, "to stderr\n");
	pit_output_close(o, LONG);
	pit_loop_close(loop);
	tempdir_remove(dir);
}

static void knows_its_own_files(void **state)
{
	static const struct {
		const char *name;
		int own;
		bool ours;
	} rows[] = {
		{.name = "rank-0.out", .own = -1, .ours = true},
		{.name = "rank-12.err", .own = -1, .ours = true},
		{.name = "rank-2.3.err", .own = -1, .ours = true},
		{.name = "report.json", .own = -1, .ours = true},
		{.name = "report.1.json", .own = -1, .ours = true},
		{.name = "report-rank-3.json", .own = -1, .ours = true},
		{.name = "report-rank-3.1.json", .own = 3, .ours = true},
		{.name = "rank-3.out", .own = 3, .ours = true},
		{.name = "rank-3.1.out", .own = 3, .ours = true},
		{.name = "rank-3.out", .own = 2},
		{.name = "rank-33.out", .own = 3},
		{.name = "report.json", .own = 3},
		{.name = "report-rank-3.json", .own = 4},
		{.name = "rank-3.log", .own = -1},
		{.name = "rank-.out", .own = -1},
		{.name = "rank-3.out.gz", .own = -1},
		{.name = "rank-3..out", .own = -1},
		{.name = "rank-3.1.2.out", .own = -1},
		{.name = "rank-99999999999.out", .own = -1},
		{.name = "my-rank-3.out", .own = -1},
		{.name = "report-old.json", .own = -1},
		{.name = "reports.json", .own = -1},
		{.name = "report.out", .own = -1},
		{.name = "rank-3.json", .own = -1},
		{.name = "", .own = -1},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++)
		if (pit_output_dir_is_ours(rows[i].name, rows[i].own) != rows[i].ours)
			fail_msg("%s of %d", rows[i].name, rows[i].own);
}

static void removes_what_an_earlier_job_left(void **state)
{
	char dir[64], path[96], target[96];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "rank-0.out", "old");
	tempdir_file(dir, "rank-7.1.err", "old");
	tempdir_file(dir, "report.1.json", "old");
	tempdir_file(dir, "rank-0.log", "of others");
	snprintf(target, sizeof(target), "%s/rank-0.log", dir);
	snprintf(path, sizeof(path), "%s/rank-5.out", dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(pit_output_dir_clean(dir, 3, NULL), 0);
	snprintf(path, sizeof(path), "%s/rank-0.out", dir);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(pit_output_dir_clean(dir, -1, NULL), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/rank-7.1.err", dir);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/report.1.json", dir);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(target, F_OK), 0);
	snprintf(path, sizeof(path), "%s/rank-5.out", dir);
	assert_int_equal(access(path, F_OK), 0); /* a link is no file of ours */
	tempdir_remove(dir);
	assert_int_equal(pit_output_dir_clean(dir, -1, NULL), 0); /* no directory */
}

static void refuses(const char *dir, int code, const char *word)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_output *o = NULL;
	struct pit_loop *loop;
	int fd[2] = {-7, -7}, rc, before = open_files();

	assert_int_equal(pit_loop_open(&loop), 0);
	rc = pit_output_open(loop, PIT_OUTPUT_FILES, dir, 1, 0, &o, &err);
	if (!rc) {
		rc = pit_output_files(o, 0, fd, &err);
		pit_output_close(o, LONG);
	} else {
		assert_null(o);
	}
	if (rc != -code || !strstr(err.text, word) || !strstr(err.text, dir))
		fail_msg("%s: %d, %s", dir, rc, err.text);
	assert_int_equal(fd[0], -7);
	pit_loop_close(loop);
	assert_int_equal(open_files(), before);
}

static void refuses_what_is_no_file(void **state)
{
	char dir[64], path[128];

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/rank-0.err", dir);
	assert_int_equal(tempdir_symlink(dir, "rank-0.err", "/tmp/elsewhere"), 0);
	refuses(dir, ELOOP, "is a link");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(dir, EEXIST, "no plain file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refuses(dir, EEXIST, "no plain file");
	tempdir_remove(dir);
}

static void refuses_directories(void **state)
{
	char dir[64], path[128];
	bool root = !geteuid();

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "file", "");
	snprintf(path, sizeof(path), "%s/file", dir);
	refuses(path, ENOTDIR, "Not a directory");
	snprintf(path, sizeof(path), "%s/file/below", dir);
	refuses(path, ENOTDIR, "cannot be made");
	snprintf(path, sizeof(path), "%s/closed", dir);
	mkdir(path, 0555);
	if (root) {
		chmod(dir, 0755);
		assert_int_equal(seteuid(65534), 0);
	}
	refuses(path, EACCES, "cannot be written to");
	if (root)
		assert_int_equal(seteuid(0), 0);
	tempdir_remove(dir);
}

static int end_if_it_hangs(void **state)
{
	alarm(300);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_each_stream),
		cmocka_unit_test(keeps_lines_whole),
		cmocka_unit_test(closes_what_nobody_reads),
		cmocka_unit_test(tells_what_a_full_disk_lost),
		cmocka_unit_test(waits_for_a_slow_reader_without_blocking),
		cmocka_unit_test(holds_little_of_many_ranks),
		cmocka_unit_test(gives_a_slow_reader_the_time_it_needs),
		cmocka_unit_test(hurries_when_told),
		cmocka_unit_test(does_not_wait_for_ever_for_a_pipe),
		cmocka_unit_test(lets_a_bar_through_now_and_then),
		cmocka_unit_test(keeps_the_last_lines),
		cmocka_unit_test(keeps_what_is_still_in_the_pipe),
		cmocka_unit_test(leaves_one_rank_alone),
		cmocka_unit_test(changes_no_flags_of_ours),
		cmocka_unit_test(closes_all),
		cmocka_unit_test(writes_to_any_kind_of_file),
		cmocka_unit_test(never_blocks_on_a_pipe_that_it_shares),
		cmocka_unit_test(says_without_a_loop),
		cmocka_unit_test(writes_files),
		cmocka_unit_test(keeps_the_last_lines_of_files),
		cmocka_unit_test(knows_its_own_files),
		cmocka_unit_test(removes_what_an_earlier_job_left),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(refuses_directories),
	};

	return cmocka_run_group_tests(tests, end_if_it_hangs, NULL);
}
