/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "feed/cache_blocks.h"
#include "feed/cache_memory.h"
#include "feed/policy.h"
#include "feed/pool.h"

struct item {
	uint64_t at; /* offset in the mapping, or the chain of blocks */
	uint64_t len;
	uint32_t pins; /* copies to or from it that are under way */
	uint32_t next; /* of a chain of unused items */
	bool ready;    /* its bytes are there */
	bool dead;     /* evicted; the last copy frees it */
};

struct pit_cache_memory {
	pthread_mutex_t lock;
	struct pit_policy_cache *policy; /* values are numbers of items */
	char *memory;
	uint64_t size, end;
	bool append; /* nothing is ever evicted: samples lie one behind the other up to `end` */
	struct pit_blocks blocks;
	struct item *items; /* number 0 is none */
	uint32_t room, unused;
};

static int new_item(struct pit_cache_memory *m, uint32_t *ret)
{
	uint32_t room = m->room ? m->room * 2 : 64;
	struct item *items;

	if (!m->unused) {
		items = room > m->room ? reallocarray(m->items, room, sizeof(*items)) : NULL;
		if (!items)
			return -ENOMEM;
		for (uint32_t i = room - 1; i >= (m->room ? m->room : 1); i--) {
			items[i] = (struct item){.next = m->unused};
			m->unused = i;
		}
		m->items = items;
		m->room = room;
	}
	*ret = m->unused;
	m->unused = m->items[*ret].next;
	return 0;
}

static void free_item(struct pit_cache_memory *m, uint32_t n)
{
	if (!m->append)
		pit_blocks_put(&m->blocks, (uint32_t)m->items[n].at);
	m->items[n] = (struct item){.next = m->unused};
	m->unused = n;
}

static void evicted(void *arg, uint64_t key, uint64_t bytes, uint64_t value)
{
	struct pit_cache_memory *m = arg;

	if (m->items[value].pins)
		m->items[value].dead = true;
	else
		free_item(m, (uint32_t)value);
}

static void unpin(struct pit_cache_memory *m, uint32_t n)
{
	if (!--m->items[n].pins && m->items[n].dead)
		free_item(m, n);
}

/* Forked children must not double it by writing, nor see a copy that is cut off from the index. */
static int map(struct pit_cache_memory *m, uint64_t bytes, struct pit_error *err)
{
	uint64_t available = pit_pool_available();
	char wanted[32], there[32];

	pit_format_size(bytes, wanted, sizeof(wanted));
	if (available && bytes > available)
		return pit_fail(err, ENOMEM, "a sample cache of %s: only %s of memory is available", wanted,
				pit_format_size(available, there, sizeof(there)));
	m->size = bytes ? bytes : 1;
	m->memory = m->size == (size_t)m->size ? mmap(NULL, m->size, PROT_READ | PROT_WRITE,
						      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
					       : MAP_FAILED;
	if (m->memory == MAP_FAILED)
		return pit_fail(err, ENOMEM, "a sample cache of %s: the kernel gives no such mapping", wanted);
	madvise(m->memory, m->size, MADV_HUGEPAGE);
	madvise(m->memory, m->size, MADV_DONTFORK);
	return 0;
}

static int fill(struct pit_cache_memory *m, enum pit_policy policy, uint64_t bytes, struct pit_error *err)
{
	int rc = map(m, bytes, err);

	if (rc)
		return rc;
	m->append = policy == PIT_POLICY_FILL_ONCE;
	if (!m->append && pit_blocks_open(&m->blocks, m->memory, bytes))
		return pit_fail(err, ENOMEM, "no memory for a sample cache's table of blocks");
	if (!m->append)
		bytes = (uint64_t)m->blocks.count * m->blocks.block;
	rc = pit_policy_open(policy, bytes, evicted, m, &m->policy);
	return rc ? pit_fail(err, -rc, "cannot make a sample cache: %s", strerror(-rc)) : 0;
}

int pit_cache_memory_open(enum pit_policy policy, uint64_t bytes, struct pit_cache_memory **ret, struct pit_error *err)
{
	struct pit_cache_memory *m = malloc(sizeof(*m));
	int rc;

	if (!m)
		return pit_fail(err, ENOMEM, "no memory for a sample cache");
	*m = (struct pit_cache_memory){.memory = MAP_FAILED};
	pthread_mutex_init(&m->lock, NULL);
	rc = fill(m, policy, bytes, err);
	if (rc)
		pit_cache_memory_close(m, false);
	else
		*ret = m;
	return rc;
}

void pit_cache_memory_close(struct pit_cache_memory *m, bool forked)
{
	int saved = errno;

	if (!m)
		return;
	if (m->memory != MAP_FAILED && !forked)
		munmap(m->memory, m->size);
	pit_policy_close(m->policy);
	pit_blocks_close(&m->blocks);
	free(m->items);
	if (!forked)
		pthread_mutex_destroy(&m->lock);
	free(m);
	errno = saved;
}

/* The item of a sample that can be copied now, pinned; 0: none. */
static uint32_t pin(struct pit_cache_memory *m, uint64_t key, uint64_t len, uint64_t *ret_at)
{
	uint32_t n = 0;

	pthread_mutex_lock(&m->lock);
	if (pit_policy_get(m->policy, key))
		n = (uint32_t)*pit_policy_value(m->policy, key);
	if (n && (!m->items[n].ready || m->items[n].len != len))
		n = 0;
	if (n) {
		m->items[n].pins++;
		*ret_at = m->items[n].at;
	}
	pthread_mutex_unlock(&m->lock);
	return n;
}

int pit_cache_memory_get(struct pit_cache_memory *m, uint64_t key, void *data, uint64_t len)
{
	uint64_t at;
	uint32_t n = pin(m, key, len, &at);

	if (!n)
		return 0;
	if (!m->append)
		pit_blocks_read(&m->blocks, (uint32_t)at, data, len);
	else if (len)
		memcpy(data, m->memory + at, len);
	pthread_mutex_lock(&m->lock);
	unpin(m, n);
	pthread_mutex_unlock(&m->lock);
	return 1;
}

static int place(struct pit_cache_memory *m, struct item *item)
{
	uint32_t chain;
	int rc;

	item->at = m->end;
	if (m->append) {
		m->end += item->len;
		return 0;
	}
	/* Fails while evicted samples are still being copied. */
	rc = pit_blocks_get(&m->blocks, item->len, &chain);
	item->at = rc ? 0 : chain;
	return rc;
}

/* A pinned item for a new sample, 0 when it is not admitted. */
static uint32_t admit(struct pit_cache_memory *m, uint64_t key, uint64_t len)
{
	uint64_t cost = m->append ? len : pit_blocks_cost(&m->blocks, len);
	uint32_t n;

	if (pit_policy_has(m->policy, key) || !pit_policy_fits(m->policy, cost) || new_item(m, &n))
		return 0;
	m->items[n] = (struct item){.len = len, .pins = 1};
	if (!pit_policy_put(m->policy, key, cost)) {
		m->items[n].at = 0;
		free_item(m, n);
		return 0;
	}
	*pit_policy_value(m->policy, key) = n;
	if (place(m, &m->items[n])) {
		pit_policy_drop(m->policy, key);
		free_item(m, n);
		return 0;
	}
	return n;
}

void pit_cache_memory_put(struct pit_cache_memory *m, uint64_t key, const void *data, uint64_t len)
{
	uint64_t at;
	uint32_t n;

	pthread_mutex_lock(&m->lock);
	n = admit(m, key, len);
	at = n ? m->items[n].at : 0;
	pthread_mutex_unlock(&m->lock);
	if (!n)
		return;
	if (!m->append)
		pit_blocks_write(&m->blocks, (uint32_t)at, data, len);
	else if (len)
		memcpy(m->memory + at, data, len);
	pthread_mutex_lock(&m->lock);
	m->items[n].ready = true;
	unpin(m, n);
	pthread_mutex_unlock(&m->lock);
}

uint64_t pit_cache_memory_used(struct pit_cache_memory *m)
{
	uint64_t used;

	pthread_mutex_lock(&m->lock);
	used = pit_policy_bytes(m->policy);
	pthread_mutex_unlock(&m->lock);
	return used;
}
