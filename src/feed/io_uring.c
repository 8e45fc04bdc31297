/* SPDX-License-Identifier: MIT
 *
 * The engine over io_uring: one system call hands over a batch and waits. With `fixed`, small files are opened into
 * slots of the ring's own table (no descriptor is made), and memory may be registered.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "feed/io_parts.h"
#include "feed/io_ring.h"

struct pit_uring {
	struct io_uring ring;
	bool enabled; /* by the thread that it belongs to */
	bool armed;   /* the request that waits for `event` is in the kernel */
	bool woken;
	bool repeat;                 /* something has to be repeated: a little later */
	int event;                   /* eventfd of pit_io_wake() */
	unsigned *slots, slots_free; /* NULL: no table */
	struct pit_io_list again;    /* next requests of operations that are inside */
	struct iovec *pieces;        /* registered; NULL: none */
	unsigned pieces_count;
};

enum { PIECE_MOST = 1 << 30 }; /* of one registered buffer */

static int piece_of(const struct pit_uring *u, const struct pit_io_move *m)
{
	for (unsigned i = 0; i < u->pieces_count; i++) {
		const char *base = u->pieces[i].iov_base;

		if (m->buf >= base && m->buf + m->len <= base + u->pieces[i].iov_len)
			return (int)i;
	}
	return -1;
}

static void prepare_move(const struct pit_uring *u, struct io_uring_sqe *sqe, const struct pit_io_op *op)
{
	struct pit_io_move m = pit_io_move_of(op);
	int piece = piece_of(u, &m);
	bool write = op->kind == PIT_IO_WRITE;

	if (piece >= 0 && write)
		io_uring_prep_write_fixed(sqe, m.fd, m.buf, (unsigned)m.len, m.offset, piece);
	else if (piece >= 0)
		io_uring_prep_read_fixed(sqe, m.fd, m.buf, (unsigned)m.len, m.offset, piece);
	else if (write)
		io_uring_prep_write(sqe, m.fd, m.buf, (unsigned)m.len, m.offset);
	else
		io_uring_prep_read(sqe, m.fd, m.buf, (unsigned)m.len, m.offset);
	sqe->rw_flags = m.rwf;
	if (op->slot)
		sqe->flags |= IOSQE_FIXED_FILE;
}

static void prepare_open(struct pit_uring *u, struct io_uring_sqe *sqe, struct pit_io_op *op)
{
	int flags = pit_io_open_flags(op);

	if (!op->slot && u->slots_free) {
		op->slot = true;
		op->own_fd = (int)u->slots[--u->slots_free];
	}
	if (op->slot) /* a slot is no descriptor that exec could pass on: the kernel refuses O_CLOEXEC */
		io_uring_prep_openat_direct(sqe, op->fd, op->path, flags & ~O_CLOEXEC, 0, (unsigned)op->own_fd);
	else
		io_uring_prep_openat(sqe, op->fd, op->path, flags, 0);
}

static void prepare(struct pit_uring *u, struct io_uring_sqe *sqe, struct pit_io_op *op)
{
	switch ((enum pit_io_step)op->step) {
	case PIT_STEP_OPEN:
		prepare_open(u, sqe, op);
		break;
	case PIT_STEP_LOOK:
		io_uring_prep_fadvise(sqe, op->own_fd, 0, 0, POSIX_FADV_NORMAL);
		sqe->flags |= IOSQE_FIXED_FILE;
		break;
	case PIT_STEP_MOVE:
		prepare_move(u, sqe, op);
		break;
	case PIT_STEP_SYNC:
		io_uring_prep_fsync(sqe, op->fd, op->flags == 1 ? IORING_FSYNC_DATASYNC : 0);
		break;
	case PIT_STEP_CLOSE:
		if (op->slot)
			io_uring_prep_close_direct(sqe, (unsigned)op->own_fd);
		else
			io_uring_prep_close(sqe, op->own_fd);
		break;
	}
	/* What would have to wait may do so in a thread of the kernel. Of a slot's file, which is open with O_NONBLOCK,
	 * the kernel thinks that it never waits. */
	if (op->tries || (op->waits && op->slot && op->step == PIT_STEP_MOVE))
		sqe->flags |= IOSQE_ASYNC;
	io_uring_sqe_set_data(sqe, op);
}

/* A place in the submission queue; what is there goes to the kernel when it is full. NULL: the kernel takes no more
 * before its completions are looked at. */
static struct io_uring_sqe *place(struct pit_uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (!sqe && io_uring_submit(&u->ring) > 0)
		sqe = io_uring_get_sqe(&u->ring);
	return sqe;
}

static void arm(struct pit_uring *u)
{
	struct io_uring_sqe *sqe;

	if (u->armed || !(sqe = place(u)))
		return;
	io_uring_prep_poll_add(sqe, u->event, POLLIN);
	io_uring_sqe_set_data(sqe, u);
	u->armed = true;
}

static void hand_over(struct pit_io *io, struct pit_uring *u)
{
	while (u->again.first || (io->queue.first && io->inside < io->depth)) {
		struct io_uring_sqe *sqe = place(u);

		if (!sqe)
			return;
		if (!u->again.first) {
			io->inside++;
			prepare(u, sqe, pit_io_list_take(&io->queue));
		} else {
			prepare(u, sqe, pit_io_list_take(&u->again));
		}
	}
}

static void finished(struct pit_io *io, struct pit_uring *u, struct pit_io_op *op)
{
	if (op->slot)
		u->slots[u->slots_free++] = (unsigned)op->own_fd;
	op->slot = false;
	io->inside--;
	pit_io_list_add(&io->finished, op);
}

static void woken(struct pit_uring *u)
{
	uint64_t times;

	u->armed = false;
	if (read(u->event, &times, sizeof(times)) > 0)
		u->woken = true;
}

static void completed(struct pit_io *io, struct pit_uring *u, const struct io_uring_cqe *cqe)
{
	void *data = io_uring_cqe_get_data(cqe);
	struct pit_io_op *op = data;

	if (cqe->user_data == LIBURING_UDATA_TIMEOUT)
		return;
	if (data == u) {
		woken(u);
		return;
	}
	if (pit_io_complete(op, cqe->res)) {
		finished(io, u, op);
		return;
	}
	u->repeat = u->repeat || op->tries > 1;
	pit_io_list_add(&u->again, op);
}

static void collect(struct pit_io *io, struct pit_uring *u)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	io_uring_for_each_cqe(&u->ring, head, cqe)
	{
		completed(io, u, cqe);
		count++;
	}
	io_uring_cq_advance(&u->ring, count);
}

/* The kernel is short of something now; what is under way will free it. */
static bool passing(int rc)
{
	return rc == -EINTR || rc == -EAGAIN || rc == -EBUSY || rc == -ENOMEM;
}

/* One system call: everything that is prepared goes in, and at least one completion comes out. */
static int enter(struct pit_uring *u, int64_t until)
{
	struct __kernel_timespec t = {0};
	struct io_uring_cqe *cqe;
	int64_t left;
	int rc;

	if (until < 0) {
		rc = io_uring_submit_and_wait(&u->ring, 1);
	} else {
		left = until - pit_now();
		left = left < 0 ? 0 : left;
		t.tv_sec = left / (1000 * PIT_MS);
		t.tv_nsec = left % (1000 * PIT_MS);
		rc = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &t, NULL);
	}
	if (rc < 0 && rc != -EINTR && passing(rc))
		nanosleep(&(struct timespec){.tv_nsec = PIT_MS}, NULL);
	return rc < 0 && rc != -ETIME && !passing(rc) ? rc : 0;
}

/* By number: liburing 2.3 declares a function for it that the library does not have. */
static int enable(struct pit_uring *u)
{
	int rc = 0;

	if (!u->enabled && u->ring.flags & IORING_SETUP_R_DISABLED)
		rc = io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	u->enabled = !rc;
	return rc;
}

/* The ring takes nothing any more: what was to be continued ends here, also what lies in the submission queue. */
static void give_up(struct pit_io *io, struct pit_uring *u, int rc)
{
	struct io_uring_sq *sq = &u->ring.sq;
	struct pit_io_op *op;

	for (unsigned i = *sq->khead; i != sq->sqe_tail; i++) {
		op = (struct pit_io_op *)(uintptr_t)sq->sqes[i & *sq->kring_mask].user_data;
		if ((void *)op != u)
			pit_io_list_add(&u->again, op);
	}
	sq->sqe_head = sq->sqe_tail = *sq->khead;
	while ((op = pit_io_list_take(&u->again))) {
		if (op->own_fd >= 0 && !op->slot)
			close(op->own_fd);
		op->res = rc;
		finished(io, u, op);
	}
}

static int uring_wait(struct pit_io *io, int64_t timeout_ns)
{
	struct pit_uring *u = io->uring;
	int64_t now = timeout_ns < 0 ? 0 : pit_now(), until = -1;
	int rc = enable(u);

	if (timeout_ns >= 0)
		until = timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX;
	while (!rc) {
		if (u->repeat)
			nanosleep(&(struct timespec){.tv_nsec = PIT_MS}, NULL);
		u->repeat = false;
		arm(u);
		hand_over(io, u);
		rc = enter(u, until);
		collect(io, u);
		if (io->finished.first || u->woken || (until >= 0 && pit_now() >= until))
			break;
	}
	u->woken = false;
	if (rc)
		give_up(io, u, rc);
	return rc;
}

static void uring_wake(struct pit_io *io)
{
	uint64_t one = 1;
	ssize_t n = write(io->uring->event, &one, sizeof(one)); /* fails only when it is set 2^64 times */

	(void)n;
}

static void uring_cancel(struct pit_io *io)
{
}

/* No registered buffer may be larger than 1 GiB. */
static unsigned cut(const struct iovec *pieces, unsigned count, struct iovec *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		for (size_t at = 0; at < pieces[i].iov_len; at += PIECE_MOST) {
			size_t left = pieces[i].iov_len - at;

			if (ret)
				ret[n] = (struct iovec){.iov_base = (char *)pieces[i].iov_base + at,
							.iov_len = left < PIECE_MOST ? left : PIECE_MOST};
			n++;
		}
	return n;
}

static int uring_enlist(struct pit_io *io, const struct iovec *pieces, unsigned count, struct pit_ladder *l)
{
	struct pit_uring *u = io->uring;
	unsigned n = cut(pieces, count, NULL);
	pit_auto_free struct iovec *all = calloc(n ? n : 1, sizeof(*all));
	size_t registered = 0;
	int rc;

	if (!all)
		return -ENOMEM;
	if (u->pieces)
		return -EBUSY;
	cut(pieces, count, all);
	for (unsigned i = 0; i < n; i++)
		registered += all[i].iov_len;
	rc = io_uring_register_buffers(&u->ring, all, n);
	if (rc) {
		pit_ladder_add(l, "buffers", "registered", PIT_RUNG_REFUSED, "%zu MiB: %s%s", registered >> 20,
			       strerror(-rc), rc == -ENOMEM ? ": RLIMIT_MEMLOCK (ulimit -l) is too small" : "");
		return 0;
	}
	pit_ladder_add(l, "buffers", "registered", PIT_RUNG_TAKEN, "%zu MiB", registered >> 20);
	u->pieces = pit_take(all);
	u->pieces_count = n;
	return 0;
}

/* A child after fork() may hold the ring's file open: what is registered goes now, not with the last descriptor. */
static void uring_close(struct pit_io *io)
{
	struct pit_uring *u = io->uring;

	if (getpid() == io->pid) {
		if (u->pieces)
			io_uring_unregister_buffers(&u->ring);
		if (u->slots)
			io_uring_unregister_files(&u->ring);
	}
	io_uring_queue_exit(&u->ring);
	if (u->event >= 0)
		close(u->event);
	free(u->slots);
	free(u->pieces);
	free(u);
}

static const struct pit_io_driver uring_driver = {
	.wait = uring_wait,
	.wake = uring_wake,
	.enlist = uring_enlist,
	.cancel = uring_cancel,
	.close = uring_close,
};

/* At most as many as descriptors are allowed (liburing would raise the process' limit for more). What finds no slot is
 * opened with a descriptor. */
static int make_slots(struct pit_uring *u, unsigned count)
{
	pit_auto_free int *files = NULL;
	struct rlimit limit;
	int rc;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < count)
		count = (unsigned)limit.rlim_cur;
	files = malloc(count * sizeof(*files));
	u->slots = malloc(count * sizeof(*u->slots));
	if (!files || !u->slots)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		files[i] = -1;
		u->slots[i] = count - 1 - i;
	}
	rc = io_uring_register_files(&u->ring, files, count);
	u->slots_free = rc ? 0 : count;
	return rc;
}

static int set_up(struct pit_io *io, struct pit_uring *u, bool fixed, struct pit_error *err)
{
	int rc = pit_ring_open(&u->ring, io->most, fixed, err);

	if (rc)
		return rc;
	if ((u->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		rc = pit_fail(err, errno, "eventfd: %s", strerror(errno));
	else if (fixed && (rc = make_slots(u, io->most)))
		rc = pit_fail(err, -rc, "a table of files cannot be registered: %s", strerror(-rc));
	if (rc) {
		if (u->event >= 0)
			close(u->event);
		io_uring_queue_exit(&u->ring);
	}
	return rc;
}

int pit_uring_open(struct pit_io *io, bool fixed, struct pit_error *err)
{
	struct pit_uring *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return pit_fail(err, ENOMEM, "no memory for a ring");
	u->event = -1;
	pit_io_list_init(&u->again);
	if ((rc = set_up(io, u, fixed, err))) {
		free(u->slots);
		free(u);
		return rc;
	}
	io->uring = u;
	io->driver = &uring_driver;
	return 0;
}
