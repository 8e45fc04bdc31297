/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>

#include "feed/each.h"
#include "feed/thread.h"

#define THREADS_MOST 64

struct each {
	pit_each_fn fn;
	void *arg;
	size_t to, piece;
	atomic_size_t next; /* round that nobody has taken yet */
	atomic_int rc;
	struct pit_error err; /* of whoever has set rc */
};

static void *work(void *arg)
{
	struct each *e = arg;

	while (!atomic_load(&e->rc)) {
		size_t from = atomic_fetch_add(&e->next, e->piece);
		struct pit_error err = PIT_ERROR_INIT;
		int rc, none = 0;

		if (from >= e->to)
			break;
		rc = e->fn(e->arg, from, e->to - from < e->piece ? e->to : from + e->piece, &err);
		if (rc && atomic_compare_exchange_strong(&e->rc, &none, rc))
			e->err = err;
	}
	return NULL;
}

int pit_each(size_t from, size_t to, size_t piece, unsigned threads, pit_each_fn fn, void *arg, struct pit_error *err)
{
	struct each e = {.fn = fn, .arg = arg, .to = to, .piece = piece, .next = from};
	size_t pieces = from < to ? (to - from + piece - 1) / piece : 0;
	pthread_t thread[THREADS_MOST];
	unsigned started = 0;

	while (started < THREADS_MOST && started + 1 < threads && started + 1 < pieces &&
	       !pit_thread_start(&thread[started], work, &e))
		started++;
	work(&e);
	while (started)
		pthread_join(thread[--started], NULL);
	if (e.rc && err)
		*err = e.err;
	return e.rc;
}
