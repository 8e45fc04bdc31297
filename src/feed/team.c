/* SPDX-License-Identifier: MIT */
#include "feed/team.h"
#include "feed/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define MOST_THREADS 64

struct pit_team {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct pit_team_task *first, **last;
	bool spare_left, closing;
	pit_team_fn spare;
	void *arg;
	unsigned threads;
	pthread_t thread[MOST_THREADS];
};

unsigned pit_team_size(unsigned most)
{
	unsigned n = 1;
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = (unsigned)CPU_COUNT(&set);
	if (most > MOST_THREADS)
		most = MOST_THREADS;
	return n < 1 ? 1 : n > most ? most : n;
}

/* With the lock held. */
static struct pit_team_task *take_task(struct pit_team *t)
{
	struct pit_team_task *task = t->first;

	if (task) {
		t->first = task->next;
		if (!t->first)
			t->last = &t->first;
	}
	return task;
}

void pit_team_help(struct pit_team *t)
{
	struct pit_team_task *task;

	do {
		pthread_mutex_lock(&t->lock);
		task = take_task(t);
		pthread_mutex_unlock(&t->lock);
		if (task)
			task->fn(task);
	} while (task);
}

static void do_spare(struct pit_team *t)
{
	if (t->spare(t, t->arg))
		return;
	pthread_mutex_lock(&t->lock);
	t->spare_left = false;
	pthread_mutex_unlock(&t->lock);
}

static void *work(void *arg)
{
	struct pit_team *t = arg;
	struct pit_team_task *task;
	bool spare, end;

	do {
		pthread_mutex_lock(&t->lock);
		while (!t->first && !t->spare_left && !t->closing)
			pthread_cond_wait(&t->work, &t->lock);
		task = take_task(t);
		spare = !task && t->spare_left;
		end = !task && !spare;
		pthread_mutex_unlock(&t->lock);
		if (task)
			task->fn(task);
		else if (spare)
			do_spare(t);
	} while (!end);
	return NULL;
}

static void start_threads(struct pit_team *t, unsigned threads)
{
	while (t->threads < threads && t->threads < MOST_THREADS && !pit_thread_start(&t->thread[t->threads], work, t))
		t->threads++;
}

struct pit_team *pit_team_open(unsigned threads, pit_team_fn spare, void *arg)
{
	struct pit_team *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
	t->last = &t->first;
	t->spare = spare;
	t->arg = arg;
	t->spare_left = spare != NULL;
	start_threads(t, threads);
	return t;
}

void pit_team_do(struct pit_team *t, struct pit_team_task *task)
{
	if (!t->threads) {
		task->fn(task);
		return;
	}
	task->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->last = task;
	t->last = &task->next;
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

void pit_team_finish(struct pit_team *t)
{
	if (!t)
		return;
	pit_team_help(t);
	while (t->spare && t->spare(t, t->arg))
		pit_team_help(t);
	pthread_mutex_lock(&t->lock);
	t->closing = true;
	t->spare_left = false;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	for (unsigned i = 0; i < t->threads; i++)
		pthread_join(t->thread[i], NULL);
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
