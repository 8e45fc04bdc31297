/* SPDX-License-Identifier: MIT */
#include "feed/loader_depth.h"

#define INTERVAL_NS 40000000 /* shorter ones measure noise */
#define REST 32              /* intervals between trials once it has settled */
#define GAIN 1.05            /* what more requests must bring */
#define LOSS 0.98            /* what fewer may cost */

void pit_depth_init(struct pit_depth *d, unsigned start, unsigned least, unsigned most)
{
	*d = (struct pit_depth){.least = least, .most = most, .up = true, .rest = 1};
	d->now = start < least ? least : start > most ? most : start;
	d->home = d->now;
}

static unsigned neighbour(const struct pit_depth *d)
{
	if (d->up)
		return d->home > d->most / 2 ? d->most : d->home * 2;
	return d->home / 2 < d->least ? d->least : d->home / 2;
}

/* Nothing to gain that way: the other way is next, and after both a rest. */
static void turn(struct pit_depth *d)
{
	d->now = d->home;
	d->rest = d->up ? 2 : REST;
	d->up = !d->up;
}

/* A trial has ended: the neighbour becomes home and its neighbour is next, or it was not worth it. */
static void judge(struct pit_depth *d, double rate)
{
	if (rate > d->home_rate * (d->up ? GAIN : LOSS)) {
		d->home = d->now;
		d->home_rate = rate;
		d->now = neighbour(d);
	} else {
		d->now = d->home;
	}
	if (d->now == d->home)
		turn(d);
}

unsigned pit_depth_note(struct pit_depth *d, uint64_t bytes, uint64_t ns)
{
	double rate;

	d->bytes += bytes;
	d->ns += ns;
	if (d->ns < INTERVAL_NS || d->least == d->most)
		return d->now;
	rate = (double)d->bytes / d->ns;
	d->bytes = d->ns = 0;
	if (d->now != d->home) {
		judge(d, rate);
		return d->now;
	}
	/* The figure follows the disk slowly; the first one counts at once. */
	d->home_rate = d->home_rate > 0 ? d->home_rate * 0.75 + rate * 0.25 : rate;
	if (d->rest && --d->rest)
		return d->now;
	d->now = neighbour(d);
	if (d->now == d->home)
		turn(d);
	return d->now;
}
