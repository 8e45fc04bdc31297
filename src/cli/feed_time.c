/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/feed_time.h"

struct gaps {
	int64_t *ns;
	uint64_t count, room;
};

static int add_gap(struct gaps *g, int64_t ns)
{
	if (g->count == g->room) {
		uint64_t room = g->room ? 2 * g->room : 256;
		int64_t *more = reallocarray(g->ns, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		g->ns = more;
		g->room = room;
	}
	g->ns[g->count++] = ns;
	return 0;
}

static int by_size(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

/* The smallest gap that `percent` of them do not pass; 0 without any. */
static int64_t quantile(const struct gaps *g, unsigned percent)
{
	return g->count ? g->ns[(g->count * percent + 99) / 100 - 1] : 0;
}

int64_t pit_feed_cpu(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 * PIT_MS +
	       (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * INT64_C(1000);
}

static void add_batch(const struct pit_batch *b, struct pit_feed_time *t)
{
	struct pit_part part;

	t->batches++;
	t->samples += pit_batch_count(b);
	for (uint32_t i = 0; i < pit_batch_count(b); i++)
		for (unsigned p = 0; p < pit_batch_parts(b, i); p++)
			if (!pit_batch_part(b, i, p, &part))
				t->bytes += part.len;
}

static void step(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / (1000 * PIT_MS), .tv_nsec = ns % (1000 * PIT_MS)};

	if (ns)
		nanosleep(&t, NULL);
}

static int take_all(struct pit_loader *l, int64_t step_ns, int64_t begun, struct pit_feed_time *t, struct gaps *g,
		    struct pit_error *err)
{
	struct pit_batch *b = NULL;
	int64_t asked = pit_now(), got, first = 0;
	int rc;

	while ((rc = pit_loader_next(l, &b, err)) == 1) {
		got = pit_now();
		t->wait += got - asked;
		if (!t->batches) {
			t->first = got - begun;
		} else if (add_gap(g, got - asked)) {
			pit_batch_release(b);
			return pit_fail(err, ENOMEM, "out of memory");
		}
		add_batch(b, t);
		step(step_ns);
		pit_batch_release(b);
		asked = pit_now();
		if (t->batches == 1)
			first = asked;
		else
			t->step += asked - got;
	}
	t->steps = first ? asked - first : 0;
	return rc;
}

int pit_feed_time(struct pit_loader *l, int64_t step_ns, int64_t begun, int64_t cpu_begun, struct pit_feed_time *ret,
		  struct pit_error *err)
{
	struct pit_loader_stats before = {.size = sizeof(before)}, after = {.size = sizeof(after)};
	struct pit_feed_time t = {.stayed = -1};
	struct gaps g = {0};
	int rc;

	pit_loader_stats(l, &before);
	rc = take_all(l, step_ns, begun, &t, &g, err);
	pit_loader_stats(l, &after);
	t.whole = pit_now() - begun;
	t.cpu = pit_feed_cpu() - cpu_begun;
	t.read_bytes = after.read_bytes - before.read_bytes;
	t.cache_requests = after.cache_requests - before.cache_requests;
	t.cache_hits = after.cache_hits - before.cache_hits;
	t.cache_hit_bytes = after.cache_hit_bytes - before.cache_hit_bytes;
	if (g.count)
		qsort(g.ns, g.count, sizeof(*g.ns), by_size);
	t.gap_50 = quantile(&g, 50);
	t.gap_99 = quantile(&g, 99);
	free(g.ns);
	if (!rc)
		*ret = t;
	return rc;
}
