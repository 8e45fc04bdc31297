/* SPDX-License-Identifier: MIT
 *
 * Between cache_dir.c, what callers do, and cache_writer.c, the thread.
 */
#ifndef PIT_FEED_CACHE_DIR_OWN_H
#define PIT_FEED_CACHE_DIR_OWN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "feed/cache_budget.h"
#include "feed/cache_dir.h"
#include "feed/policy.h"

struct pit_cache_job { /* a sample to be written, or (without data) a file to be removed */
	struct pit_cache_job *next;
	uint64_t key, len;
	unsigned char data[];
};

struct pit_cache_jobs {
	struct pit_cache_job *first, *last;
};

enum { PIT_CACHE_WRITTEN, PIT_CACHE_PENDING }; /* values of keys */

struct pit_cache_dir {
	pthread_mutex_t lock; /* of everything below but `budget` */
	pthread_cond_t work, idle;
	pthread_t writer;
	bool started, closing, counted; /* counted: what was there is known, admitting goes on */
	struct pit_policy_cache *policy;
	bool evicts;
	uint64_t limit, left; /* bytes for all; left: of a policy that never evicts, when last looked */
	struct pit_cache_jobs writes, removals;
	uint64_t queued; /* bytes of `writes` and of the one under way */
	unsigned busy;   /* jobs under way */
	int dir;
	struct pit_cache_budget budget; /* the writer's */
	uint64_t files_bad, passed;
	int stopped;
	char why[160];
};

void pit_cache_jobs_add(struct pit_cache_jobs *jobs, struct pit_cache_job *job);
void pit_cache_dir_remove_later(struct pit_cache_dir *d, uint64_t key);       /* with the lock */
void pit_cache_dir_stop(struct pit_cache_dir *d, int code, const char *what); /* with the lock; the first one counts */
void *pit_cache_writer(void *dir);                                            /* the thread */

#endif
