/* SPDX-License-Identifier: MIT */
#include "feed/thread.h"
#include "feed/weights_hands.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/cleanup.h"

#define THREADS_MOST 16

struct pit_hands {
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct pit_job *first, **last;
	bool closing;
	pthread_t threads[THREADS_MOST];
	unsigned count;
};

/* Waits for something to do; NULL when there will be nothing any more. */
static struct pit_job *take(struct pit_hands *h)
{
	struct pit_job *j;

	pthread_mutex_lock(&h->lock);
	while (!h->first && !h->closing)
		pthread_cond_wait(&h->given, &h->lock);
	j = h->first;
	if (j) {
		h->first = j->next;
		if (!h->first)
			h->last = &h->first;
	}
	pthread_mutex_unlock(&h->lock);
	return j;
}

static void *work(void *arg)
{
	struct pit_hands *h = arg;
	struct pit_job *j;

	while ((j = take(h)))
		j->run(j);
	return NULL;
}

static unsigned allowed_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

int pit_hands_open(unsigned threads, struct pit_hands **ret)
{
	struct pit_hands *h = calloc(1, sizeof(*h));
	unsigned cpus = allowed_cpus();
	int rc = 0;

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->given, NULL);
	h->last = &h->first;
	threads = threads > cpus ? cpus : threads;
	threads = threads > THREADS_MOST ? THREADS_MOST : threads;
	while (h->count < threads && !(rc = pit_thread_start(&h->threads[h->count], work, h)))
		h->count++;
	if (!h->count) {
		pit_hands_close(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void pit_hands_give(struct pit_hands *h, struct pit_job *j)
{
	j->next = NULL;
	pthread_mutex_lock(&h->lock);
	*h->last = j;
	h->last = &j->next;
	pthread_cond_signal(&h->given);
	pthread_mutex_unlock(&h->lock);
}

void pit_hands_close(struct pit_hands *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_broadcast(&h->given);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->count; i++)
		pthread_join(h->threads[i], NULL);
	pthread_cond_destroy(&h->given);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
