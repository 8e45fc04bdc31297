/* SPDX-License-Identifier: MIT
 *
 * Will this group of processes run into its memory limit, and when? Samples in, verdicts out. Pure.
 *
 * An episode begins when the limit would be reached within `horizon` at the growth of the last samples, or when the
 * kernel already reclaims in vain (pressure). It ends when use has fallen, or growth has stayed away, for `calm`. One
 * verdict WARN per episode, whatever the samples do in between.
 */
#ifndef PIT_LAUNCH_FORECAST_H
#define PIT_LAUNCH_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

struct pit_forecast_rules {
	int64_t horizon; /* ns: time that a checkpoint needs; default 10 s */
	int64_t calm;    /* ns: default 30 s */
	double always;   /* share of the limit above which any growth is an episode: default 0.95 */
	double never;    /* share below which nothing is: default 0.5 */
	double stall;    /* share of time that tasks stalled on memory (PSI "some") that is pressure: default 0.2 */
};
extern const struct pit_forecast_rules pit_forecast_usual;

struct pit_forecast_sample {
	int64_t when;    /* pit_now() */
	uint64_t used;   /* bytes that reclaim cannot take: anon + shmem + slab unreclaimable; page cache is not use */
	uint64_t limit;  /* bytes; UINT64_MAX none: never an episode but by pressure on the host */
	double stalled;  /* 0 to 1 since the last sample; -1 unknown */
	uint64_t events; /* memory.events high + max; growing means that the kernel is at the limit already */
};

#define PIT_FORECAST_SAMPLES 32
struct pit_forecast {
	struct pit_forecast_rules rules;
	struct pit_forecast_sample sample[PIT_FORECAST_SAMPLES]; /* a ring */
	unsigned count, next;
	bool episode;
	int64_t calm_since;
};

enum pit_forecast_verdict { PIT_FORECAST_QUIET, PIT_FORECAST_WARN, PIT_FORECAST_GOES_ON, PIT_FORECAST_OVER };

void pit_forecast_begin(struct pit_forecast *f, const struct pit_forecast_rules *rules);

/* WARN exactly once per episode. *ret_left (may be NULL): ns until the limit at this growth; INT64_MAX never. */
enum pit_forecast_verdict pit_forecast_add(struct pit_forecast *f, const struct pit_forecast_sample *s,
					   int64_t *ret_left);

#endif
