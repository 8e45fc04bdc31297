/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "feed/ladder.h"
#include "feed/loader.h"

#define LADDER "engine"

/* On one processor several threads copy no faster than one. */
static bool has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1;
}

static bool is_through_cache(const struct pit_reader *r)
{
	return r->modes.count == 1 && !r->modes.mode[r->modes.now].direct;
}

static bool look(struct pit_reader *r, const struct pit_leg *leg)
{
	struct pit_engines *e = &r->engines;

	e->serial = leg->serial;
	return pit_warm_look(r->loader->source, &leg->order, &leg->deal, &e->warm);
}

/* The rungs as they are once threads have taken over. */
static void tell(struct pit_ladder *l, const struct pit_warm *w)
{
	for (struct pit_rung *r = l->rungs; r < l->rungs + l->count; r++)
		if (!strcmp(r->ladder, LADDER) && r->state != PIT_RUNG_REFUSED)
			pit_ladder_add(l, LADDER, r->rung, PIT_RUNG_UNUSED, "threads copy faster from the page cache");
	pit_ladder_add(l, LADDER, pit_io_engine_name(PIT_ENGINE_THREADS), PIT_RUNG_TAKEN,
		       "%u %% of the samples are in the page cache: several copy at once", 100 * w->cached / w->looked);
}

static int open_threads(const struct pit_io_want *want, struct pit_ladder *l, struct pit_io **ret)
{
	struct pit_io_want threads = *want;

	threads.engine = PIT_ENGINE_THREADS;
	return pit_io_open(&threads, l, ret, NULL);
}

int pit_engines_open(struct pit_loader *l, const struct pit_io_want *want, struct pit_error *err)
{
	struct pit_reader *r = &l->reader;
	struct pit_engines *e = &r->engines;
	int rc;

	*e = (struct pit_engines){
		.open = want->engine == PIT_ENGINE_AUTO && has_processors(),
		.serial = l->leg.serial,
		.want = *want,
	};
	if (e->open && is_through_cache(r) && look(r, &l->leg) && !open_threads(want, l->ladders, &r->io)) {
		tell(l->ladders, &e->warm);
		e->open = false;
		return 0;
	}
	rc = pit_io_open(want, l->ladders, &r->io, err);
	if (!rc && pit_io_engine_of(r->io) == PIT_ENGINE_THREADS)
		e->open = false;
	return rc;
}

/* The callers may look at the ladder just now: a new one replaces it. */
static void publish(struct pit_loader *l, const struct pit_warm *w)
{
	struct pit_ladder *later;

	pthread_mutex_lock(&l->lock);
	later = pit_loader_next_ladder(l);
	tell(later, w);
	if (pit_ladder_taken(later, "buffers"))
		pit_ladder_add(later, "buffers", "registered", PIT_RUNG_UNUSED, "the engine has none");
	atomic_store(&l->ladder, later);
	pthread_mutex_unlock(&l->lock);
}

/* Others wake the engine under the lock of the store. */
static void change(struct pit_reader *r)
{
	struct pit_loader *l = r->loader;
	pit_auto_io struct pit_io *io = NULL;
	int rc;

	if (open_threads(&r->engines.want, NULL, &io))
		return;
	pit_io_set_depth(io, r->depth.now);
	pthread_mutex_lock(&l->store->lock);
	rc = pit_io_exchange(r->io, io);
	pthread_mutex_unlock(&l->store->lock);
	if (!rc)
		publish(l, &r->engines.warm);
}

bool pit_engines_hold(struct pit_reader *r)
{
	struct pit_engines *e = &r->engines;

	if (!e->open)
		return false;
	if (!e->changing && e->serial != r->leg.serial && is_through_cache(r))
		e->changing = look(r, &r->leg);
	if (!e->changing || pit_io_pending(r->io))
		return e->changing;
	e->open = e->changing = false;
	change(r);
	return false;
}
