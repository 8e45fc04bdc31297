/* SPDX-License-Identifier: MIT
 *
 * What a few pairs of measurements can say. Pure: the same numbers give the same answer everywhere.
 */
#ifndef PIT_TUNE_INTERVAL_H
#define PIT_TUNE_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>

struct pit_interval {
	double low, median, high;
	double confidence; /* what so few numbers can bear: the one asked for, or less */
};

double pit_median(const double *value, size_t count); /* count >= 1 */

/* The most confidence with which `count` pairs can show an effect at all: if there is none, all of them lie on one side
 * with a chance of 2^(1-count). 0.75 of 3 pairs, 0.9375 of 5, 0.96875 of 6. */
double pit_interval_reach(size_t count);
size_t pit_pairs_needed(double confidence); /* the fewest that reach it: 6 for 0.95 */

/* The median of the ratios and its interval by the bootstrap: percentiles of the medians of PIT_RESAMPLES resamples
 * drawn with a fixed seed, widened for few numbers so that no effect is found where there is none more often than
 * `confidence` allows (of 6 pairs or more). -EINVAL: fewer than 2, one that is not above 0 or not finite, a confidence
 * not between 0 and 1. */
#define PIT_RESAMPLES 20000
int pit_bootstrap(const double *ratio, size_t count, double confidence, struct pit_interval *ret);

enum pit_effect {
	PIT_EFFECT_NONE,
	PIT_EFFECT_BETTER,
	PIT_EFFECT_WORSE,
	PIT_EFFECT_UNSURE, /* there are too few pairs to tell */
};
const char *pit_effect_name(enum pit_effect e); /* "none", "better", "worse", "unsure" */

/* An effect is what the interval shows to be one (1 is outside of it) and is at least `least` (0.01 is 1 %) large.
 * Pairs that cannot bear the `confidence` asked for say nothing, whatever their interval is. */
enum pit_effect pit_effect_of(const struct pit_interval *ratio, bool higher_is_better, double least, double confidence);

#endif
