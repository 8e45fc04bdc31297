/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "base/event.h"

int pit_loop_open(struct pit_loop **ret)
{
	return -ENOSYS;
}

void pit_loop_close(struct pit_loop *l)
{
}

int pit_loop_watch(struct pit_loop *l, int fd, uint32_t events, pit_loop_fn fn, void *arg)
{
	return -ENOSYS;
}

void pit_loop_unwatch(struct pit_loop *l, int fd)
{
}

int pit_loop_at(struct pit_loop *l, int64_t at, pit_loop_fn fn, void *arg)
{
	return -ENOSYS;
}

void pit_loop_cancel(struct pit_loop *l, int id)
{
}

int pit_loop_run(struct pit_loop *l)
{
	return -ENOSYS;
}
