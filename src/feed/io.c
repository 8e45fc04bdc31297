/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/io.h"

int pit_io_open(const struct pit_io_want *want, struct pit_ladder *l, struct pit_io **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_io_close(struct pit_io *io)
{
}

int pit_io_register(struct pit_io *io, const struct iovec *pieces, unsigned count, struct pit_ladder *l)
{
	return -ENOSYS;
}

void pit_io_submit(struct pit_io *io, struct pit_io_op *op)
{
}

int pit_io_wait(struct pit_io *io, int64_t timeout_ns)
{
	return -ENOSYS;
}

void pit_io_wake(struct pit_io *io)
{
}

unsigned pit_io_pending(const struct pit_io *io)
{
	return 0;
}

unsigned pit_io_depth(const struct pit_io *io)
{
	return 0;
}

void pit_io_set_depth(struct pit_io *io, unsigned depth)
{
}

enum pit_io_engine pit_io_engine_of(const struct pit_io *io)
{
	return 0;
}
