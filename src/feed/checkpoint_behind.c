/* SPDX-License-Identifier: MIT */
#include "feed/checkpoint_behind.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "feed/thread.h"

struct task {
	pit_behind_fn fn;
	void *arg;
	struct task *next;
};

struct pit_behind {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task *first, **last;
	bool running, closing, started;
	pthread_t thread;
	int rc;
	struct pit_error err;
	uint64_t time;
};

struct pit_behind *pit_behind_open(void)
{
	struct pit_behind *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	b->last = &b->first;
	return b;
}

/* With the lock held, which is given up meanwhile. */
static void run_first(struct pit_behind *b)
{
	struct task *t = b->first;
	struct pit_error err = PIT_ERROR_INIT;
	bool failed = b->rc != 0;
	int64_t start = pit_now();
	int rc;

	b->first = t->next;
	if (!b->first)
		b->last = &b->first;
	b->running = true;
	pthread_mutex_unlock(&b->lock);
	rc = t->fn(t->arg, failed, &err);
	free(t);
	pthread_mutex_lock(&b->lock);
	b->running = false;
	b->time += (uint64_t)(pit_now() - start);
	if (rc && !b->rc) {
		b->rc = rc;
		b->err = err;
	}
	pthread_cond_broadcast(&b->changed);
}

static void *work(void *arg)
{
	struct pit_behind *b = arg;

	pthread_mutex_lock(&b->lock);
	while (!b->closing || b->first) {
		if (b->first)
			run_first(b);
		else
			pthread_cond_wait(&b->changed, &b->lock);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

static int start(struct pit_behind *b)
{
	int rc;

	if (b->started)
		return 0;
	rc = pit_thread_start(&b->thread, work, b);
	b->started = !rc;
	return rc;
}

int pit_behind_do(struct pit_behind *b, pit_behind_fn fn, void *arg)
{
	struct task *t = malloc(sizeof(*t));
	int rc = t ? start(b) : -ENOMEM;

	if (rc) {
		free(t);
		return rc;
	}
	*t = (struct task){.fn = fn, .arg = arg};
	pthread_mutex_lock(&b->lock);
	*b->last = t;
	b->last = &t->next;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	return 0;
}

/* With the lock held. */
static int take_error(struct pit_behind *b, struct pit_error *err)
{
	int rc = b->rc;

	if (rc && err)
		*err = b->err;
	b->rc = 0;
	return rc;
}

int pit_behind_wait(struct pit_behind *b, struct pit_error *err)
{
	int rc;

	pthread_mutex_lock(&b->lock);
	while (b->first || b->running)
		pthread_cond_wait(&b->changed, &b->lock);
	rc = take_error(b, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

int pit_behind_failed(struct pit_behind *b, struct pit_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&b->lock);
	if (!b->first && !b->running)
		rc = take_error(b, err);
	pthread_mutex_unlock(&b->lock);
	return rc;
}

bool pit_behind_busy(struct pit_behind *b)
{
	bool busy;

	pthread_mutex_lock(&b->lock);
	busy = b->first || b->running;
	pthread_mutex_unlock(&b->lock);
	return busy;
}

uint64_t pit_behind_time(struct pit_behind *b)
{
	uint64_t time;

	pthread_mutex_lock(&b->lock);
	time = b->time;
	pthread_mutex_unlock(&b->lock);
	return time;
}

void pit_behind_close(struct pit_behind *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->closing = true;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
	if (b->started)
		pthread_join(b->thread, NULL);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
