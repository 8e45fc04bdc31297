/* SPDX-License-Identifier: MIT
 *
 * Which engine, and what waits for it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "feed/io_parts.h"

enum { DEPTH = 32, DEPTH_MOST = 4096, THREADS = 16, THREADS_MOST = 256 };

static const struct rung {
	enum pit_io_engine engine;
	const char *name;
} rungs[] = {
	{.engine = PIT_ENGINE_URING_FIXED, .name = "io_uring, registered"},
	{.engine = PIT_ENGINE_URING, .name = "io_uring"},
	{.engine = PIT_ENGINE_THREADS, .name = "threads"},
};

void pit_io_list_append(struct pit_io_list *to, struct pit_io_list *from)
{
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	pit_io_list_init(from);
}

static int open_rung(struct pit_io *io, const struct rung *r, const struct pit_io_want *want, struct pit_error *err)
{
	unsigned threads = want->threads ? want->threads : io->most < THREADS ? io->most : THREADS;

	io->engine = r->engine;
	if (r->engine == PIT_ENGINE_THREADS)
		return pit_crew_open(io, threads, err);
	return pit_uring_open(io, r->engine == PIT_ENGINE_URING_FIXED, err);
}

/* Down from the first rung, or the one that is wanted alone. */
static int choose(struct pit_io *io, const struct pit_io_want *want, struct pit_ladder *l, struct pit_error *err)
{
	struct pit_error last = PIT_ERROR_INIT;
	bool taken = false;
	int rc = -EINVAL;

	for (const struct rung *r = rungs; r < rungs + PIT_COUNT(rungs); r++) {
		struct pit_error why = PIT_ERROR_INIT;

		if (want->engine && want->engine != r->engine) {
			pit_ladder_add(l, "engine", r->name, PIT_RUNG_UNUSED, "another is wanted");
			continue;
		}
		if (taken) {
			pit_ladder_add(l, "engine", r->name, PIT_RUNG_UNUSED, "a better one was taken");
			continue;
		}
		rc = open_rung(io, r, want, &why);
		taken = !rc;
		pit_ladder_add(l, "engine", r->name, rc ? PIT_RUNG_REFUSED : PIT_RUNG_TAKEN, "%s", why.text);
		if (rc)
			pit_fail(&last, -rc, "%s: %s", r->name, why.text);
	}
	return taken ? 0 : pit_fail(err, -rc, "%s", last.text);
}

static int check(const struct pit_io_want *want, struct pit_error *err)
{
	if (want->engine > PIT_ENGINE_THREADS)
		return pit_fail(err, EINVAL, "there is no engine %d", (int)want->engine);
	if (want->depth > DEPTH_MOST)
		return pit_fail(err, EINVAL, "depth %u is beyond %d", want->depth, DEPTH_MOST);
	if (want->threads > THREADS_MOST)
		return pit_fail(err, EINVAL, "%u threads are more than %d", want->threads, THREADS_MOST);
	return 0;
}

int pit_io_open(const struct pit_io_want *want, struct pit_ladder *l, struct pit_io **ret, struct pit_error *err)
{
	pit_auto_free struct pit_io *io = calloc(1, sizeof(*io));
	static const struct pit_io_want any;
	int rc;

	if (!io)
		return pit_fail(err, ENOMEM, "no memory for an engine");
	if (!want)
		want = &any;
	if ((rc = check(want, err)))
		return rc;
	pit_io_list_init(&io->queue);
	pit_io_list_init(&io->finished);
	io->depth = io->most = want->depth ? want->depth : DEPTH;
	io->pid = getpid();
	if ((rc = choose(io, want, l, err)))
		return rc;
	*ret = pit_take(io);
	return 0;
}

int pit_io_register(struct pit_io *io, const struct iovec *pieces, unsigned count, struct pit_ladder *l)
{
	if (io->used)
		return -EBUSY;
	if (io->engine == PIT_ENGINE_URING_FIXED)
		return io->driver->enlist(io, pieces, count, l);
	pit_ladder_add(l, "buffers", "registered", PIT_RUNG_UNUSED, "the engine has none");
	return 0;
}

void pit_io_submit(struct pit_io *io, struct pit_io_op *op)
{
	pit_io_begin(op);
	io->used = true;
	io->pending++;
	pit_io_list_add(&io->queue, op);
}

/* Calls `done` of what is finished now, not of what these calls add. */
static int deliver(struct pit_io *io)
{
	struct pit_io_list now;
	struct pit_io_op *op;
	int count = 0;

	pit_io_list_init(&now);
	pit_io_list_append(&now, &io->finished);
	while ((op = pit_io_list_take(&now))) {
		io->pending--;
		count++;
		if (op->done)
			op->done(op);
	}
	return count;
}

int pit_io_wait(struct pit_io *io, int64_t timeout_ns)
{
	int rc;

	if (getpid() != io->pid)
		return -ECHILD;
	if (!io->pending && timeout_ns < 0)
		return 0;
	rc = io->driver->wait(io, timeout_ns);
	return rc < 0 ? rc : deliver(io);
}

void pit_io_wake(struct pit_io *io)
{
	if (getpid() == io->pid)
		io->driver->wake(io);
}

/* Takes out of the queue what has not begun; parts of operations that have begun stay. */
static void cancel(struct pit_io *io)
{
	struct pit_io_list queue;
	struct pit_io_op *op;

	io->driver->cancel(io);
	pit_io_list_init(&queue);
	pit_io_list_append(&queue, &io->queue);
	while ((op = pit_io_list_take(&queue))) {
		bool begun = op->got || op->own_fd >= 0 || op->step == PIT_STEP_CLOSE;

		if (!begun)
			op->res = -ECANCELED;
		pit_io_list_add(begun ? &io->queue : &io->finished, op);
	}
}

void pit_io_close(struct pit_io *io)
{
	int saved = errno;

	if (!io)
		return;
	while (io->pending && getpid() == io->pid) {
		int rc = 0;

		cancel(io);
		if (!io->finished.first)
			rc = io->driver->wait(io, -1);
		if (!deliver(io) && rc < 0)
			break;
	}
	io->driver->close(io);
	free(io);
	errno = saved;
}

unsigned pit_io_pending(const struct pit_io *io)
{
	return io->pending;
}

unsigned pit_io_depth(const struct pit_io *io)
{
	return io->depth;
}

void pit_io_set_depth(struct pit_io *io, unsigned depth)
{
	io->depth = depth < 1 ? 1 : depth > io->most ? io->most : depth;
}

enum pit_io_engine pit_io_engine_of(const struct pit_io *io)
{
	return io->engine;
}

const char *pit_io_engine_name(enum pit_io_engine engine)
{
	for (const struct rung *r = rungs; r < rungs + PIT_COUNT(rungs); r++)
		if (r->engine == engine)
			return r->name;
	return "auto";
}

int pit_io_exchange(struct pit_io *a, struct pit_io *b)
{
	struct pit_io old = *a;

	if (a->pending || b->pending)
		return -EBUSY;
	*a = *b;
	*b = old;
	pit_io_list_init(&a->queue); /* empty lists point to themselves */
	pit_io_list_init(&a->finished);
	pit_io_list_init(&b->queue);
	pit_io_list_init(&b->finished);
	return 0;
}
