/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "pitcrew/feed.h"

uint32_t pit_batch_count(const struct pit_batch *b)
{
	return 0;
}

uint64_t pit_batch_sample(const struct pit_batch *b, uint32_t i)
{
	return 0;
}

const char *pit_batch_name(const struct pit_batch *b, uint32_t i)
{
	return NULL;
}

unsigned pit_batch_parts(const struct pit_batch *b, uint32_t i)
{
	return 0;
}

int pit_batch_part(const struct pit_batch *b, uint32_t i, unsigned part, struct pit_part *ret)
{
	return -ENOSYS;
}

uint64_t pit_batch_position(const struct pit_batch *b)
{
	return 0;
}

const void *pit_batch_array(const struct pit_batch *b, size_t *ret_len, size_t *ret_stride)
{
	return NULL;
}

void pit_batch_release(struct pit_batch *b)
{
}

int pit_batch_export(struct pit_batch *b, char *text, size_t size, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_batch_import(const char *text, struct pit_batch **ret, struct pit_error *err)
{
	return -ENOSYS;
}
