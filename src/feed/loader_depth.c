/* SPDX-License-Identifier: MIT */
#include "feed/loader_depth.h"

#define INTERVAL_NS 25000000 /* shorter ones measure noise */
#define SKIP_NS 8000000
#define PAIRS 3   /* intervals at each of the two depths */
#define REST 64   /* intervals between trials once both ways were tried */
#define GAIN 1.04 /* what more requests must bring */
#define LOSS 0.99 /* what fewer may cost */

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
static void turn_round(struct pit_depth *d)
{
	d->rest = d->up ? 1 : REST;
	d->up = !d->up;
}

static void begin_trial(struct pit_depth *d)
{
	d->turn = 0;
	d->sum[0] = d->sum[1] = d->in[0] = d->in[1] = 0;
	d->now = neighbour(d);
	d->skip = SKIP_NS;
	if (d->now == d->home)
		turn_round(d);
}

static void judge(struct pit_depth *d)
{
	double home = d->sum[0] / d->in[0], other = d->sum[1] / d->in[1];

	if (other > home * (d->up ? GAIN : LOSS)) {
		d->home = neighbour(d);
		d->rest = 1;
	} else {
		turn_round(d);
	}
	d->now = d->home;
}

static void step_trial(struct pit_depth *d)
{
	unsigned which = d->now != d->home;

	d->sum[which] += d->bytes;
	d->in[which] += d->ns;
	d->skip = SKIP_NS;
	if (++d->turn == 2 * PAIRS)
		judge(d);
	else
		d->now = which ? d->home : neighbour(d);
}

unsigned pit_depth_note(struct pit_depth *d, uint64_t bytes, uint64_t ns)
{
	if (d->least == d->most)
		return d->now;
	if (d->skip) {
		d->skip = d->skip > ns ? d->skip - ns : 0;
		return d->now;
	}
	d->bytes += bytes;
	d->ns += ns;
	if (d->ns < INTERVAL_NS)
		return d->now;
	if (!d->rest)
		step_trial(d);
	else if (!--d->rest)
		begin_trial(d);
	d->bytes = d->ns = 0;
	return d->now;
}
