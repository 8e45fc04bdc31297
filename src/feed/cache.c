/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "feed/cache.h"
#include "feed/cache_dir.h"
#include "feed/cache_memory.h"

struct pit_sample_cache {
	struct pit_cache_memory *memory; /* one of the two */
	struct pit_cache_dir *dir;
	const bool *ours; /* in a page of its own, which the kernel clears in forked children */
	atomic_uint_least64_t requests, hits, hit_bytes;
};

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int mark(struct pit_sample_cache *c, struct pit_error *err)
{
	bool *ours = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ours == MAP_FAILED)
		return pit_fail(err, ENOMEM, "no memory for a sample cache");
	madvise(ours, page(), MADV_WIPEONFORK);
	*ours = true;
	c->ours = ours;
	return 0;
}

int pit_sample_cache_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
			  struct pit_sample_cache **ret, struct pit_error *err)
{
	struct pit_sample_cache *c = malloc(sizeof(*c));
	int rc;

	if (!c)
		return pit_fail(err, ENOMEM, "no memory for a sample cache");
	*c = (struct pit_sample_cache){0};
	rc = mark(c, err);
	if (!rc)
		rc = dir ? pit_cache_dir_open(policy, bytes, dir, fingerprint, &c->dir, err)
			 : pit_cache_memory_open(policy, bytes, &c->memory, err);
	if (rc)
		pit_sample_cache_close(c);
	else
		*ret = c;
	return rc;
}

void pit_sample_cache_close(struct pit_sample_cache *c)
{
	int saved = errno;

	if (!c)
		return;
	pit_cache_memory_close(c->memory, c->ours && !*c->ours);
	pit_cache_dir_close(c->dir, c->ours && !*c->ours);
	if (c->ours)
		munmap((void *)c->ours, page());
	free(c);
	errno = saved;
}

void pit_sample_cache_expect(struct pit_sample_cache *c, uint64_t key, uint64_t len)
{
	if (*c->ours && c->dir)
		pit_cache_dir_expect(c->dir, key, len);
}

int pit_sample_cache_get(struct pit_sample_cache *c, uint64_t key, void *data, uint64_t len)
{
	int rc;

	if (!*c->ours)
		return 0;
	rc = c->dir ? pit_cache_dir_get(c->dir, key, data, len) : pit_cache_memory_get(c->memory, key, data, len);
	atomic_fetch_add_explicit(&c->requests, 1, memory_order_relaxed);
	if (rc) {
		atomic_fetch_add_explicit(&c->hits, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&c->hit_bytes, len, memory_order_relaxed);
	}
	return rc;
}

void pit_sample_cache_put(struct pit_sample_cache *c, uint64_t key, const void *data, uint64_t len)
{
	if (!*c->ours)
		return;
	if (c->dir)
		pit_cache_dir_put(c->dir, key, data, len);
	else
		pit_cache_memory_put(c->memory, key, data, len);
}

void pit_sample_cache_flush(struct pit_sample_cache *c)
{
	if (*c->ours && c->dir)
		pit_cache_dir_flush(c->dir);
}

void pit_sample_cache_stats(const struct pit_sample_cache *c, struct pit_sample_cache_stats *ret)
{
	struct pit_sample_cache_stats s = {
		.requests = atomic_load(&c->requests),
		.hits = atomic_load(&c->hits),
		.hit_bytes = atomic_load(&c->hit_bytes),
	};

	if (*c->ours && c->dir)
		pit_cache_dir_stats(c->dir, &s);
	else if (*c->ours)
		s.used = pit_cache_memory_used(c->memory);
	*ret = s;
}
