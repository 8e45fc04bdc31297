/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "feed/cache_dir_own.h"
#include "feed/cache_file.h"

#define JOIN_PAUSE (20 * PIT_MS) /* between looks whether another process has counted */

/* ---- counting ---- */

struct count {
	struct pit_cache_dir *d;
	uint64_t bytes;
};

/* A file that there is no room for was written when the limit was higher. */
static int add_file(void *arg, uint64_t key, uint64_t cost)
{
	struct count *n = arg;
	struct pit_cache_dir *d = n->d;
	bool keep, closing;
	uint64_t gone;

	pthread_mutex_lock(&d->lock);
	keep = pit_policy_has(d->policy, key) || (cost <= d->limit && pit_policy_bytes(d->policy) <= d->limit - cost &&
						  pit_policy_put(d->policy, key, cost));
	closing = d->closing;
	pthread_mutex_unlock(&d->lock);
	if (keep || pit_cache_file_remove(d->dir, key, &gone))
		n->bytes += cost;
	return closing ? -ECANCELED : 0;
}

static int count(struct pit_cache_dir *d)
{
	struct count n = {.d = d};
	int rc;

	if (!d->budget.lockless)
		pit_cache_file_clean(d->dir);
	rc = pit_cache_file_list(d->dir, add_file, &n);
	return rc ? rc : pit_cache_budget_set(&d->budget, n.bytes);
}

/* False when the cache is closed before. */
static bool pause_for_others(struct pit_cache_dir *d)
{
	struct timespec until;
	bool closing;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += JOIN_PAUSE;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&d->lock);
	if (!d->closing)
		pthread_cond_timedwait(&d->work, &d->lock, &until);
	closing = d->closing;
	pthread_mutex_unlock(&d->lock);
	return !closing;
}

static void join(struct pit_cache_dir *d)
{
	int rc;

	while ((rc = pit_cache_budget_join(&d->budget))) {
		if (rc == 1)
			rc = count(d);
		if (!rc)
			rc = pit_cache_budget_share(&d->budget);
		if (rc != -EAGAIN || !pause_for_others(d))
			break;
	}
	pthread_mutex_lock(&d->lock);
	if (rc)
		pit_cache_dir_stop(d, -rc, "the files of the cache directory cannot be counted");
	d->counted = true;
	pthread_mutex_unlock(&d->lock);
}

/* ---- jobs ---- */

static struct pit_cache_job *next_of(struct pit_cache_jobs *jobs)
{
	struct pit_cache_job *job = jobs->first;

	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->last = NULL;
	return job;
}

static void give_room(struct pit_cache_dir *d, uint64_t cost)
{
	pit_cache_budget_give(&d->budget, cost);
	pthread_mutex_lock(&d->lock);
	d->left += cost < UINT64_MAX - d->left ? cost : 0;
	pthread_mutex_unlock(&d->lock);
}

/* A file whose sample came in again meanwhile stays. */
static bool unwanted(struct pit_cache_dir *d, uint64_t key)
{
	const uint64_t *value = pit_policy_value(d->policy, key);

	return !value || *value != PIT_CACHE_WRITTEN;
}

static void remove_files(struct pit_cache_dir *d)
{
	struct pit_cache_job *job;

	pthread_mutex_lock(&d->lock);
	while ((job = next_of(&d->removals))) {
		bool remove = unwanted(d, job->key);
		uint64_t cost;

		pthread_mutex_unlock(&d->lock);
		if (remove && !pit_cache_file_remove(d->dir, job->key, &cost))
			give_room(d, cost);
		free(job);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
}

/* A sample may have been evicted, or written, since it was queued. */
static bool still_wanted(struct pit_cache_dir *d, uint64_t key)
{
	const uint64_t *value;
	bool yes;

	pthread_mutex_lock(&d->lock);
	value = pit_policy_value(d->policy, key);
	yes = !d->stopped && value && *value == PIT_CACHE_PENDING;
	pthread_mutex_unlock(&d->lock);
	return yes;
}

static bool make_room(struct pit_cache_dir *d, uint64_t key)
{
	bool some;

	/* What was evicted before may still lie there. */
	pthread_mutex_lock(&d->lock);
	some = d->removals.first || pit_policy_evict(d->policy);
	pthread_mutex_unlock(&d->lock);
	remove_files(d);
	return some && still_wanted(d, key);
}

/* Takes room for a file, which others may have used up though this process knows of less: 1, 0 or -errno. */
static int take_room(struct pit_cache_dir *d, uint64_t key, uint64_t cost)
{
	uint64_t left;
	int rc;

	do {
		rc = pit_cache_budget_take(&d->budget, cost, d->limit, &left);
	} while (!rc && make_room(d, key));
	if (rc >= 0) {
		pthread_mutex_lock(&d->lock);
		d->left = left;
		pthread_mutex_unlock(&d->lock);
	}
	return rc;
}

static int write_file(struct pit_cache_dir *d, const struct pit_cache_job *job)
{
	uint64_t cost = pit_cache_file_cost(job->len + PIT_CACHE_TRAILER);
	int rc;

	if (pit_cache_file_there(d->dir, job->key))
		return 0;
	rc = take_room(d, job->key, cost);
	if (rc != 1)
		return rc ? rc : -ENOBUFS;
	rc = pit_cache_file_write(d->dir, job->key, job->data, job->len);
	if (rc)
		give_room(d, cost);
	return rc == -EEXIST ? 0 : rc;
}

/* Errors that pass: of this sample, or of the whole system for a moment. */
static bool passes(int rc)
{
	return rc == -ENOBUFS || rc == -ETIMEDOUT || rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

static void run_write(struct pit_cache_dir *d, const struct pit_cache_job *job)
{
	bool wanted = still_wanted(d, job->key);
	int rc = wanted ? write_file(d, job) : 0;
	uint64_t *value;

	pthread_mutex_lock(&d->lock);
	value = wanted ? pit_policy_value(d->policy, job->key) : NULL;
	if (value && !rc)
		*value = PIT_CACHE_WRITTEN;
	if (rc)
		pit_policy_drop(d->policy, job->key);
	if (rc && !passes(rc))
		pit_cache_dir_stop(d, -rc, "a sample could not be written to the cache directory");
	pthread_mutex_unlock(&d->lock);
}

/* Waits for work; false when all is done and the cache closes. A sample to write, if any, in `ret`. */
static bool wait_for_work(struct pit_cache_dir *d, struct pit_cache_job **ret)
{
	bool more;

	pthread_mutex_lock(&d->lock);
	d->busy = 0;
	while (!d->writes.first && !d->removals.first) {
		pthread_cond_broadcast(&d->idle);
		if (d->closing)
			break;
		pthread_cond_wait(&d->work, &d->lock);
	}
	more = d->writes.first || d->removals.first;
	d->busy = more;
	*ret = d->removals.first ? NULL : next_of(&d->writes);
	pthread_mutex_unlock(&d->lock);
	return more;
}

void *pit_cache_writer(void *dir)
{
	struct pit_cache_dir *d = dir;
	struct pit_cache_job *job;

	join(d);
	while (wait_for_work(d, &job)) {
		if (!job) {
			remove_files(d);
			continue;
		}
		run_write(d, job);
		pthread_mutex_lock(&d->lock);
		d->queued -= job->len;
		pthread_mutex_unlock(&d->lock);
		free(job);
	}
	return NULL;
}
