/* SPDX-License-Identifier: MIT
 *
 * What comes after what in an operation, the same for every engine. Tests put faults between the kernel and this file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/uio.h>

#include "feed/disk.h"
#include "feed/io_parts.h"

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

enum {
	TRIES = 1000,   /* in vain, a millisecond apart: then that is the answer */
	SECTOR = 512,   /* O_DIRECT: smallest alignment that file systems ask for */
	PAGE = 4096,    /* and the one that suits them all */
	MOST = 1 << 30, /* of one request: read() itself ends at 2 GiB less a page */
};

void pit_io_begin(struct pit_io_op *op)
{
	op->next = NULL;
	op->got = op->before = 0;
	op->own_fd = -1;
	op->tries = 0;
	op->slot = op->cached = op->undirected = false;
	op->res = 0;
	op->step = op->kind == PIT_IO_FILE ? PIT_STEP_OPEN : op->kind == PIT_IO_FSYNC ? PIT_STEP_SYNC : PIT_STEP_MOVE;
}

int pit_io_open_flags(const struct pit_io_op *op)
{
	int flags = op->flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK;

	return op->undirected ? flags & ~O_DIRECT : flags;
}

struct pit_io_move pit_io_move_of(const struct pit_io_op *op)
{
	size_t left = op->len - op->got;

	return (struct pit_io_move){
		.fd = op->kind == PIT_IO_FILE ? op->own_fd : op->fd,
		.buf = op->buf ? (char *)op->buf + op->got : NULL, /* of an operation of no bytes */
		.len = left < MOST ? left : MOST,
		.offset = op->offset + op->got,
		.rwf = op->dontcache && !op->cached ? RWF_DONTCACHE : 0,
	};
}

static bool finish(struct pit_io_op *op, int64_t res)
{
	op->res = res;
	if (op->kind == PIT_IO_FILE && op->step != PIT_STEP_OPEN) {
		op->step = PIT_STEP_CLOSE;
		op->tries = 0;
		return false;
	}
	return true;
}

static bool again(struct pit_io_op *op, int64_t res)
{
	return ++op->tries < TRIES ? false : finish(op, res);
}

static bool opened(struct pit_io_op *op, int64_t res)
{
	/* too many files are open: others of this engine are closed soon */
	if (res == -EINTR || res == -EAGAIN || res == -EMFILE || res == -ENFILE)
		return again(op, res);
	if (res == -EINVAL && pit_io_open_flags(op) & O_DIRECT) {
		op->undirected = true;
		return false;
	}
	if (res < 0)
		return finish(op, res);
	op->tries = 0;
	op->step = op->slot ? PIT_STEP_LOOK : PIT_STEP_MOVE;
	if (op->slot)
		return false;
	op->own_fd = (int)res;
	res = pit_disk_only_file(op->own_fd);
	return res < 0 ? finish(op, res) : false;
}

static bool looked(struct pit_io_op *op, int64_t res)
{
	if (res == -EINTR || res == -EAGAIN)
		return again(op, res);
	if (res == -ESPIPE)
		return finish(op, res);
	op->tries = 0;
	op->step = PIT_STEP_MOVE;
	return false;
}

/* The file was opened with O_DIRECT, and reading refuses it. A slot has no flags that could be changed: it is opened
 * anew, in the same place. */
static bool without_direct(struct pit_io_op *op)
{
	op->undirected = true;
	if (op->slot)
		op->step = PIT_STEP_OPEN;
	else if (fcntl(op->own_fd, F_SETFL, pit_io_open_flags(op) & ~O_NONBLOCK) < 0)
		return finish(op, -errno);
	return false;
}

static bool refused(struct pit_io_op *op, int64_t res)
{
	if (res == -EINTR || res == -EAGAIN)
		return again(op, res);
	if (op->dontcache && !op->cached && (res == -EOPNOTSUPP || res == -EINVAL || res == -ENOSYS)) {
		op->cached = true;
		return false;
	}
	/* The rest of a short direct transfer: it begins where direct transfers must not. From the page's start again.
	 */
	if (res == -EINVAL && op->got % SECTOR) {
		op->before = op->got;
		op->got = op->got / PAGE * PAGE;
		return again(op, res);
	}
	if (res == -EINVAL && op->kind == PIT_IO_FILE && !op->got && pit_io_open_flags(op) & O_DIRECT)
		return without_direct(op);
	return finish(op, res);
}

static bool moved(struct pit_io_op *op, int64_t res)
{
	size_t enough = op->kind != PIT_IO_WRITE && op->enough && op->enough < op->len ? op->enough : op->len;

	if (res < 0)
		return refused(op, res);
	op->got += (size_t)res;
	if (op->got >= enough)
		return finish(op, (int64_t)op->got);
	if (!res || op->got == op->before)
		return finish(op, op->kind == PIT_IO_WRITE ? -EIO : (int64_t)op->got);
	if (!op->before)
		op->tries = 0;
	return false;
}

bool pit_io_complete(struct pit_io_op *op, int64_t res)
{
	switch ((enum pit_io_step)op->step) {
	case PIT_STEP_OPEN:
		return opened(op, res);
	case PIT_STEP_LOOK:
		return looked(op, res);
	case PIT_STEP_MOVE:
		return moved(op, res);
	case PIT_STEP_SYNC:
		op->res = res;
		return true;
	case PIT_STEP_CLOSE:
		break;
	}
	return true;
}
