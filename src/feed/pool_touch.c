/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "feed/pool_pages.h"
#include "feed/thread.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define THREADS_MOST 8
#define STEP (UINT64_C(8) << 20)        /* bytes between looks whether to stop */
#define PART_LEAST (UINT64_C(64) << 20) /* bytes for which a thread is worth its start */

struct part {
	pthread_t thread;
	bool started;
	char *base;
	size_t size, page;
	int rc;
};

static int touch_range(char *base, size_t size, size_t page)
{
	if (!madvise(base, size, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	for (size_t at = 0; at < size; at += page)
		__atomic_fetch_or(base + at, 0, __ATOMIC_RELAXED);
	return 0;
}

static void *touch(void *arg)
{
	struct part *p = arg;

	p->rc = touch_range(p->base, p->size, p->page);
	return NULL;
}

static size_t allowed_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set);
}

int pit_pages_touch(const struct pit_pages_map *m, size_t bytes)
{
	struct part parts[THREADS_MOST] = {0};
	size_t pages = (bytes + m->page - 1) / m->page, cpus = allowed_cpus(), n = bytes / PART_LEAST + 1;
	int rc = 0;

	n = n > cpus ? cpus : n;
	n = n > THREADS_MOST ? THREADS_MOST : n;
	n = n > pages ? pages : n;
	for (size_t i = 0; i < n; i++) {
		size_t begin = pages * i / n, end = pages * (i + 1) / n;

		parts[i] = (struct part){
			.base = (char *)m->base + begin * m->page,
			.size = (end - begin) * m->page,
			.page = m->page,
		};
		if (i + 1 < n)
			parts[i].started = !pit_thread_start(&parts[i].thread, touch, parts + i);
		if (!parts[i].started)
			touch(parts + i);
	}
	for (size_t i = 0; i < n; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		rc = rc ? rc : parts[i].rc;
	}
	return rc;
}

struct pit_touch {
	pthread_t thread;
	char *base;
	size_t size, page;
	atomic_bool stop;
};

static void *touch_behind(void *arg)
{
	struct pit_touch *t = arg;
	size_t step = STEP > t->page ? STEP / t->page * t->page : t->page;

	for (size_t at = 0; at < t->size && !atomic_load(&t->stop); at += step)
		if (touch_range(t->base + at, t->size - at < step ? t->size - at : step, t->page))
			break;
	return NULL;
}

struct pit_touch *pit_pages_touch_behind(const struct pit_pages_map *m, size_t from)
{
	struct pit_touch *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->base = (char *)m->base + from;
	t->size = m->size - from;
	t->page = m->page;
	if (!pit_thread_start(&t->thread, touch_behind, t))
		return t;
	free(t);
	return NULL;
}

void pit_pages_touch_end(struct pit_touch *t)
{
	if (!t)
		return;
	atomic_store(&t->stop, true);
	pthread_join(t->thread, NULL);
	free(t);
}
