/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "feed/cache_dir_own.h"
#include "feed/cache_file.h"
#include "feed/thread.h"

void pit_cache_jobs_add(struct pit_cache_jobs *jobs, struct pit_cache_job *job)
{
	job->next = NULL;
	if (jobs->last)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
}

static void free_jobs(struct pit_cache_jobs *jobs)
{
	for (struct pit_cache_job *job = jobs->first, *next; job; job = next) {
		next = job->next;
		free(job);
	}
	*jobs = (struct pit_cache_jobs){0};
}

/* Without memory for it the file stays until the directory is counted again. */
void pit_cache_dir_remove_later(struct pit_cache_dir *d, uint64_t key)
{
	struct pit_cache_job *job = d->started ? malloc(sizeof(*job)) : NULL;

	if (!job)
		return;
	*job = (struct pit_cache_job){.key = key};
	pit_cache_jobs_add(&d->removals, job);
	pthread_cond_signal(&d->work);
}

static void evicted(void *arg, uint64_t key, uint64_t bytes, uint64_t value)
{
	pit_cache_dir_remove_later(arg, key);
}

void pit_cache_dir_stop(struct pit_cache_dir *d, int code, const char *what)
{
	if (d->stopped)
		return;
	d->stopped = code;
	snprintf(d->why, sizeof(d->why), "%s: %s; nothing more is admitted", what, strerror(code));
}

/* ---- opening ---- */

static int open_folder(struct pit_cache_dir *d, const char *dir, uint64_t fingerprint, struct pit_error *err)
{
	pit_auto_close int parent = -1;
	char name[20];

	snprintf(name, sizeof(name), "%016" PRIx64, fingerprint);
	if (mkdir(dir, 0777) && errno != EEXIST)
		return pit_fail(err, errno, "cannot make cache directory %s: %s", dir, strerror(errno));
	parent = TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (parent < 0)
		return pit_fail(err, errno, "cannot open cache directory %s: %s", dir, strerror(errno));
	d->dir = TEMP_FAILURE_RETRY(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (d->dir < 0 && mkdirat(parent, name, 0777) && errno != EEXIST)
		return pit_fail(err, errno, "cannot make %s/%s: %s", dir, name, strerror(errno));
	if (d->dir < 0)
		d->dir = TEMP_FAILURE_RETRY(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (d->dir < 0)
		return pit_fail(err, errno, "cannot open %s/%s: %s", dir, name, strerror(errno));
	return 0;
}

/* With its signals blocked, that for too large a file does not kill the program. */
static int start(struct pit_cache_dir *d)
{
	int rc;

	d->started = true;
	rc = pit_thread_start(&d->writer, pit_cache_writer, d);
	if (rc)
		d->started = false;
	return rc;
}

static int fill(struct pit_cache_dir *d, enum pit_policy policy, const char *dir, uint64_t fingerprint,
		struct pit_error *err)
{
	int rc = open_folder(d, dir, fingerprint, err);

	if (rc)
		return rc;
	rc = pit_policy_open(policy, d->limit, evicted, d, &d->policy);
	if (rc)
		return pit_fail(err, -rc, "cannot make a sample cache in %s: %s", dir, strerror(-rc));
	rc = pit_cache_budget_open(&d->budget, d->dir);
	if (rc) {
		pit_cache_dir_stop(d, -rc, "the cache directory cannot be written");
		return 0;
	}
	rc = start(d);
	return rc ? pit_fail(err, -rc, "cannot start the thread of a sample cache: %s", strerror(-rc)) : 0;
}

int pit_cache_dir_open(enum pit_policy policy, uint64_t bytes, const char *dir, uint64_t fingerprint,
		       struct pit_cache_dir **ret, struct pit_error *err)
{
	struct pit_cache_dir *d = malloc(sizeof(*d));
	int rc;

	if (!d)
		return pit_fail(err, ENOMEM, "no memory for a sample cache");
	*d = (struct pit_cache_dir){
		.dir = -1,
		.limit = bytes,
		.left = UINT64_MAX,
		.evicts = policy != PIT_POLICY_FILL_ONCE,
		.budget = {.users = -1, .used = -1},
	};
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->work, NULL);
	pthread_cond_init(&d->idle, NULL);
	rc = fill(d, policy, dir, fingerprint, err);
	if (rc)
		pit_cache_dir_close(d, false);
	else
		*ret = d;
	return rc;
}

static void end_writer(struct pit_cache_dir *d)
{
	pthread_mutex_lock(&d->lock);
	d->closing = true;
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->writer, NULL);
}

void pit_cache_dir_close(struct pit_cache_dir *d, bool forked)
{
	int saved = errno;

	if (!d)
		return;
	if (d->started && !forked)
		end_writer(d);
	free_jobs(&d->writes);
	free_jobs(&d->removals);
	pit_cache_budget_close(&d->budget);
	pit_cleanup_close(&d->dir);
	pit_policy_close(d->policy);
	if (!forked) {
		pthread_mutex_destroy(&d->lock);
		pthread_cond_destroy(&d->work);
		pthread_cond_destroy(&d->idle);
	}
	free(d);
	errno = saved;
}

/* ---- reading ---- */

static uint64_t cost_of(uint64_t len)
{
	return len > UINT64_MAX - PIT_CACHE_TRAILER ? UINT64_MAX : pit_cache_file_cost(len + PIT_CACHE_TRAILER);
}

static bool pending(struct pit_cache_dir *d, uint64_t key)
{
	const uint64_t *value = pit_policy_value(d->policy, key);

	return value && *value == PIT_CACHE_PENDING;
}

void pit_cache_dir_expect(struct pit_cache_dir *d, uint64_t key, uint64_t len)
{
	bool there;

	pthread_mutex_lock(&d->lock);
	there = pit_policy_has(d->policy, key) && !pending(d, key);
	pthread_mutex_unlock(&d->lock);
	if (there)
		pit_cache_file_expect(d->dir, key, len);
}

/* What reading a file told: others write and remove files, too. */
static void learn(struct pit_cache_dir *d, uint64_t key, uint64_t len, int rc)
{
	bool known = pit_policy_has(d->policy, key);

	if (rc == 1 && !known)
		pit_policy_put(d->policy, key, cost_of(len));
	if ((rc == 0 || rc == -EBADMSG) && known && !pending(d, key))
		pit_policy_drop(d->policy, key);
	if (rc == -EBADMSG) {
		d->files_bad++;
		pit_cache_dir_remove_later(d, key);
	}
}

/* Files that this process does not know of are looked for, too: another may have written them. */
int pit_cache_dir_get(struct pit_cache_dir *d, uint64_t key, void *data, uint64_t len)
{
	bool known, wait;
	int rc;

	pthread_mutex_lock(&d->lock);
	known = pit_policy_get(d->policy, key);
	wait = known && pending(d, key);
	pthread_mutex_unlock(&d->lock);
	if (wait)
		return 0;
	rc = pit_cache_file_read(d->dir, key, data, len);
	if (rc == known)
		return rc;
	pthread_mutex_lock(&d->lock);
	learn(d, key, len, rc);
	pthread_mutex_unlock(&d->lock);
	return rc == 1;
}

/* ---- offers ---- */

/* With the lock. */
static bool wanted(struct pit_cache_dir *d, uint64_t key, uint64_t cost)
{
	if (d->stopped || pit_policy_has(d->policy, key) || !pit_policy_fits(d->policy, cost))
		return false;
	return d->evicts || cost <= d->left;
}

/* Takes `len` of what may wait; a sample that is larger than all of that may wait alone. */
static bool reserve(struct pit_cache_dir *d, uint64_t key, uint64_t len)
{
	bool take;

	pthread_mutex_lock(&d->lock);
	take = wanted(d, key, cost_of(len));
	if (take && d->queued && (len > PIT_CACHE_QUEUE || d->queued > PIT_CACHE_QUEUE - len)) {
		d->passed++;
		take = false;
	}
	d->queued += take ? len : 0;
	pthread_mutex_unlock(&d->lock);
	return take;
}

static struct pit_cache_job *copy(uint64_t key, const void *data, uint64_t len)
{
	struct pit_cache_job *job = len < SIZE_MAX / 2 ? malloc(sizeof(*job) + len) : NULL;

	if (!job)
		return NULL;
	*job = (struct pit_cache_job){.key = key, .len = len};
	if (len)
		memcpy(job->data, data, len);
	return job;
}

void pit_cache_dir_put(struct pit_cache_dir *d, uint64_t key, const void *data, uint64_t len)
{
	pit_auto_free struct pit_cache_job *job = NULL;

	if (!reserve(d, key, len))
		return;
	job = copy(key, data, len);
	pthread_mutex_lock(&d->lock);
	/* Another thread may have offered it meanwhile. */
	if (job && wanted(d, key, cost_of(len)) && pit_policy_put(d->policy, key, cost_of(len))) {
		*pit_policy_value(d->policy, key) = PIT_CACHE_PENDING;
		pit_cache_jobs_add(&d->writes, pit_take(job));
		pthread_cond_signal(&d->work);
	} else {
		d->queued -= len;
	}
	pthread_mutex_unlock(&d->lock);
}

void pit_cache_dir_flush(struct pit_cache_dir *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->started && (d->writes.first || d->removals.first || d->busy || !d->counted))
		pthread_cond_wait(&d->idle, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

void pit_cache_dir_stats(struct pit_cache_dir *d, struct pit_sample_cache_stats *ret)
{
	pthread_mutex_lock(&d->lock);
	ret->files_bad = d->files_bad;
	ret->passed = d->passed;
	ret->stopped = d->stopped;
	memcpy(ret->why, d->why, sizeof(ret->why));
	ret->used = d->started && d->counted ? pit_cache_budget_used(&d->budget) : pit_policy_bytes(d->policy);
	pthread_mutex_unlock(&d->lock);
}
