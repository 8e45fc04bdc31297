/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "pitcrew/feed.h"

int pit_loader_open(struct pit_source *s, const struct pit_loader_want *want, struct pit_loader **ret,
		    struct pit_error *err)
{
	return -ENOSYS;
}

int pit_loader_next(struct pit_loader *l, struct pit_batch **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_loader_cancel(struct pit_loader *l)
{
}

void pit_loader_close(struct pit_loader *l)
{
}

int pit_loader_epoch(struct pit_loader *l, uint64_t epoch, struct pit_error *err)
{
	return -ENOSYS;
}

uint64_t pit_loader_batches(const struct pit_loader *l)
{
	return 0;
}

int pit_loader_state(const struct pit_loader *l, char *text, size_t size, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_loader_resume(struct pit_loader *l, const char *text, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_loader_stats(const struct pit_loader *l, struct pit_loader_stats *ret)
{
}

const struct pit_ladder *pit_loader_ladder(const struct pit_loader *l)
{
	return NULL;
}

const char *pit_loader_failed(const struct pit_loader *l, unsigned n)
{
	return NULL;
}
