/* SPDX-License-Identifier: MIT */
#include "launch/pressure.h"

#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/parse.h"
#include "launch/pressure_parts.h"

#define FAST (250 * PIT_MS)
#define SLOW (1000 * PIT_MS)
#define SOON (20 * PIT_MS)     /* what is due so soon is read along */
#define AGAIN (100 * PIT_MS)   /* a wake-up so soon after a reading adds nothing */
#define AWAKE (10000 * PIT_MS) /* after one, readings stay fast */

#define HALF 0.5
#define GROWS 0.005 /* of the limit in a second: worth a closer look */
#define NEED 0.9    /* of `never`: where exact numbers begin to matter */

struct watch {
	struct pit_pressure *p;
	struct pit_pressure_source src;
	struct pit_forecast f;
	struct pit_forecast_sample last;
	int64_t due, awake_until;
	bool gone;
};

struct pit_pressure {
	struct pit_pressure_request r;
	struct watch *w;
	size_t count;
	int64_t told_at; /* when the last episode began that was not along; 0 none */
	int timer;
	char evidence[1024];
};

static void leave(struct watch *w)
{
	if (w->src.trigger >= 0)
		pit_loop_unwatch(w->p->r.loop, w->src.trigger);
	pit_pressure_source_close(&w->src);
	w->gone = true;
}

static void name_largest(struct pit_pressure *p)
{
	size_t n = strlen(p->evidence);
	uint64_t bytes;
	char size[32];
	int rank = p->r.leader ? pit_pressure_largest("/proc", p->r.leader, p->r.ranks, &bytes) : -1;

	if (rank >= 0 && p->r.ranks > 1)
		snprintf(p->evidence + n, sizeof(p->evidence) - n, "; rank %d holds most, %s", rank,
			 pit_format_size(bytes, size, sizeof(size)));
}

/* Ranks do the same work, so their memory ends at about the same time. */
static bool comes_along(struct pit_pressure *p, int64_t now)
{
	const struct pit_forecast_rules *r = &p->r.rules;

	if (p->told_at && now - p->told_at < (r->horizon > r->calm ? r->horizon : r->calm))
		return true;
	p->told_at = now;
	return false;
}

static void tell(struct watch *w, bool over, int64_t left)
{
	struct pit_pressure *p = w->p;
	struct pit_pressure_news news = {
		.rank = w->src.rank,
		.over = over,
		.used = w->last.used,
		.limit = w->last.limit,
		.per_second = w->f.per_second,
		.left = left,
		.evidence = p->evidence,
	};

	news.along = !over && comes_along(p, w->last.when);
	pit_pressure_say(&w->src, &w->f, &news, p->evidence, sizeof(p->evidence));
	if (!over && news.rank < 0)
		name_largest(p);
	p->r.fn(p->r.arg, &news);
}

static bool wants_fast(const struct watch *w, const struct pit_forecast_sample *before)
{
	const struct pit_forecast_sample *s = &w->last;
	double limit = (double)s->limit, seconds = (double)(s->when - before->when) / 1e9;

	if (s->limit == UINT64_MAX)
		return false;
	return w->f.episode || s->when < w->awake_until || (double)s->used > HALF * limit ||
	       (before->when && (double)s->used - (double)before->used > GROWS * limit * seconds);
}

static void look(struct watch *w, int64_t now)
{
	const struct pit_forecast_sample before = w->last;
	enum pit_forecast_verdict v;
	int64_t left;
	int rc;

	rc = pit_pressure_source_read(&w->src, now, NEED * w->f.rules.never, &w->last);
	if (rc == -ENOENT || rc == -ENODEV)
		leave(w);
	w->due = now + SLOW; /* where it failed for want of memory or files, it may not the next time */
	if (rc)
		return;
	v = pit_forecast_add(&w->f, &w->last, &left);
	w->due = now + (wants_fast(w, &before) ? FAST : SLOW);
	if (v == PIT_FORECAST_WARN || v == PIT_FORECAST_OVER)
		tell(w, v == PIT_FORECAST_OVER, left);
}

static int tick(void *arg, uint32_t events);

static int arm(struct pit_pressure *p)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < p->count; i++)
		if (!p->w[i].gone && p->w[i].due < next)
			next = p->w[i].due;
	if (p->timer)
		pit_loop_cancel(p->r.loop, p->timer);
	p->timer = next < INT64_MAX ? pit_loop_at(p->r.loop, next, tick, p) : 0;
	return p->timer < 0 ? p->timer : 0;
}

static int tick(void *arg, uint32_t events)
{
	struct pit_pressure *p = arg;
	int64_t now = pit_now();

	p->timer = 0;
	for (size_t i = 0; i < p->count; i++)
		if (!p->w[i].gone && p->w[i].due <= now + SOON)
			look(&p->w[i], now);
	return arm(p);
}

static int woken(void *arg, uint32_t events)
{
	struct watch *w = arg;
	int64_t now = pit_now();

	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLPRI)) { /* the group is gone */
		leave(w);
		return arm(w->p);
	}
	w->awake_until = now + AWAKE;
	if (now - w->last.when < AGAIN)
		return 0;
	look(w, now);
	return arm(w->p);
}

/* Sampling goes on where the kernel grants no trigger. */
static void listen_to(struct watch *w)
{
	if (pit_pressure_source_set_trigger(&w->src) ||
	    !pit_loop_watch(w->p->r.loop, w->src.trigger, EPOLLPRI, woken, w))
		return;
	close(w->src.trigger);
	w->src.trigger = -1;
}

int pit_pressure_begin(const struct pit_pressure_request *r, struct pit_pressure_source *sources, size_t count,
		       struct pit_pressure **ret, struct pit_error *err)
{
	struct pit_pressure *p = calloc(1, sizeof(*p));
	int rc;

	if (p)
		p->w = calloc(count ? count : 1, sizeof(*p->w));
	if (!p || !p->w) {
		for (size_t i = 0; i < count; i++)
			pit_pressure_source_close(&sources[i]);
		free(p);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	p->r = *r;
	p->count = count;
	for (size_t i = 0; i < count; i++) {
		p->w[i] = (struct watch){.p = p, .src = sources[i], .due = pit_now()};
		pit_forecast_begin(&p->w[i].f, &r->rules);
		listen_to(&p->w[i]);
	}
	rc = arm(p);
	if (rc) {
		pit_pressure_close(p);
		return pit_fail(err, -rc, "cannot watch memory: %s", strerror(-rc));
	}
	*ret = p;
	return 0;
}

int pit_pressure_open(const struct pit_pressure_request *r, struct pit_pressure **ret, struct pit_error *err)
{
	pit_auto_free struct pit_pressure_source *sources = NULL;
	size_t count;
	int rc = pit_pressure_find(r, &sources, &count);

	if (rc)
		return pit_fail(err, -rc, "cannot watch memory: %s", strerror(-rc));
	if (!count)
		return pit_fail(err, ENOENT,
				"cannot watch memory: neither a control group's nor /proc/meminfo is to "
				"be read");
	return pit_pressure_begin(r, sources, count, ret, err);
}

void pit_pressure_close(struct pit_pressure *p)
{
	int saved = errno;

	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		leave(&p->w[i]);
	if (p->timer > 0)
		pit_loop_cancel(p->r.loop, p->timer);
	free(p->w);
	free(p);
	errno = saved;
}
