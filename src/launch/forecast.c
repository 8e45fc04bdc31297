/* SPDX-License-Identifier: MIT */
#include "launch/forecast.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define SECOND (1000 * PIT_MS)
#define HEIGHT_KEPT (600 * SECOND)
#define FALL 0.02 /* of the limit: this much below its top, use has come down */
#define NEAR 5    /* falls below a height: still near it */
#define ROOM 0.25 /* of what is above a height: news begins there */
#define STALL_TIME (2 * SECOND)

const struct pit_forecast_rules pit_forecast_usual = {
	.horizon = 10 * SECOND,
	.calm = 30 * SECOND,
	.always = 0.95,
	.never = 0.7,
	.stall = 0.2,
};

/* Stretches of time in which growth is looked for, and how far ahead each may speak. */
static const struct stretch {
	int64_t length, ahead;
} stretches[] = {
	{.length = 1 * SECOND, .ahead = 2 * SECOND}, {.length = 2 * SECOND, .ahead = 4 * SECOND},
	{.length = 3 * SECOND, .ahead = INT64_MAX},  {.length = 6 * SECOND, .ahead = INT64_MAX},
	{.length = 12 * SECOND, .ahead = INT64_MAX}, {.length = 24 * SECOND, .ahead = INT64_MAX},
};

void pit_forecast_begin(struct pit_forecast *f, const struct pit_forecast_rules *rules)
{
	*f = (struct pit_forecast){.rules = *rules};
}

/* The sample `back` before the last. */
static const struct pit_forecast_sample *before(const struct pit_forecast *f, unsigned back)
{
	return &f->sample[(f->next + PIT_FORECAST_SAMPLES - 1 - back) % PIT_FORECAST_SAMPLES];
}

/* The newest sample that is not younger than `when`; NULL none. *back: where to look on for an older one. */
static const struct pit_forecast_sample *at(const struct pit_forecast *f, int64_t when, unsigned *back)
{
	for (; *back < f->count; (*back)++)
		if (before(f, *back)->when <= when)
			return before(f, *back);
	return NULL;
}

/* Bytes per second that each third of the stretch shows; 0 when one of them does not. */
static double growth(const struct pit_forecast *f, int64_t length)
{
	const struct pit_forecast_sample *later = before(f, 0);
	int64_t now = later->when, slack = length / 12;
	double least = INFINITY;
	unsigned back = 1;

	for (int third = 1; third <= 3; third++) {
		const struct pit_forecast_sample *s = at(f, now - length * third / 3 + slack, &back);

		if (!s || s == later || s->used >= later->used)
			return 0;
		least = fmin(least, (double)(later->used - s->used) * (double)SECOND / (double)(later->when - s->when));
		later = s;
	}
	return least;
}

static int64_t left_at(const struct pit_forecast_sample *s, double per_second)
{
	double ns;

	if (s->limit == UINT64_MAX || per_second <= 0)
		return INT64_MAX;
	if (s->used >= s->limit)
		return 0;
	ns = (double)(s->limit - s->used) / per_second * (double)SECOND;
	return ns < 9e18 ? (int64_t)ns : INT64_MAX;
}

/* The shortest time to the limit that any stretch shows and may speak for. */
static int64_t look_ahead(struct pit_forecast *f)
{
	const struct pit_forecast_sample *s = before(f, 0);
	int64_t least = INT64_MAX;

	f->per_second = 0;
	for (size_t i = 0; i < PIT_COUNT(stretches); i++) {
		double g = growth(f, stretches[i].length);
		int64_t left = left_at(s, g);

		if (g <= f->per_second || left > stretches[i].ahead)
			continue;
		f->per_second = g;
		least = left;
	}
	return least;
}

static double share(const struct pit_forecast_sample *s)
{
	if (s->limit == UINT64_MAX)
		return 0;
	return s->limit ? (double)s->used / (double)s->limit : INFINITY;
}

/* Mean of the last two seconds; 0 as long as they are not known, or when the limit had no part in it. */
static double stalled(const struct pit_forecast *f)
{
	const struct pit_forecast_sample *now = before(f, 0);
	double sum = 0;

	for (unsigned i = 0; i + 1 < f->count && before(f, i)->stalled >= 0; i++) {
		const struct pit_forecast_sample *s = before(f, i), *older = before(f, i + 1);

		sum += s->stalled * (double)(s->when - older->when);
		if (now->when - older->when < STALL_TIME)
			continue;
		if (now->events != UINT64_MAX && now->events == older->events)
			return 0;
		return sum / (double)(now->when - older->when);
	}
	return 0;
}

/* Share of the limit above which growth is news. */
static double news_above(const struct pit_forecast *f)
{
	const struct pit_forecast_sample *s = before(f, 0);
	double height;

	if (!f->height || s->when - f->height_at > HEIGHT_KEPT || f->height >= s->limit)
		return f->rules.never;
	height = (double)f->height / (double)s->limit;
	return fmax(f->rules.never, height + (1 - height) * ROOM);
}

static bool rises_above(const struct pit_forecast *f, double line)
{
	const struct pit_forecast_sample *s = before(f, 0), *last = before(f, 1);

	return f->count > 1 && share(s) >= line && (s->used > last->used || share(last) < line);
}

static bool begins(struct pit_forecast *f, int64_t left)
{
	const struct pit_forecast_sample *s = before(f, 0);
	double near = (f->rules.never + f->rules.always) / 2;

	if (share(s) >= near && f->stalled >= f->rules.stall)
		f->why = PIT_FORECAST_STALL;
	else if (share(s) <= news_above(f))
		return false;
	else if (rises_above(f, f->rules.always))
		f->why = PIT_FORECAST_ALWAYS;
	else if (left < f->rules.horizon)
		f->why = PIT_FORECAST_GROWTH;
	else
		return false;
	return true;
}

/* Remembers the height that use came down from. Coming down from near it keeps the memory fresh. */
static void mark(struct pit_forecast *f)
{
	const struct pit_forecast_sample *s = before(f, 0);
	double fall = s->limit == UINT64_MAX ? 0 : FALL * (double)s->limit;

	if (s->used >= f->top) {
		f->top = s->used;
		return;
	}
	if ((double)(f->top - s->used) <= fall)
		return;
	if (f->top >= f->height || s->when - f->height_at > HEIGHT_KEPT)
		f->height = f->top;
	if ((double)(f->height - f->top) <= NEAR * fall)
		f->height_at = s->when;
	f->top = s->used;
}

static enum pit_forecast_verdict go_on(struct pit_forecast *f)
{
	const struct pit_forecast_sample *s = before(f, 0);

	if (s->used > f->top || f->stalled >= f->rules.stall) {
		f->top = s->used > f->top ? s->used : f->top;
		f->calm_since = s->when;
	}
	if (s->when - f->calm_since < f->rules.calm)
		return PIT_FORECAST_GOES_ON;
	f->episode = false;
	f->height = f->top;
	f->height_at = s->when;
	f->top = s->used;
	return PIT_FORECAST_OVER;
}

enum pit_forecast_verdict pit_forecast_add(struct pit_forecast *f, const struct pit_forecast_sample *s,
					   int64_t *ret_left)
{
	int64_t left;

	f->sample[f->next] = *s;
	f->next = (f->next + 1) % PIT_FORECAST_SAMPLES;
	f->count += f->count < PIT_FORECAST_SAMPLES;
	left = look_ahead(f);
	f->stalled = stalled(f);
	if (ret_left)
		*ret_left = left;
	if (f->episode)
		return go_on(f);
	mark(f);
	if (!begins(f, left))
		return PIT_FORECAST_QUIET;
	f->episode = true;
	f->top = s->used;
	f->calm_since = s->when;
	return PIT_FORECAST_WARN;
}
