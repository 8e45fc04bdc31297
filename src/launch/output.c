/* SPDX-License-Identifier: MIT */
#include "launch/output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "launch/output_file.h"
#include "launch/output_lines.h"
#include "launch/output_sink.h"

#define CHUNK (64 << 10) /* bytes read at once: what a pipe holds, */
#define REST 16          /* and how many of these it may hold at most (fs.pipe-max-size) */

/* stdout or stderr of a rank. */
struct stream {
	struct pit_output *o;
	int rank;
	int fd;     /* our end of the pipe; -1 none, or over */
	int theirs; /* until the rank has it; -1 */
	struct pit_sink *sink;
	struct pit_lines lines;
	struct pit_buf recent; /* the last bytes of a stderr */
	bool cut;              /* there were more */
	bool paused;           /* its sink is full */
	int timer;
};

struct pit_output {
	struct pit_loop *loop;
	enum pit_output_mode mode;
	struct pit_output_dir dir;
	int ranks;
	struct pit_hurry hurry;
	struct pit_output_lost lost;
	bool told[2];               /* of each sink: it loses output */
	struct stream (*stream)[2]; /* of each rank: stdout, stderr */
	off_t *start;               /* of each rank's .err: its size before */
	struct pit_sink sink[2];
	char *chunk;
};

static int serve(void *arg, uint32_t events);

static void show(void *arg, const char *text, size_t len)
{
	struct stream *s = arg;
	char label[24];

	snprintf(label, sizeof(label), "[%d] ", s->rank);
	pit_sink_put(s->sink, label, strlen(label));
	pit_sink_put(s->sink, text, len);
	pit_sink_put(s->sink, "\n", 1);
}

static int on_rest(void *arg, uint32_t events)
{
	struct stream *s = arg;

	s->timer = 0;
	pit_lines_rest(&s->lines, pit_now(), show, s);
	pit_sink_flush(s->sink);
	return 0;
}

static void end_stream(struct stream *s);

static void tell_lost(struct pit_output *o)
{
	for (int i = 0; i < 2; i++) {
		int error = o->sink[i].unread ? EPIPE : o->sink[i].error;

		if (!error || o->told[i])
			continue;
		o->told[i] = true;
		if (o->lost.fn)
			o->lost.fn(o->lost.arg, STDOUT_FILENO + i, error);
	}
}

/* Reads on when the sink has room again, and no more when nobody reads it. */
static void resume(void *arg)
{
	struct pit_output *o = arg;

	tell_lost(o);
	for (int i = 0; i < 2 * o->ranks; i++) {
		struct stream *s = &o->stream[i / 2][i % 2];

		if (s->sink->unread)
			end_stream(s);
		else if (s->paused && pit_sink_left(s->sink) < PIT_SINK_LOW)
			s->paused = s->fd >= 0 && pit_loop_watch(o->loop, s->fd, EPOLLIN, serve, s);
	}
}

static void end_stream(struct stream *s)
{
	if (s->fd < 0)
		return;
	pit_loop_cancel(s->o->loop, s->timer);
	pit_loop_unwatch(s->o->loop, s->fd);
	close(s->fd);
	s->fd = -1;
	pit_lines_end(&s->lines, show, s);
	if (!s->sink->unread)
		pit_sink_flush(s->sink);
}

static void keep(struct stream *s, const char *bytes, size_t len)
{
	if (s != &s->o->stream[s->rank][1])
		return;
	pit_buf_add(&s->recent, bytes, len);
	if (s->recent.len <= 4 * PIT_OUTPUT_TAIL_BYTES)
		return;
	memmove(s->recent.data, s->recent.data + s->recent.len - PIT_OUTPUT_TAIL_BYTES, PIT_OUTPUT_TAIL_BYTES);
	s->recent.len = PIT_OUTPUT_TAIL_BYTES;
	s->cut = true;
}

static void take(struct stream *s, const char *bytes, size_t len)
{
	struct pit_output *o = s->o;
	int64_t now = pit_now();

	keep(s, bytes, len);
	pit_lines_add(&s->lines, bytes, len, now, show, s);
	if (!s->timer && pit_lines_waits(&s->lines))
		s->timer = pit_loop_at(o->loop, now + PIT_LINES_UPDATE, on_rest, s);
	if (s->timer < 0) /* no memory for it: the state comes out with the next bytes */
		s->timer = 0;
	pit_sink_flush(s->sink);
}

/* Until its sink has room. */
static bool pause_when_full(struct stream *s)
{
	if (pit_sink_left(s->sink) < PIT_SINK_FULL)
		return false;
	pit_loop_unwatch(s->o->loop, s->fd);
	s->paused = true;
	return true;
}

/* Reads once. False: nothing there now, or no more at all. */
static bool read_once(struct stream *s)
{
	ssize_t n = read(s->fd, s->o->chunk, CHUNK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0)
		take(s, s->o->chunk, (size_t)n);
	else
		end_stream(s);
	return n > 0;
}

/* What is in the pipe now, whether or not our reader keeps up; not all that a writer without end may bring. */
static void read_rest(struct stream *s)
{
	for (int i = 0; i < REST && s->fd >= 0 && read_once(s); i++)
		;
}

/* Others may have filled the sink meanwhile: what thousands of pipes hold is much. */
static int serve(void *arg, uint32_t events)
{
	if (!pause_when_full(arg) && read_once(arg))
		(void)pause_when_full(arg);
	return 0;
}

static void open_sinks(struct pit_output *o)
{
	bool same = pit_sink_same(STDOUT_FILENO, STDERR_FILENO);

	pit_sink_open(&o->sink[0], o->loop, STDOUT_FILENO, resume, o);
	if (!same)
		pit_sink_open(&o->sink[1], o->loop, STDERR_FILENO, resume, o);
	for (int i = 0; same && i < o->ranks; i++)
		o->stream[i][1].sink = &o->sink[0];
}

static int make_streams(struct pit_output *o)
{
	o->stream = calloc((size_t)o->ranks, sizeof(*o->stream));
	o->start = calloc((size_t)o->ranks, sizeof(*o->start));
	o->chunk = malloc(CHUNK);
	if (!o->stream || !o->start || !o->chunk)
		return -ENOMEM;
	for (int i = 0; i < 2 * o->ranks; i++)
		o->stream[i / 2][i % 2] = (struct stream){
			.o = o,
			.rank = i / 2,
			.fd = -1,
			.theirs = -1,
			.sink = &o->sink[i % 2],
			.lines = PIT_LINES_INIT,
			.recent = PIT_BUF_INIT,
		};
	return 0;
}

static void free_output(struct pit_output *o)
{
	for (int i = 0; o->stream && i < 2 * o->ranks; i++) {
		struct stream *s = &o->stream[i / 2][i % 2];

		end_stream(s);
		pit_cleanup_close(&s->theirs);
		pit_buf_free(&s->recent);
	}
	pit_sink_close(&o->sink[0]);
	pit_sink_close(&o->sink[1]);
	pit_output_dir_close(&o->dir);
	free(o->stream);
	free(o->start);
	free(o->chunk);
	free(o);
}

int pit_output_open(struct pit_loop *loop, enum pit_output_mode mode, const char *dir, int ranks, int attempt,
		    struct pit_output **ret, struct pit_error *err)
{
	struct pit_output *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return pit_fail(err, ENOMEM, "the output of ranks");
	*o = (struct pit_output){
		.loop = loop,
		.mode = mode,
		.dir = PIT_OUTPUT_DIR_INIT,
		.ranks = ranks,
		.hurry = {.fd = -1},
		.sink = {{.fd = -1, .queue = PIT_BUF_INIT}, {.fd = -1, .queue = PIT_BUF_INIT}},
	};
	rc = pit_wrap(err, make_streams(o), "the output of ranks");
	if (!rc && mode == PIT_OUTPUT_LABELLED)
		open_sinks(o);
	if (!rc && mode == PIT_OUTPUT_FILES)
		rc = pit_output_dir_open(dir, attempt, &o->dir, err);
	if (rc) {
		free_output(o);
		return rc;
	}
	*ret = o;
	return 0;
}

static int open_pipe(struct stream *s, struct pit_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return pit_fail(err, errno, "a pipe for the output of rank %d: %s", s->rank, strerror(errno));
	/* Each end has flags of its own: the rank writes as to any pipe. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	s->fd = ends[0];
	s->theirs = ends[1];
	return pit_wrap(err, pit_loop_watch(s->o->loop, s->fd, EPOLLIN, serve, s), "the output of rank %d", s->rank);
}

static int open_stream(struct stream *s, bool is_stderr, struct pit_error *err)
{
	struct pit_output *o = s->o;
	off_t size;
	int rc;

	if (o->mode == PIT_OUTPUT_INHERIT)
		return 0;
	if (o->mode == PIT_OUTPUT_LABELLED)
		return open_pipe(s, err);
	rc = pit_output_dir_file(&o->dir, s->rank, is_stderr, &s->theirs, &size, err);
	if (!rc && is_stderr)
		o->start[s->rank] = size;
	return rc;
}

int pit_output_files(struct pit_output *o, int rank, int ret_fd[2], struct pit_error *err)
{
	struct stream *s = o->stream[rank];
	int rc = open_stream(&s[0], false, err);

	if (!rc)
		rc = open_stream(&s[1], true, err);
	if (rc) {
		pit_output_started(o, rank);
		end_stream(&s[0]);
		end_stream(&s[1]);
		return rc;
	}
	ret_fd[0] = s[0].theirs;
	ret_fd[1] = s[1].theirs;
	return 0;
}

void pit_output_started(struct pit_output *o, int rank)
{
	for (int i = 0; i < 2; i++) {
		pit_cleanup_close(&o->stream[rank][i].theirs);
		o->stream[rank][i].theirs = -1;
	}
}

void pit_output_tail(struct pit_output *o, int rank, struct pit_buf *out)
{
	struct stream *s = &o->stream[rank][1];

	if (o->mode == PIT_OUTPUT_FILES) {
		pit_buf_clear(&s->recent);
		s->cut = pit_output_dir_last(&o->dir, rank, o->start[rank], PIT_OUTPUT_TAIL_BYTES, &s->recent);
	}
	read_rest(s);
	pit_lines_last(s->recent.data, s->recent.len, s->cut, PIT_OUTPUT_TAIL, out);
}

void pit_output_on_lost(struct pit_output *o, const struct pit_output_lost *lost)
{
	o->lost = *lost;
}

void pit_output_hurry(struct pit_output *o, const struct pit_hurry *hurry)
{
	o->hurry = *hurry;
}

/* What a round waits for. */
struct wait {
	struct pollfd *fd;
	struct stream **stream; /* of each fd; NULL: a sink, or the one that hurries */
	nfds_t count;
};

static void add(struct wait *w, int fd, short events, struct stream *s)
{
	w->fd[w->count] = (struct pollfd){.fd = fd, .events = events};
	w->stream[w->count++] = s;
}

/* Fills `w` with pipes that may be read from and readers of ours that are behind. False: there are none. */
static bool gather(struct pit_output *o, struct wait *w)
{
	w->count = 0;
	for (int i = 0; i < 2 * o->ranks; i++) {
		struct stream *s = &o->stream[i / 2][i % 2];

		if (s->fd >= 0 && pit_sink_left(s->sink) < PIT_SINK_FULL)
			add(w, s->fd, POLLIN, s);
	}
	for (int i = 0; i < 2; i++)
		if (pit_sink_left(&o->sink[i]))
			add(w, o->sink[i].fd, POLLOUT, NULL);
	return w->count;
}

static void serve_all(struct pit_output *o, const struct wait *w)
{
	for (nfds_t i = 0; i < w->count; i++)
		if (w->fd[i].revents && w->stream[i])
			read_once(w->stream[i]);
	pit_sink_flush(&o->sink[0]);
	pit_sink_flush(&o->sink[1]);
}

/* One wait and what comes of it. False: nothing is left to wait for, or the time is over. */
static bool serve_until(struct pit_output *o, int64_t deadline, struct wait *w)
{
	int64_t left = deadline - pit_now(), ms = (left + PIT_MS - 1) / PIT_MS;

	if (left <= 0 || !gather(o, w))
		return false;
	if (o->hurry.fd >= 0)
		add(w, o->hurry.fd, POLLIN, NULL);
	if (poll(w->fd, w->count, ms < INT_MAX ? (int)ms : INT_MAX) < 0 && errno != EINTR)
		return false;
	if (o->hurry.fd >= 0 && w->fd[w->count - 1].revents && o->hurry.now(o->hurry.arg))
		o->hurry.fd = -1;
	serve_all(o, w);
	return true;
}

static bool has_streams(const struct pit_output *o)
{
	for (int i = 0; i < 2 * o->ranks; i++)
		if (o->stream[i / 2][i % 2].fd >= 0)
			return true;
	return false;
}

void pit_output_drain(struct pit_output *o, int ms)
{
	size_t most = 2 * (size_t)o->ranks + 3;
	pit_auto_free struct pollfd *fd = calloc(most, sizeof(*fd));
	pit_auto_free struct stream **stream = calloc(most, sizeof(struct stream *));
	struct wait w = {.fd = fd, .stream = stream};
	int64_t deadline = pit_now() + ms * PIT_MS;

	for (int i = 0; i < o->ranks; i++)
		pit_output_started(o, i);
	while (fd && stream && has_streams(o) && serve_until(o, deadline, &w))
		;
	for (int i = 0; i < 2 * o->ranks; i++) {
		read_rest(&o->stream[i / 2][i % 2]);
		end_stream(&o->stream[i / 2][i % 2]);
	}
}

void pit_output_close(struct pit_output *o, int ms)
{
	struct pollfd fd[3];
	struct stream *stream[3];
	struct wait w = {.fd = fd, .stream = stream};
	int64_t deadline = pit_now() + ms * PIT_MS;

	pit_output_drain(o, ms);
	while (o->hurry.fd >= 0 && serve_until(o, INT64_MAX, &w))
		;
	while (serve_until(o, deadline, &w))
		;
	free_output(o);
}
