/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/share.h"
#include "feed/store.h"

#define FIRST (8 << 20) /* of the memory of a large batch, there before reading begins */
#define ALIVE_MOST 4096 /* batches, however small: the pool's list of pieces stays short */

int pit_store_open(struct pit_pool *pool, struct pit_store **ret)
{
	struct pit_store *s = calloc(1, sizeof(*s));
	struct pit_bell *bell = s ? pit_pool_get(pool, sizeof(*bell)) : NULL;

	if (!bell) {
		free(s);
		pit_pool_unref(pool);
		return -ENOMEM;
	}
	*bell = (struct pit_bell){0};
	atomic_init(&s->refs, 1);
	s->pid = getpid();
	s->pool = pool;
	s->bell = bell;
	pthread_mutex_init(&s->lock, NULL);
	*ret = s;
	return 0;
}

struct pit_store *pit_store_ref(struct pit_store *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void pit_store_unref(struct pit_store *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&s->lock);
	pit_pool_unref(s->pool);
	free(s);
}

void pit_bell_ring(_Atomic uint32_t *rung, _Atomic uint32_t *waits)
{
	atomic_fetch_add(rung, 1);
	if (atomic_load(waits))
		syscall(SYS_futex, rung, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void pit_store_ring(struct pit_store *s)
{
	pit_bell_ring(&s->bell->rung, &s->bell->waits);
	pthread_mutex_lock(&s->lock);
	if (s->io)
		pit_io_wake(s->io);
	pthread_mutex_unlock(&s->lock);
}

void pit_store_sleep(struct pit_store *s, uint32_t rung, int64_t timeout_ns)
{
	struct timespec t = {
		.tv_sec = timeout_ns / (1000 * PIT_MS),
		.tv_nsec = timeout_ns % (1000 * PIT_MS),
	};

	atomic_store(&s->bell->waits, 1);
	syscall(SYS_futex, &s->bell->rung, FUTEX_WAIT, rung, timeout_ns < 0 ? NULL : &t, NULL, 0);
	atomic_store(&s->bell->waits, 0);
}

/* Whoever closes the loader does not wait until all of it is there. */
static struct pit_pool *own_pool(struct pit_store *s, uint64_t bytes, struct pit_error *err)
{
	static const struct pit_io_want want = {.pages = PIT_PAGES_PLAIN, .lock = PIT_LOCK_NONE};
	struct pit_pool *p = NULL;

	if (pit_pool_open_soon(bytes, FIRST, &want, NULL, &p, err))
		return NULL;
	pthread_mutex_lock(&s->lock);
	s->extra += pit_pool_size(p);
	if (s->extra > s->most)
		s->most = s->extra;
	pthread_mutex_unlock(&s->lock);
	return p;
}

/* Takes over the reference to the pool. */
static int get_from(struct pit_store *s, struct pit_pool *p, uint64_t bytes, struct pit_batch **ret)
{
	struct pit_batch *b = calloc(1, sizeof(*b));
	void *piece = b ? pit_pool_get(p, bytes) : NULL;

	if (!piece) {
		pit_pool_unref(p);
		free(b);
		return b ? -EAGAIN : -ENOMEM;
	}
	b->head = piece;
	b->pool = p;
	b->store = pit_store_ref(s);
	b->pid = s->pid;
	b->pidfd = -1;
	*ret = b;
	return 0;
}

int pit_store_get(struct pit_store *s, uint64_t bytes, bool large, struct pit_batch **ret, struct pit_error *err)
{
	struct pit_pool *p;
	bool many;
	int rc;

	pthread_mutex_lock(&s->lock);
	many = s->alive >= ALIVE_MOST || (large && s->alive > s->out);
	s->alive += !many;
	pthread_mutex_unlock(&s->lock);
	if (many)
		return -EAGAIN;
	p = large ? own_pool(s, bytes, err) : pit_pool_ref(s->pool);
	rc = p ? get_from(s, p, bytes, ret) : -ENOMEM;
	if (!rc)
		return 0;
	pthread_mutex_lock(&s->lock);
	s->alive--;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void pit_store_put(struct pit_store *s, struct pit_batch *b)
{
	pthread_mutex_lock(&s->lock);
	s->alive--;
	s->returned++;
	if (b->pool != s->pool)
		s->extra -= pit_pool_size(b->pool);
	pthread_mutex_unlock(&s->lock);
	pit_pool_put(b->pool, b->head);
	pit_pool_unref(b->pool);
	pit_cleanup_close(&b->pidfd);
	free(b);
	if (atomic_load(&s->starves))
		pit_store_ring(s);
	pit_store_unref(s);
}

int pit_store_lend(struct pit_store *s, struct pit_batch *b)
{
	bool retired;

	pthread_mutex_lock(&s->lock);
	retired = s->retired;
	if (!retired) {
		b->next = s->lent;
		s->lent = b;
	}
	pthread_mutex_unlock(&s->lock);
	if (!retired && atomic_load(&s->starves)) /* from now on it has to look who has ended */
		pit_store_ring(s);
	return retired ? -EINVAL : 0;
}

/* The process that has the number now is another one. */
static bool is_another(const struct pit_batch *b, pid_t pid)
{
	uint64_t took = atomic_load(&b->head->began), now = took ? pit_share_began(pid) : 0;

	return now && now != took;
}

static bool has_ended(struct pit_batch *b, pid_t pid)
{
	struct pollfd p = {.events = POLLIN};

	if (b->pidfd < 0) {
		b->pidfd = syscall(SYS_pidfd_open, pid, 0);
		if ((b->pidfd < 0 && (errno == ESRCH || (kill(pid, 0) && errno == ESRCH))) || is_another(b, pid))
			return true;
	}
	p.fd = b->pidfd;
	return b->pidfd >= 0 && poll(&p, 1, 0) == 1;
}

static bool is_back(struct pit_batch *b)
{
	uint64_t lease = atomic_load(&b->head->lease);

	if (lease >> 32 == PIT_LEASE_RETURNED)
		return true;
	return lease >> 32 == PIT_LEASE_TAKEN && has_ended(b, (uint32_t)lease);
}

/* Takes those out of the list that are back, or all that nobody has taken. */
static struct pit_batch *unlink_back(struct pit_store *s, bool retire, unsigned *ret_left)
{
	struct pit_batch **at = &s->lent, *back = NULL;

	*ret_left = 0;
	while (*at) {
		struct pit_batch *b = *at;
		uint64_t offered = (uint64_t)PIT_LEASE_OFFERED << 32;

		if (retire)
			atomic_compare_exchange_strong(&b->head->lease, &offered, (uint64_t)PIT_LEASE_RETURNED << 32);
		if (retire || is_back(b)) {
			*at = b->next;
			b->next = back;
			back = b;
			s->out--;
		} else {
			at = &b->next;
			++*ret_left;
		}
	}
	return back;
}

static unsigned collect(struct pit_store *s, bool retire)
{
	struct pit_batch *back, *next;
	unsigned left;

	pthread_mutex_lock(&s->lock);
	back = unlink_back(s, retire, &left);
	pthread_mutex_unlock(&s->lock);
	for (; back; back = next) {
		next = back->next;
		pit_store_put(s, back);
	}
	return left;
}

unsigned pit_store_collect(struct pit_store *s)
{
	return collect(s, false);
}

/* What others hold stays theirs: they have mapped it, and nothing reads into it any more. */
void pit_store_retire(struct pit_store *s)
{
	pthread_mutex_lock(&s->lock);
	s->io = NULL;
	s->retired = true;
	pthread_mutex_unlock(&s->lock);
	collect(s, true);
}
