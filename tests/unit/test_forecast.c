/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "launch/forecast.h"

#define SECOND (1000 * PIT_MS)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define LIMIT (64 * GIB)

/* A repeatable stream of numbers. */
static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static double between(uint64_t *seed, double low, double high)
{
	return low + (high - low) * (double)(draw(seed) % 1000003) / 1000003;
}

/* One trace while it runs. */
struct run {
	struct pit_forecast f;
	struct pit_forecast_sample s;
	int warnings, over;
	int64_t warned, left; /* when the last warning came; what it said */
};

static struct run run_begin(uint64_t limit)
{
	struct run r = {.s = {.when = 1000 * SECOND, .limit = limit, .stalled = -1, .events = UINT64_MAX}};

	pit_forecast_begin(&r.f, &pit_forecast_usual);
	return r;
}

static enum pit_forecast_verdict feed(struct run *r, double share, int64_t step)
{
	enum pit_forecast_verdict v;
	int64_t left;

	r->s.when += step;
	r->s.used = share <= 0 ? 0 : (uint64_t)(share * (double)r->s.limit);
	v = pit_forecast_add(&r->f, &r->s, &left);
	if (v == PIT_FORECAST_WARN) {
		r->warnings++;
		r->warned = r->s.when;
		r->left = left;
	}
	r->over += v == PIT_FORECAST_OVER;
	return v;
}

/* Flat at `from`, then growth of `rate` shares per second up to the limit. Returns seconds between the warning and the
 * limit. */
static double grow(struct run *r, uint64_t *seed, double from, double rate, double noise)
{
	double at = from, quarter = between(seed, 0.2, 0.3), step = fmax(quarter, 0.002 / rate);

	step = fmin(step, 1);
	for (int i = 0; i < 40; i++)
		feed(r, from, (int64_t)(quarter * (double)SECOND));
	for (; at < 1; at += rate * step)
		feed(r, at + between(seed, -noise, noise), (int64_t)(step * (double)SECOND));
	assert_int_equal(r->warnings, 1);
	return (double)(r->s.when - r->warned) / (double)SECOND;
}

static void growth_is_warned_of_once_and_in_time(void **state)
{
	uint64_t seed = 42;

	for (int i = 0; i < 3000; i++) {
		struct run r = run_begin(LIMIT);
		double rate = pow(10, between(&seed, -5, -0.75)), from = between(&seed, 0.01, 0.65);
		double lead = grow(&r, &seed, from, rate, 0);
		double possible = fmin(0.3 / rate, (1 - from) / rate - 3);

		if (lead < fmin(10, possible) - 1.4)
			fail_msg("rate %g from %g: %g s, possible %g", rate, from, lead, possible);
		assert_int_equal(r.over, 0);
	}
}

static void a_gibibyte_that_grows_by_fifty_mebibytes(void **state)
{
	uint64_t seed = 7;

	for (int i = 0; i < 100; i++) {
		struct run r = run_begin(GIB);
		double lead = grow(&r, &seed, 0.05, 50.0 * MIB / GIB, i % 2 ? 0.01 : 0);

		assert_true(lead > 4.5);
		assert_int_equal(r.f.why, PIT_FORECAST_GROWTH);
	}
}

/* Growth that comes in steps, one a second, as batches do. */
static void growth_in_steps(void **state)
{
	for (int height = 1; height <= 8; height++) {
		struct run r = run_begin(LIMIT);
		double at = 0.3;

		for (int i = 0; at < 1; i++) {
			feed(&r, at, SECOND / 4);
			at += i % 4 ? 0 : height / 100.0;
		}
		assert_int_equal(r.warnings, 1);
		assert_true(r.s.when - r.warned > 2 * SECOND);
	}
}

static void what_it_says_of_the_time_left(void **state)
{
	struct run r = run_begin(LIMIT);
	int64_t left;

	for (int i = 0; i < 68; i++)
		feed(&r, 0.01 * i, SECOND / 4);
	assert_int_equal(r.warnings, 0);
	for (int i = 68; i < 73; i++)
		feed(&r, 0.01 * i, SECOND / 4);
	assert_int_equal(r.warnings, 1);
	assert_true(r.left > 7 * SECOND - SECOND / 2 && r.left < 7.5 * SECOND);
	assert_true(fabs(r.f.per_second - 0.04 * LIMIT) < 0.001 * LIMIT);

	r.s.when += SECOND;
	assert_int_equal(pit_forecast_add(&r.f, &r.s, &left), PIT_FORECAST_GOES_ON);
	r.s.when += 4 * SECOND;
	pit_forecast_add(&r.f, &r.s, &left);
	assert_true(left == INT64_MAX);
	assert_true(r.f.per_second == 0);
	pit_forecast_add(&r.f, &r.s, NULL);
}

/* Ten minutes of each; every shape stays at or below `never`. */
static double sawtooth(double t, double period, double up)
{
	double phase = fmod(t, period) / period;

	return phase < up ? 0.2 + 0.5 * phase / up : 0.7 - 0.5 * (phase - up) / (1 - up);
}

static void sawteeth_up_to_seventy_percent(void **state)
{
	uint64_t seed = 3;

	for (int i = 0; i < 300; i++) {
		struct run r = run_begin(LIMIT);
		double period = pow(10, between(&seed, -0.5, 2)), up = between(&seed, 0.02, 0.98);

		for (int k = 0; k < 2400; k++)
			feed(&r, sawtooth(k / 4.0, period, up), SECOND / 4);
		assert_int_equal(r.warnings, 0);
	}
}

static void weights_that_are_loaded(void **state)
{
	for (double seconds = 0.5; seconds < 300; seconds *= 1.3) {
		struct run r = run_begin(LIMIT);

		for (int k = 0; k < 2400; k++)
			feed(&r, fmin(0.6, 0.6 * k / 4 / seconds) + 0.01 * (k % 3), SECOND / 4);
		assert_int_equal(r.warnings, 0);
	}
}

/* Eight workers that start, take memory within a second, and go, above weights of half the limit. */
static void workers_that_come_and_go(void **state)
{
	uint64_t seed = 11;

	for (int i = 0; i < 100; i++) {
		struct run r = run_begin(LIMIT);
		double has[8] = {0}, wants[8] = {0};

		for (int k = 0; k < 2400; k++) {
			double sum = 0.5;

			for (int w = 0; w < 8; w++) {
				if (!(draw(&seed) % 40))
					wants[w] = has[w] > 0 ? 0 : 0.024;
				has[w] = wants[w] > 0 ? fmin(wants[w], has[w] + 0.006) : 0;
				sum += has[w];
			}
			feed(&r, sum, SECOND / 4);
		}
		assert_int_equal(r.warnings, 0);
	}
}

/* High use that stays where it is, give or take. */
static void steady_use_high_up(void **state)
{
	uint64_t seed = 5;

	for (double level = 0.72; level < 0.93; level += 0.02) {
		struct run r = run_begin(LIMIT);

		for (int k = 0; k < 2400; k++)
			feed(&r, level + between(&seed, -0.005, 0.005), SECOND / 4);
		assert_int_equal(r.warnings, 0);
	}
}

static void a_jump_is_no_growth(void **state)
{
	struct run r = run_begin(LIMIT);

	for (int k = 0; k < 2400; k++)
		feed(&r, k < 50 ? 0 : 0.9, SECOND / 4);
	assert_int_equal(r.warnings, 0);

	r = run_begin(LIMIT);
	for (int k = 0; k < 2400; k++)
		feed(&r, (k / 40) % 2 ? 0.3 : 0.94, SECOND / 4);
	assert_int_equal(r.warnings, 0);
}

static void a_jump_that_still_grows(void **state)
{
	struct run r = run_begin(LIMIT);
	double at = 0.9;

	for (int k = 0; k < 50; k++)
		feed(&r, 0.1, SECOND / 4);
	for (; at < 1; at += 0.001)
		feed(&r, at, SECOND / 4);
	assert_int_equal(r.warnings, 1);
	assert_true(r.s.when - r.warned > 9 * SECOND);
}

static void near_the_limit_any_growth_counts(void **state)
{
	struct run r = run_begin(LIMIT);

	for (int k = 0; k < 50; k++)
		feed(&r, 0.5, SECOND / 4);
	assert_int_equal(feed(&r, 0.96, SECOND / 4), PIT_FORECAST_WARN);
	assert_int_equal(r.f.why, PIT_FORECAST_ALWAYS);

	r = run_begin(LIMIT);
	for (int k = 0; k < 50; k++)
		feed(&r, 0.96, SECOND / 4); /* as it was found */
	assert_int_equal(r.warnings, 0);
	assert_int_equal(feed(&r, 0.9601, SECOND / 4), PIT_FORECAST_WARN);
}

/* Teeth above `never` may be warned of when they are first seen, not again and again. */
static void high_teeth_are_news_once(void **state)
{
	uint64_t seed = 9;

	for (int i = 0; i < 300; i++) {
		struct run r = run_begin(LIMIT);
		double period = between(&seed, 4, 60), up = between(&seed, 0.1, 0.9);

		for (int k = 0; k < 4800; k++)
			feed(&r, sawtooth(k / 4.0, period, up) + 0.15 + between(&seed, -0.01, 0.01), SECOND / 4);
		assert_true(r.warnings <= 1);
	}
}

static void a_leak_above_old_heights(void **state)
{
	struct run r = run_begin(LIMIT);
	double base = 0;

	for (int k = 0; base < 0.9 && r.s.used < LIMIT; k++, base += 0.0005)
		feed(&r, 0.1 + base + 0.1 * (k % 20) / 20, SECOND / 4);
	assert_true(r.warnings >= 1);
	assert_true(r.s.when - r.warned > 5 * SECOND);
}

static void an_episode_ends_when_use_has_fallen(void **state)
{
	struct run r = run_begin(LIMIT);
	int64_t fell;

	for (double at = 0.3; at < 0.8; at += 0.01)
		feed(&r, at, SECOND / 4);
	assert_int_equal(r.warnings, 1);
	fell = r.s.when;
	while (feed(&r, 0.3, SECOND / 4) == PIT_FORECAST_GOES_ON)
		;
	assert_int_equal(r.over, 1);
	assert_true(llabs(r.s.when - fell - 30 * SECOND) <= SECOND);
	assert_int_equal(feed(&r, 0.3, SECOND / 4), PIT_FORECAST_QUIET);

	/* A second leak is a second episode. */
	for (double at = 0.3; at < 1; at += 0.01)
		feed(&r, at, SECOND / 4);
	assert_int_equal(r.warnings, 2);
}

static void an_episode_ends_when_growth_stays_away(void **state)
{
	struct run r = run_begin(LIMIT);

	for (double at = 0.3; at < 0.8; at += 0.01)
		feed(&r, at, SECOND / 4);
	for (int k = 0; k < 121; k++)
		feed(&r, 0.79, SECOND / 4);
	assert_int_equal(r.over, 1);
	assert_int_equal(r.warnings, 1);
}

/* An hour after a height, it is forgotten. */
static void heights_fade(void **state)
{
	struct run r = run_begin(LIMIT);

	for (double at = 0.3; at < 0.85; at += 0.01)
		feed(&r, at, SECOND / 4);
	for (int k = 0; k < 700; k++)
		feed(&r, 0.3, SECOND);
	for (double at = 0.3; at < 0.76; at += 0.01)
		feed(&r, at, SECOND / 4);
	assert_int_equal(r.warnings, 2);
}

static void stalls_near_the_limit(void **state)
{
	struct run r = run_begin(LIMIT);

	r.s.stalled = 0.5;
	for (int k = 0; k < 100; k++)
		feed(&r, 0.5, SECOND / 4); /* page cache is reclaimed: not in vain */
	assert_int_equal(r.warnings, 0);
	for (int k = 0; k < 100; k++)
		feed(&r, 0.9, SECOND / 4);
	assert_int_equal(r.warnings, 1);
	assert_int_equal(r.f.why, PIT_FORECAST_STALL);
	for (int k = 0; k < 400; k++)
		feed(&r, 0.9, SECOND / 4);
	assert_int_equal(r.warnings, 1);
	assert_int_equal(r.over, 0);
	r.s.stalled = 0;
	for (int k = 0; k < 400; k++)
		feed(&r, 0.9, SECOND / 4);
	assert_int_equal(r.over, 1);
}

static void stalls_without_the_limit_are_others(void **state)
{
	struct run r = run_begin(LIMIT);

	r.s.stalled = 0.5;
	r.s.events = 17; /* does not grow */
	for (int k = 0; k < 100; k++)
		feed(&r, 0.9, SECOND / 4);
	assert_int_equal(r.warnings, 0);
	for (int k = 0; k < 10; k++) {
		r.s.events++;
		feed(&r, 0.9, SECOND / 4);
	}
	assert_int_equal(r.warnings, 1);
}

/* One long stall in two seconds is a hiccup. */
static void a_short_stall(void **state)
{
	struct run r = run_begin(LIMIT);

	for (int k = 0; k < 400; k++) {
		r.s.stalled = k % 16 ? 0 : 1;
		feed(&r, 0.9, SECOND / 4);
	}
	assert_int_equal(r.warnings, 0);
}

static void no_limit_no_episode(void **state)
{
	struct run r = run_begin(UINT64_MAX);

	r.s.stalled = 1;
	for (int k = 0; k < 400; k++)
		feed(&r, 0.002 * k, SECOND / 4);
	assert_int_equal(r.warnings, 0);
}

static void limits_that_move(void **state)
{
	struct run r = run_begin(LIMIT);

	for (int k = 0; k < 40; k++)
		feed(&r, 0.5, SECOND / 4);
	r.s.limit = LIMIT / 2; /* below use: the kernel will act */
	assert_int_equal(feed(&r, 1, SECOND / 4), PIT_FORECAST_WARN);
	r.s.limit = 0;
	feed(&r, 1, SECOND / 4);
	r.s.limit = LIMIT;
	for (int k = 0; k < 200; k++)
		feed(&r, 0.5, SECOND / 4);
	assert_int_equal(r.over, 1);
}

/* Samples at one moment, or far apart, are no reason to stumble. */
static void odd_times(void **state)
{
	struct run r = run_begin(LIMIT);

	for (int k = 0; k < 100; k++)
		feed(&r, 0.6 + 0.003 * k, 0);
	feed(&r, 0.2, INT64_C(1) << 60);
	feed(&r, 0.2, 0);
	assert_true(r.warnings <= 1);
}

/* Whatever the samples: WARN and OVER take turns, GOES_ON only between them. */
static void verdicts_take_turns(void **state)
{
	uint64_t seed = 77;

	for (int i = 0; i < 500; i++) {
		struct run r = run_begin(LIMIT);
		bool inside = false;
		double at = 0.5;

		for (int k = 0; k < 2000; k++) {
			enum pit_forecast_verdict v;

			at = fmax(0, fmin(1, at + between(&seed, -0.05, 0.051)));
			r.s.stalled = between(&seed, -0.2, 0.4);
			v = feed(&r, at, (int64_t)between(&seed, 0, 4e9));
			assert_true(inside ? v == PIT_FORECAST_GOES_ON || v == PIT_FORECAST_OVER
					   : v == PIT_FORECAST_QUIET || v == PIT_FORECAST_WARN);
			inside = v == PIT_FORECAST_WARN || v == PIT_FORECAST_GOES_ON;
			assert_int_equal(inside, r.f.episode);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth_is_warned_of_once_and_in_time),
		cmocka_unit_test(a_gibibyte_that_grows_by_fifty_mebibytes),
		cmocka_unit_test(growth_in_steps),
		cmocka_unit_test(what_it_says_of_the_time_left),
		cmocka_unit_test(sawteeth_up_to_seventy_percent),
		cmocka_unit_test(weights_that_are_loaded),
		cmocka_unit_test(workers_that_come_and_go),
		cmocka_unit_test(steady_use_high_up),
		cmocka_unit_test(a_jump_is_no_growth),
		cmocka_unit_test(a_jump_that_still_grows),
		cmocka_unit_test(near_the_limit_any_growth_counts),
		cmocka_unit_test(high_teeth_are_news_once),
		cmocka_unit_test(a_leak_above_old_heights),
		cmocka_unit_test(an_episode_ends_when_use_has_fallen),
		cmocka_unit_test(an_episode_ends_when_growth_stays_away),
		cmocka_unit_test(heights_fade),
		cmocka_unit_test(stalls_near_the_limit),
		cmocka_unit_test(stalls_without_the_limit_are_others),
		cmocka_unit_test(a_short_stall),
		cmocka_unit_test(no_limit_no_episode),
		cmocka_unit_test(limits_that_move),
		cmocka_unit_test(odd_times),
		cmocka_unit_test(verdicts_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
