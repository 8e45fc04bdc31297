/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/policy.h"

const char *const pit_policy_names[] = {"fill-once", "lru", "lfu", "clock", "s3-fifo", "fifo", NULL};

int pit_policy_open(enum pit_policy policy, uint64_t bytes, pit_evicted evicted, void *arg,
		    struct pit_policy_cache **ret)
{
	return -ENOSYS;
}

void pit_policy_close(struct pit_policy_cache *c)
{
}

bool pit_policy_get(struct pit_policy_cache *c, uint64_t key)
{
	return 0;
}

bool pit_policy_put(struct pit_policy_cache *c, uint64_t key, uint64_t bytes)
{
	return 0;
}

bool pit_policy_has(const struct pit_policy_cache *c, uint64_t key)
{
	return 0;
}

void pit_policy_drop(struct pit_policy_cache *c, uint64_t key)
{
}

uint64_t pit_policy_bytes(const struct pit_policy_cache *c)
{
	return 0;
}
