/* SPDX-License-Identifier: MIT */
#include "base/event.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define BATCH 64

struct watch {
	pit_loop_fn fn; /* NULL: this fd is not watched */
	void *arg;
	uint32_t events;
	uint32_t serial; /* what epoll reported of an earlier watch of this fd means nothing */
	bool always;     /* epoll does not take it: always ready */
};

struct timer {
	int64_t at;
	uint64_t order; /* the id comes from it */
	pit_loop_fn fn;
	void *arg;
};

struct pit_loop {
	int epoll;
	struct watch *watch; /* by fd */
	int watches;         /* size of `watch` */
	int watched, always; /* of these in use, and always ready */
	uint32_t serial;
	struct timer *timer; /* the next to come last; of equal ones the oldest last */
	int timers, timers_size;
	uint64_t order; /* of the newest timer */
};

static int id_of(uint64_t order)
{
	return (int)(order % INT_MAX) + 1;
}

int pit_loop_open(struct pit_loop **ret)
{
	struct pit_loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		int rc = -errno;

		free(l);
		return rc;
	}
	*ret = l;
	return 0;
}

void pit_loop_close(struct pit_loop *l)
{
	int saved = errno;

	if (!l)
		return;
	close(l->epoll);
	free(l->watch);
	free(l->timer);
	free(l);
	errno = saved;
}

static int make_room(struct pit_loop *l, int fd)
{
	int count = l->watches ? l->watches : 16;
	struct watch *more;

	if (fd < l->watches)
		return 0;
	while (count <= fd && count < INT_MAX / 2)
		count *= 2;
	more = realloc(l->watch, (size_t)count * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + l->watches, 0, (size_t)(count - l->watches) * sizeof(*more));
	l->watch = more;
	l->watches = count;
	return 0;
}

int pit_loop_watch(struct pit_loop *l, int fd, uint32_t events, pit_loop_fn fn, void *arg)
{
	struct watch w = {.fn = fn, .arg = arg, .events = events};
	struct epoll_event e = {.events = events};
	bool known;
	int rc;

	if (fd < 0)
		return -EBADF;
	rc = make_room(l, fd);
	if (rc)
		return rc;
	known = l->watch[fd].fn && !l->watch[fd].always;
	w.serial = ++l->serial;
	e.data.u64 = (uint64_t)w.serial << 32 | (uint32_t)fd;
	if (epoll_ctl(l->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e)) {
		if (errno != EPERM)
			return -errno;
		w.always = true;
	}
	l->watched += !l->watch[fd].fn;
	l->always += w.always - l->watch[fd].always;
	l->watch[fd] = w;
	return 0;
}

void pit_loop_unwatch(struct pit_loop *l, int fd)
{
	int saved = errno;

	if (fd < 0 || fd >= l->watches || !l->watch[fd].fn)
		return;
	if (!l->watch[fd].always)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, &(struct epoll_event){0});
	l->always -= l->watch[fd].always;
	l->watched--;
	l->watch[fd] = (struct watch){0};
	errno = saved;
}

int pit_loop_at(struct pit_loop *l, int64_t at, pit_loop_fn fn, void *arg)
{
	int64_t now = pit_now();
	int place = l->timers;

	if (at < now) /* no timer may be ahead of those that are due already */
		at = now;
	if (l->timers == l->timers_size) {
		int count = l->timers_size ? 2 * l->timers_size : 16;
		struct timer *more = realloc(l->timer, (size_t)count * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->timer = more;
		l->timers_size = count;
	}
	while (place && l->timer[place - 1].at <= at)
		place--;
	memmove(l->timer + place + 1, l->timer + place, (size_t)(l->timers - place) * sizeof(*l->timer));
	l->timer[place] = (struct timer){.at = at, .order = ++l->order, .fn = fn, .arg = arg};
	l->timers++;
	return id_of(l->order);
}

void pit_loop_cancel(struct pit_loop *l, int id)
{
	for (int i = 0; i < l->timers; i++)
		if (id_of(l->timer[i].order) == id) {
			l->timers--;
			memmove(l->timer + i, l->timer + i + 1, (size_t)(l->timers - i) * sizeof(*l->timer));
			return;
		}
}

/* What epoll_wait() takes: rounded up, so that a timer is due when it returns. */
static int wait_ms(const struct pit_loop *l)
{
	int64_t left;

	if (l->always)
		return 0;
	if (!l->timers)
		return -1;
	left = l->timer[l->timers - 1].at - pit_now();
	if (left <= 0)
		return 0;
	return left / PIT_MS < 3600 * 1000 ? (int)((left + PIT_MS - 1) / PIT_MS) : 3600 * 1000;
}

/* The timers that were due at `now`; those that they set for now come in the next round. */
static int serve_timers(struct pit_loop *l, int64_t now)
{
	uint64_t newest = l->order;
	int rc = 0;

	while (!rc && l->timers) {
		struct timer t = l->timer[l->timers - 1];

		if (t.at > now || t.order > newest)
			break;
		l->timers--;
		rc = t.fn(t.arg, 0);
	}
	return rc;
}

static int serve_always(struct pit_loop *l)
{
	int rc = 0;

	for (int fd = 0; !rc && l->always && fd < l->watches; fd++) {
		const struct watch w = l->watch[fd];

		if (w.fn && w.always)
			rc = w.fn(w.arg, w.events & (EPOLLIN | EPOLLOUT));
	}
	return rc;
}

static int serve_files(struct pit_loop *l, const struct epoll_event *event, int count)
{
	int rc = 0;

	for (int i = 0; !rc && i < count; i++) {
		int fd = (int)(event[i].data.u64 & INT_MAX);
		const struct watch w = l->watch[fd];

		if (w.fn && w.serial == event[i].data.u64 >> 32)
			rc = w.fn(w.arg, event[i].events);
	}
	return rc;
}

int pit_loop_run(struct pit_loop *l)
{
	struct epoll_event event[BATCH];
	int rc = 0;

	while (!rc && (l->watched || l->timers)) {
		int count = epoll_wait(l->epoll, event, BATCH, wait_ms(l));

		if (count < 0 && errno != EINTR)
			return -errno;
		rc = serve_files(l, event, count);
		if (!rc)
			rc = serve_always(l);
		if (!rc)
			rc = serve_timers(l, pit_now());
	}
	return rc;
}
