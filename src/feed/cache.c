/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/cache.h"

int pit_sample_cache_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
			  struct pit_sample_cache **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_sample_cache_close(struct pit_sample_cache *c)
{
}

int pit_sample_cache_get(struct pit_sample_cache *c, uint64_t key, void *data, uint64_t len)
{
	return -ENOSYS;
}

void pit_sample_cache_put(struct pit_sample_cache *c, uint64_t key, const void *data, uint64_t len)
{
}

void pit_sample_cache_stats(const struct pit_sample_cache *c, struct pit_sample_cache_stats *ret)
{
}
