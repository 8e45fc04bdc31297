/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/cache_budget.h"

#define LOCK_WAIT (1000 * PIT_MS) /* the holder was stopped when it takes longer: no admission is worth waiting for */

int pit_cache_budget_open(struct pit_cache_budget *b, int dir)
{
	*b = (struct pit_cache_budget){.users = -1, .used = -1};
	b->users = TEMP_FAILURE_RETRY(openat(dir, "users", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
	if (b->users >= 0)
		b->used = TEMP_FAILURE_RETRY(openat(dir, "used", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
	if (b->used < 0) {
		int rc = -errno;

		pit_cache_budget_close(b);
		return rc;
	}
	return 0;
}

void pit_cache_budget_close(struct pit_cache_budget *b)
{
	pit_cleanup_close(&b->used);
	pit_cleanup_close(&b->users);
	b->used = b->users = -1;
}

int pit_cache_budget_join(struct pit_cache_budget *b)
{
	if (!flock(b->users, LOCK_EX | LOCK_NB))
		return 1;
	if (errno == EWOULDBLOCK && !flock(b->users, LOCK_SH | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK || errno == EINTR)
		return -EAGAIN;
	b->lockless = true;
	return 1;
}

int pit_cache_budget_share(struct pit_cache_budget *b)
{
	return !b->lockless && flock(b->users, LOCK_SH | LOCK_NB) ? -EAGAIN : 0;
}

static uint64_t load(const struct pit_cache_budget *b)
{
	uint64_t value = 0;

	if (pread(b->used, &value, sizeof(value), 0) != sizeof(value))
		return 0;
	return le64toh(value);
}

static int store(struct pit_cache_budget *b, uint64_t bytes)
{
	uint64_t value = htole64(bytes);
	ssize_t n = pwrite(b->used, &value, sizeof(value), 0);

	return n == sizeof(value) ? 0 : n < 0 ? -errno : -EIO;
}

static int lock(struct pit_cache_budget *b)
{
	int64_t start = pit_now();

	while (!b->lockless && flock(b->used, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (pit_now() - start > LOCK_WAIT)
			return -ETIMEDOUT;
		usleep(200);
	}
	return 0;
}

static void unlock(struct pit_cache_budget *b)
{
	if (!b->lockless)
		flock(b->used, LOCK_UN);
}

int pit_cache_budget_set(struct pit_cache_budget *b, uint64_t bytes)
{
	return store(b, bytes);
}

int pit_cache_budget_take(struct pit_cache_budget *b, uint64_t bytes, uint64_t limit, uint64_t *ret_left)
{
	uint64_t used, left;
	int rc = lock(b);

	if (rc)
		return rc;
	used = load(b);
	left = used < limit ? limit - used : 0;
	if (bytes <= left)
		rc = store(b, used + bytes) ?: 1;
	*ret_left = rc == 1 ? left - bytes : left;
	unlock(b);
	return rc;
}

void pit_cache_budget_give(struct pit_cache_budget *b, uint64_t bytes)
{
	uint64_t used;

	if (lock(b))
		return;
	used = load(b);
	store(b, used - (bytes < used ? bytes : used));
	unlock(b);
}

uint64_t pit_cache_budget_used(const struct pit_cache_budget *b)
{
	return load(b);
}
