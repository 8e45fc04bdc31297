/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "feed/each.h"
#include "feed/pool_pages.h"
#include "feed/team.h"
#include "feed/thread.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define THREADS_MOST 8
#define STEP (UINT64_C(8) << 20)        /* bytes between looks whether to stop */
#define PART_LEAST (UINT64_C(64) << 20) /* bytes for which a thread is worth its start */

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

static int touch(void *arg, size_t from, size_t to, struct pit_error *err)
{
	const struct pit_pages_map *m = arg;

	return touch_range((char *)m->base + from * m->page, (to - from) * m->page, m->page);
}

int pit_pages_touch(const struct pit_pages_map *m, size_t bytes)
{
	size_t pages = (bytes + m->page - 1) / m->page, n = bytes / PART_LEAST + 1, most = pit_team_size(THREADS_MOST);

	n = n > most ? most : n;
	return pit_each(0, pages, (pages + n - 1) / n, n, touch, (void *)m, NULL);
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
