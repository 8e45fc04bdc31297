/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "feed/pool_pages.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define THREADS_MOST 8
#define PART_LEAST (UINT64_C(64) << 20) /* bytes for which a thread is worth its start */

struct part {
	pthread_t thread;
	bool started;
	char *base;
	size_t size, page;
	int rc;
};

static void *touch(void *arg)
{
	struct part *p = arg;

	if (!madvise(p->base, p->size, MADV_POPULATE_WRITE))
		return NULL;
	if (errno != EINVAL) {
		p->rc = -errno;
		return NULL;
	}
	for (size_t at = 0; at < p->size; at += p->page)
		*(volatile char *)(p->base + at) = 0;
	return NULL;
}

static size_t allowed_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return CPU_COUNT(&set);
}

/* Signals are for the threads of the program. */
static void start(struct part *p)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	p->started = !pthread_create(&p->thread, NULL, touch, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int pit_pages_touch(const struct pit_pages_map *m)
{
	struct part parts[THREADS_MOST] = {0};
	size_t pages = m->size / m->page, cpus = allowed_cpus(), n = m->size / PART_LEAST + 1;
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
			start(parts + i);
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
