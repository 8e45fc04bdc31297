/* SPDX-License-Identifier: MIT
 *
 * Will this group of processes run into its memory limit, and when? Samples in, verdicts out. Pure.
 *
 * An episode begins when use is high and
 *   - the limit would be reached within `horizon` at the growth of the last seconds, or
 *   - use rises above the share `always`, or
 *   - the kernel reclaims in vain: tasks stall.
 * Growth counts when it lasts: each third of a stretch of time must show it, and less than three seconds of it speak
 * only for the time that they make up twice. So a jump is no growth, and a sawtooth is none once it has turned.
 *
 * "High" is above the share `never`; and a height that use came down from is no news for ten minutes: until then only
 * what exceeds it by a quarter of the room above it is. An episode ends when use has made no new top, and nothing
 * stalls, for `calm`. One verdict WARN per episode, whatever the samples do in between.
 */
#ifndef PIT_LAUNCH_FORECAST_H
#define PIT_LAUNCH_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

struct pit_forecast_rules {
	int64_t horizon; /* ns: time that a checkpoint needs; default 10 s */
	int64_t calm;    /* ns: default 30 s */
	double always;   /* share of the limit above which any growth is an episode: default 0.95 */
	double never;    /* share below which nothing is: default 0.7, for loading weights is growth, too */
	double stall;    /* share of time that tasks stalled on memory (PSI "some") that is pressure: default 0.2 */
};
extern const struct pit_forecast_rules pit_forecast_usual;

struct pit_forecast_sample {
	int64_t when;    /* pit_now(); never goes back */
	uint64_t used;   /* bytes that reclaim cannot take; page cache is not use */
	uint64_t limit;  /* bytes; UINT64_MAX none: never an episode */
	double stalled;  /* 0 to 1 since the last sample; -1 unknown */
	uint64_t events; /* memory.events high + max; growing means that the kernel is at the limit. UINT64_MAX unknown
			  */
};

enum pit_forecast_why { PIT_FORECAST_GROWTH, PIT_FORECAST_ALWAYS, PIT_FORECAST_STALL };

#define PIT_FORECAST_SAMPLES 32
struct pit_forecast {
	struct pit_forecast_rules rules;
	struct pit_forecast_sample sample[PIT_FORECAST_SAMPLES]; /* a ring */
	unsigned count, next;
	bool episode;
	enum pit_forecast_why why; /* of the latest WARN */
	double per_second;         /* growth that the last sample ended, bytes; 0 none that lasts */
	double stalled;            /* share of the last two seconds */
	int64_t calm_since;
	uint64_t top;    /* highest use since it last came down, in an episode since its begin */
	uint64_t height; /* that it came down from; 0 none */
	int64_t height_at;
};

enum pit_forecast_verdict { PIT_FORECAST_QUIET, PIT_FORECAST_WARN, PIT_FORECAST_GOES_ON, PIT_FORECAST_OVER };

void pit_forecast_begin(struct pit_forecast *f, const struct pit_forecast_rules *rules);

/* WARN exactly once per episode. *ret_left (may be NULL): ns until the limit at this growth; INT64_MAX never. */
enum pit_forecast_verdict pit_forecast_add(struct pit_forecast *f, const struct pit_forecast_sample *s,
					   int64_t *ret_left);

#endif
