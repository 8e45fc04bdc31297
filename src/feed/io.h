/* SPDX-License-Identifier: MIT
 *
 * Many reads and writes at once: io_uring, or threads with preadv2/pwritev2 when the kernel or a sandbox refuses. An
 * engine belongs to one thread; only pit_io_wake() may be called from others.
 *
 * Short transfers, EINTR and EAGAIN are the engine's affair: an operation completes when all of its bytes are through,
 * at the end of the file, or with an error. An fsync is done once, whatever comes of it: the kernel tells an error of
 * writing back only once.
 *
 * It may be opened in one thread and used in another: it belongs to the first that waits. After fork() it is of no use
 * in the child, which may close it: what is under way in the parent goes on.
 */
#ifndef PIT_FEED_IO_H
#define PIT_FEED_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "pitcrew/io.h"

struct pit_io;
struct pit_io_op;

enum pit_io_kind {
	PIT_IO_READ,  /* from `fd` */
	PIT_IO_WRITE, /* to `fd` */
	PIT_IO_FILE, /* opens `path` below directory `fd` (AT_FDCWD) with `flags`, reads from it, closes it. -ESPIPE for
			a FIFO and -ENXIO for a socket, without waiting; -ESPIPE also for other things that are not
			regular files, but a ring's own table of files hides those: devices are read there */
	PIT_IO_FSYNC, /* of `fd`, data and what is needed to find it (fdatasync when `flags` is 1) */
};

typedef void (*pit_io_fn)(struct pit_io_op *op);

/* The caller fills in the first part and keeps it and the buffer until `done` is called, by pit_io_wait(), in the
 * engine's thread; more operations may be submitted there, also this one again. */
struct pit_io_op {
	enum pit_io_kind kind;
	int fd;
	const char *path;
	int flags; /* PIT_IO_FILE: of open, O_RDONLY | O_CLOEXEC are added; when O_DIRECT is refused it is left out */
	bool dontcache; /* with RWF_DONTCACHE */
	bool waits; /* PIT_IO_FILE: the file system knows no RWF_NOWAIT, so that reads are not to be tried at once */
	void *buf;
	size_t len;    /* with O_DIRECT: aligned, and it may go beyond the end of the file */
	size_t enough; /* of a read: done when so many bytes are there, without looking for the end of file; 0: `len` */
	uint64_t offset;
	pit_io_fn done;
	void *arg;

	int64_t res; /* bytes (fewer than `len`: the file ended there), or -errno; -ENOSPC, -EIO and others as the
			kernel said */

	/* the engine's */
	struct pit_io_op *next;
	size_t got, before; /* bytes through; how many there were when the last of them turned out to be unaligned */
	int own_fd;         /* of PIT_IO_FILE: a descriptor, or a slot of the ring's table */
	unsigned step, tries;
	bool slot, cached, undirected; /* own_fd is a slot; without RWF_DONTCACHE; without O_DIRECT */
};

/* `depth` requests at most are in the kernel at once. The engine taken and the ones refused go to ladder "engine". Only
 * what `want` insists on can fail for lack of support. */
int pit_io_open(const struct pit_io_want *want, struct pit_ladder *l, struct pit_io **ret, struct pit_error *err);

/* Waits for what is in the kernel; what has not been handed to it, or is submitted meanwhile, completes with
 * -ECANCELED. To be called in the thread that it belongs to, unless nothing is under way. NULL is fine. */
void pit_io_close(struct pit_io *io);
#define pit_auto_io PIT_CLEANUP(pit_cleanup_io)
static inline void pit_cleanup_io(struct pit_io **io)
{
	pit_io_close(*io);
}

/* Registers `count` pieces of memory (a pool's) for the engine with registered buffers: buffers inside of them are then
 * used so. A refusal is reported on the ladder and is no error. Before the first submit; -EBUSY later. */
struct iovec;
int pit_io_register(struct pit_io *io, const struct iovec *pieces, unsigned count, struct pit_ladder *l);

/* Queues an operation; never blocks, never fails: errors come by `done`. What exceeds the depth waits in order. */
void pit_io_submit(struct pit_io *io, struct pit_io_op *op);

/* Hands everything queued to the kernel and waits until at least one operation has completed, `timeout_ns` (-1:
 * forever) has passed, or pit_io_wake(). Calls `done` of all that have. Gives how many; 0 at once when nothing is under
 * way and timeout is -1; -errno only when the ring itself is broken or (-EEXIST) another thread's, -ECHILD after
 * fork(). */
int pit_io_wait(struct pit_io *io, int64_t timeout_ns);
void pit_io_wake(struct pit_io *io); /* from any thread: the wait under way, or the next one, ends */

unsigned pit_io_pending(const struct pit_io *io); /* submitted and not yet done */
unsigned pit_io_depth(const struct pit_io *io);
void pit_io_set_depth(struct pit_io *io, unsigned depth);     /* 1 to the depth it was opened with */
enum pit_io_engine pit_io_engine_of(const struct pit_io *io); /* the one taken */
const char *pit_io_engine_name(enum pit_io_engine engine);    /* as on the ladder */

/* The two change places, depths and all, so that who has a pointer to one uses the other from now on. -EBUSY while
 * something is under way in one of them. Neither may be in use meanwhile, nor be woken: a lock of the caller's. */
int pit_io_exchange(struct pit_io *a, struct pit_io *b);

#endif
