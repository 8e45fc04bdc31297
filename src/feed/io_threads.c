/* SPDX-License-Identifier: MIT
 *
 * The engine that works everywhere: threads that each carry one operation through.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "feed/io_parts.h"
#include "feed/thread.h"

struct pit_crew {
	pthread_mutex_t lock;
	pthread_cond_t work, news; /* for the threads; for the owner */
	struct pit_io_list todo, finished;
	bool ending, woken, waiting;
	unsigned idle; /* threads that wait for work */
	unsigned count;
	pthread_t threads[];
};

static int64_t move(const struct pit_io_op *op)
{
	struct pit_io_move m = pit_io_move_of(op);
	struct iovec iov = {.iov_base = m.buf, .iov_len = m.len};
	off_t at = (off_t)m.offset;

	if (op->kind == PIT_IO_WRITE)
		return m.rwf ? pwritev2(m.fd, &iov, 1, at, m.rwf) : pwrite(m.fd, m.buf, m.len, at);
	return m.rwf ? preadv2(m.fd, &iov, 1, at, m.rwf) : pread(m.fd, m.buf, m.len, at);
}

static int64_t request(const struct pit_io_op *op)
{
	switch ((enum pit_io_step)op->step) {
	case PIT_STEP_OPEN:
		return openat(op->fd, op->path, pit_io_open_flags(op));
	case PIT_STEP_MOVE:
		return move(op);
	case PIT_STEP_SYNC:
		return op->flags == 1 ? fdatasync(op->fd) : fsync(op->fd);
	case PIT_STEP_LOOK: /* of slots only */
	case PIT_STEP_CLOSE:
		break;
	}
	return close(op->own_fd);
}

static void carry(struct pit_io_op *op)
{
	int64_t res;

	do {
		if (op->tries > 1)
			nanosleep(&(struct timespec){.tv_nsec = PIT_MS}, NULL);
		res = request(op);
	} while (!pit_io_complete(op, res < 0 ? -errno : res));
}

static void *work(void *arg)
{
	struct pit_crew *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->ending) {
		struct pit_io_op *op = pit_io_list_take(&c->todo);

		if (!op) {
			c->idle++;
			pthread_cond_wait(&c->work, &c->lock);
			c->idle--;
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		carry(op);
		pthread_mutex_lock(&c->lock);
		pit_io_list_add(&c->finished, op);
		if (c->waiting)
			pthread_cond_signal(&c->news);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void hand_over(struct pit_io *io, struct pit_crew *c)
{
	unsigned calls = c->idle;
	struct pit_io_op *op;

	while (io->inside < io->depth && (op = pit_io_list_take(&io->queue))) {
		io->inside++;
		pit_io_list_add(&c->todo, op);
		if (calls) {
			calls--;
			pthread_cond_signal(&c->work);
		}
	}
}

/* With the lock: until there is news, or `until` (-1: no end) has come. */
static void await(struct pit_crew *c, int64_t until)
{
	struct timespec t = {.tv_sec = until / (1000 * PIT_MS), .tv_nsec = until % (1000 * PIT_MS)};
	int rc = 0;

	c->waiting = true;
	while (!c->finished.first && !c->woken && !rc)
		rc = until < 0 ? pthread_cond_wait(&c->news, &c->lock) : pthread_cond_timedwait(&c->news, &c->lock, &t);
	c->waiting = c->woken = false;
}

static void collect(struct pit_io *io, struct pit_crew *c)
{
	for (struct pit_io_op *op = c->finished.first; op; op = op->next)
		io->inside--;
	pit_io_list_append(&io->finished, &c->finished);
}

static int crew_wait(struct pit_io *io, int64_t timeout_ns)
{
	struct pit_crew *c = io->crew;
	int64_t now = timeout_ns < 0 ? -1 : pit_now();

	pthread_mutex_lock(&c->lock);
	hand_over(io, c);
	await(c, timeout_ns < 0 ? -1 : timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX);
	collect(io, c);
	hand_over(io, c);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static void crew_wake(struct pit_io *io)
{
	struct pit_crew *c = io->crew;

	pthread_mutex_lock(&c->lock);
	c->woken = true;
	pthread_cond_signal(&c->news);
	pthread_mutex_unlock(&c->lock);
}

static void crew_cancel(struct pit_io *io)
{
	struct pit_crew *c = io->crew;
	struct pit_io_op *op;

	pthread_mutex_lock(&c->lock);
	while ((op = pit_io_list_take(&c->todo))) {
		io->inside--;
		pit_io_list_add(&io->queue, op);
	}
	pthread_mutex_unlock(&c->lock);
}

static void crew_close(struct pit_io *io)
{
	struct pit_crew *c = io->crew;

	if (getpid() != io->pid) { /* the threads are not in the child, and the lock may be held for ever */
		free(c);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->count; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static const struct pit_io_driver crew_driver = {
	.wait = crew_wait,
	.wake = crew_wake,
	.cancel = crew_cancel,
	.close = crew_close,
};

/* Fewer threads than wanted are enough. */
static int start(struct pit_crew *c, unsigned threads)
{
	int rc = 0;

	while (c->count < threads && !(rc = pit_thread_start(&c->threads[c->count], work, c)))
		c->count++;
	return c->count ? 0 : rc;
}

static void crew_init(struct pit_crew *c)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pit_io_list_init(&c->todo);
	pit_io_list_init(&c->finished);
}

int pit_crew_open(struct pit_io *io, unsigned threads, struct pit_error *err)
{
	struct pit_crew *c = calloc(1, sizeof(*c) + threads * sizeof(c->threads[0]));
	int rc;

	if (!c)
		return pit_fail(err, ENOMEM, "no memory for %u threads", threads);
	crew_init(c);
	io->crew = c;
	if ((rc = start(c, threads))) {
		crew_close(io);
		return pit_fail(err, -rc, "no thread could be started: %s", strerror(-rc));
	}
	io->driver = &crew_driver;
	pit_fail(err, 0, c->count < threads ? "%u threads (%u wanted, the system gives no more)" : "%u threads",
		 c->count, threads);
	return 0;
}
