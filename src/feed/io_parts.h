/* SPDX-License-Identifier: MIT
 *
 * Between io.c (choice and queue), io_step.c (what comes after what) and the engines.
 */
#ifndef PIT_FEED_IO_PARTS_H
#define PIT_FEED_IO_PARTS_H

#include "feed/io.h"
#include "feed/ladder.h"

struct pit_io_list {
	struct pit_io_op *first, **end;
};

static inline void pit_io_list_init(struct pit_io_list *l)
{
	*l = (struct pit_io_list){.end = &l->first};
}

static inline void pit_io_list_add(struct pit_io_list *l, struct pit_io_op *op)
{
	op->next = NULL;
	*l->end = op;
	l->end = &op->next;
}

static inline struct pit_io_op *pit_io_list_take(struct pit_io_list *l)
{
	struct pit_io_op *op = l->first;

	if (op && !(l->first = op->next))
		l->end = &l->first;
	return op;
}

/* Moves all of `from` behind `to`. */
void pit_io_list_append(struct pit_io_list *to, struct pit_io_list *from);

/* The request that an operation is at. */
enum pit_io_step {
	PIT_STEP_OPEN,
	PIT_STEP_LOOK, /* whether what is open in a slot is a FIFO: by a request that those refuse */
	PIT_STEP_MOVE,
	PIT_STEP_SYNC,
	PIT_STEP_CLOSE,
};

/* The kernel said `res` to the request of op->step. True: the operation is finished and has its `res`. False: the next
 * request is that of op->step; when op->tries is not 0 the last one has to be repeated, better a little later. */
bool pit_io_complete(struct pit_io_op *op, int64_t res);

void pit_io_begin(struct pit_io_op *op); /* sets op->step to the first one */

/* For the request of the step: flags of open; descriptor, memory, length, offset and RWF_ flags of the transfer. */
int pit_io_open_flags(const struct pit_io_op *op);
struct pit_io_move {
	int fd;
	char *buf;
	size_t len;
	uint64_t offset;
	int rwf;
};
struct pit_io_move pit_io_move_of(const struct pit_io_op *op);

struct pit_io;
struct pit_io_driver {
	/* Hands over from io->queue what the depth allows, waits as pit_io_wait() says and puts what is finished into
	 * io->finished. */
	int (*wait)(struct pit_io *io, int64_t timeout_ns);
	void (*wake)(struct pit_io *io);
	int (*enlist)(struct pit_io *io, const struct iovec *pieces, unsigned count, struct pit_ladder *l);
	void (*cancel)(struct pit_io *io); /* what was handed over and not begun goes back to io->queue */
	void (*close)(struct pit_io *io);  /* nothing is under way, or this is a child after fork() */
};

struct pit_io {
	const struct pit_io_driver *driver;
	enum pit_io_engine engine;
	struct pit_io_list queue, finished;
	unsigned pending; /* submitted and not yet done */
	unsigned inside;  /* handed over and not yet finished */
	unsigned depth, most;
	pid_t pid;
	bool used; /* something was submitted */
	struct pit_uring *uring;
	struct pit_crew *crew;
};

/* Sets up the engine in `io`; -errno with a reason for the ladder in `err`. */
int pit_uring_open(struct pit_io *io, bool fixed, struct pit_error *err);
int pit_crew_open(struct pit_io *io, unsigned threads, struct pit_error *err);

#endif
