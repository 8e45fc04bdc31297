/* SPDX-License-Identifier: MIT */
#include "tune/interval.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted(const double *value, size_t count)
{
	double *copy = calloc(count, sizeof(*copy));

	if (copy) {
		memcpy(copy, value, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), by_value);
	}
	return copy;
}

double pit_median(const double *value, size_t count)
{
	pit_auto_free double *v = sorted(value, count);

	return v ? (v[(count - 1) / 2] + v[count / 2]) / 2 : NAN;
}

double pit_interval_reach(size_t count)
{
	return 1 - exp2(1 - (double)count);
}

size_t pit_pairs_needed(double confidence)
{
	size_t n = 1;

	while (n < 64 && pit_interval_reach(n) < confidence)
		n++;
	return n;
}

/* splitmix64 (Steele, Lea, Flood 2014): the next of 2^64 equally likely numbers. */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* The value at `rank` (from 0) of a resample that took v[i] times[i] times. */
static double ranked(const double *v, const uint32_t *times, size_t rank)
{
	size_t i = 0;

	for (size_t before = times[0]; before <= rank; before += times[i])
		i++;
	return v[i];
}

static double resample_median(const double *v, size_t count, uint32_t *times, uint64_t *state)
{
	memset(times, 0, count * sizeof(*times));
	for (size_t i = 0; i < count; i++)
		times[((draw(state) >> 32) * count) >> 32]++;
	return (ranked(v, times, (count - 1) / 2) + ranked(v, times, count / 2)) / 2;
}

/* P(|T| < t) of Student's T with `df` degrees of freedom, t = sqrt(df) tan(angle): Abramowitz and
 * Stegun 26.7.3, 26.7.4. */
static double student_within(double angle, size_t df)
{
	double cosine = cos(angle), term = df % 2 ? cosine : 1, sum = df == 1 ? 0 : term;

	for (size_t k = 2 + df % 2; k + 2 <= df; k += 2) {
		term *= cosine * cosine * (double)(k - 1) / (double)k;
		sum += term;
	}
	return df % 2 ? (angle + sin(angle) * sum) * M_2_PI : sin(angle) * sum;
}

static double student_quantile(double confidence, size_t df)
{
	double low = 0, high = M_PI_2;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		*(student_within(middle, df) < confidence ? &low : &high) = middle;
	}
	return sqrt((double)df) * tan(low);
}

/* The share of resamples on each side of the interval. Resamples of few numbers spread less than the numbers' origin
 * does; the wider percentiles make up for that (Hesterberg 2015, "expanded percentiles"). */
static double tail_share(double confidence, size_t count)
{
	double n = (double)count;

	return erfc(sqrt(n / (n - 1)) * student_quantile(confidence, count - 1) * M_SQRT1_2) / 2;
}

static bool is_usable(const double *ratio, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(ratio[i]) || ratio[i] <= 0)
			return false;
	return count >= 2;
}

int pit_bootstrap(const double *ratio, size_t count, double confidence, struct pit_interval *ret)
{
	pit_auto_free uint32_t *times = NULL;
	pit_auto_free double *v = NULL, *medians = NULL;
	uint64_t state = 1;
	size_t tail;

	if (!is_usable(ratio, count) || !(confidence > 0 && confidence < 1))
		return -EINVAL;
	v = sorted(ratio, count);
	times = calloc(count, sizeof(*times));
	medians = calloc(PIT_RESAMPLES, sizeof(*medians));
	if (!v || !times || !medians)
		return -ENOMEM;
	for (size_t i = 0; i < PIT_RESAMPLES; i++)
		medians[i] = resample_median(v, count, times, &state);
	qsort(medians, PIT_RESAMPLES, sizeof(*medians), by_value);
	tail = (size_t)(tail_share(confidence, count) * (PIT_RESAMPLES - 1));
	*ret = (struct pit_interval){
		.low = medians[tail],
		.median = (v[(count - 1) / 2] + v[count / 2]) / 2,
		.high = medians[PIT_RESAMPLES - 1 - tail],
		.confidence = fmin(confidence, pit_interval_reach(count)),
	};
	return 0;
}

const char *pit_effect_name(enum pit_effect e)
{
	static const char *const names[] = {
		[PIT_EFFECT_NONE] = "none",
		[PIT_EFFECT_BETTER] = "better",
		[PIT_EFFECT_WORSE] = "worse",
		[PIT_EFFECT_UNSURE] = "unsure",
	};

	return names[e];
}

enum pit_effect pit_effect_of(const struct pit_interval *ratio, bool higher_is_better, double least, double confidence)
{
	bool outside = ratio->low > 1 || ratio->high < 1;

	if (ratio->confidence < confidence)
		return PIT_EFFECT_UNSURE;
	if (!outside || fabs(log(ratio->median)) < log1p(least))
		return PIT_EFFECT_NONE;
	return (ratio->median > 1) == higher_is_better ? PIT_EFFECT_BETTER : PIT_EFFECT_WORSE;
}
