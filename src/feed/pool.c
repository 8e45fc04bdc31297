/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/pool.h"

int pit_pool_open(size_t bytes, const struct pit_io_want *want, struct pit_ladder *l, struct pit_pool **ret,
		  struct pit_error *err)
{
	return -ENOSYS;
}

struct pit_pool *pit_pool_ref(struct pit_pool *p)
{
	return NULL;
}

void pit_pool_unref(struct pit_pool *p)
{
}

void *pit_pool_get(struct pit_pool *p, size_t bytes)
{
	return NULL;
}

void pit_pool_put(struct pit_pool *p, void *piece)
{
}

void *pit_pool_base(const struct pit_pool *p)
{
	return NULL;
}

size_t pit_pool_size(const struct pit_pool *p)
{
	return 0;
}

size_t pit_pool_used(const struct pit_pool *p)
{
	return 0;
}

int pit_pool_fd(const struct pit_pool *p)
{
	return -ENOSYS;
}

uint64_t pit_pool_available(void)
{
	return 0;
}
