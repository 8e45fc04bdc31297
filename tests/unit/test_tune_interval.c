/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tune/interval.h"

#define WORLDS 200 /* simulated trials */

static double noise(unsigned *seed)
{
	double u = (rand_r(seed) + 1.0) / (RAND_MAX + 2.0), v = (rand_r(seed) + 1.0) / (RAND_MAX + 2.0);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* How often an effect is found in pairs whose sides vary by 2 %. */
static double share_found(double effect, size_t pairs, double least)
{
	unsigned seed = (unsigned)pairs;
	int found = 0;

	for (int w = 0; w < WORLDS; w++) {
		struct pit_interval i;
		double ratio[64];

		for (size_t k = 0; k < pairs; k++)
			ratio[k] = effect * exp(0.02 * noise(&seed)) / exp(0.02 * noise(&seed));
		assert_int_equal(pit_bootstrap(ratio, pairs, 0.95, &i), 0);
		found += pit_effect_of(&i, false, least, 0.95) != PIT_EFFECT_NONE;
	}
	return (double)found / WORLDS;
}

static void finds_no_effect_where_there_is_none(void **state)
{
	static const size_t pairs[] = {6, 7, 8, 10, 12, 16};

	for (size_t i = 0; i < PIT_COUNT(pairs); i++) {
		double share = share_found(1, pairs[i], 0), real = share_found(1, pairs[i], 0.01);

		print_message("# %zu pairs: an effect found in %.3f of the trials without one\n", pairs[i], share);
		assert_true(share <= 0.065);
		assert_true(real <= share);
	}
	assert_true(share_found(1, 12, 0) >= 0.02);
}

static void finds_an_effect_of_five_percent_in_noise_of_two(void **state)
{
	double eight = share_found(1.05, 8, 0.01), twelve = share_found(0.95, 12, 0.01);

	print_message("# found: %.3f of 8 pairs, %.3f of 12\n", eight, twelve);
	assert_true(eight >= 0.85);
	assert_true(twelve >= 0.97);
}

static void says_the_same_of_the_same_numbers(void **state)
{
	const double a[] = {0.9, 0.92, 0.91, 0.95, 0.93, 0.9, 0.94, 0.9},
		     b[] = {0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.9, 0.9};
	struct pit_interval x, y;

	assert_int_equal(pit_bootstrap(a, 8, 0.95, &x), 0);
	assert_int_equal(pit_bootstrap(b, 8, 0.95, &y), 0);
	assert_memory_equal(&x, &y, sizeof(x)); /* their order does not matter */
	assert_true(x.low >= 0.9 && x.low < x.median && x.median < x.high && x.high <= 0.95);
	assert_true(fabs(x.median - 0.915) < 1e-12);
	assert_true(x.confidence == 0.95);
}

static void claims_no_more_than_few_pairs_can_bear(void **state)
{
	const double three[] = {0.5, 0.5, 0.5};
	struct pit_interval i;

	assert_int_equal(pit_bootstrap(three, 3, 0.95, &i), 0);
	assert_true(fabs(i.confidence - 0.75) < 1e-12);
	assert_true(pit_interval_reach(5) < 0.95 && pit_interval_reach(6) > 0.95);
	assert_int_equal(pit_effect_of(&i, false, 0.01, 0.95), PIT_EFFECT_UNSURE);
	assert_int_equal(pit_effect_of(&i, false, 0.01, 0.75), PIT_EFFECT_BETTER);
	assert_string_equal(pit_effect_name(PIT_EFFECT_UNSURE), "unsure");
	assert_int_equal(pit_pairs_needed(0.95), 6);
	assert_int_equal(pit_pairs_needed(0.75), 3);
	assert_int_equal(pit_pairs_needed(0.5), 2);
}

static void widens_with_confidence(void **state)
{
	const double r[] = {0.97, 1.02, 1.01, 0.99, 1.03, 0.98, 1.05, 0.96, 1.0, 1.04};
	struct pit_interval half, most;

	assert_int_equal(pit_bootstrap(r, 10, 0.5, &half), 0);
	assert_int_equal(pit_bootstrap(r, 10, 0.99, &most), 0);
	assert_true(most.low < half.low && half.high < most.high);
}

static void refuses_what_is_no_ratio(void **state)
{
	static const double bad[][2] = {{1, 0}, {1, -1}, {NAN, 1}, {INFINITY, 1}};
	struct pit_interval i = {.low = 47};

	for (size_t k = 0; k < PIT_COUNT(bad); k++)
		assert_int_equal(pit_bootstrap(bad[k], 2, 0.95, &i), -EINVAL);
	assert_int_equal(pit_bootstrap(bad[0], 1, 0.95, &i), -EINVAL);
	assert_int_equal(pit_bootstrap((const double[]){1, 1}, 2, 1, &i), -EINVAL);
	assert_int_equal(pit_bootstrap((const double[]){1, 1}, 2, NAN, &i), -EINVAL);
	assert_true(i.low == 47);
}

static void judges_by_interval_and_size(void **state)
{
	static const struct {
		struct pit_interval i;
		bool higher;
		enum pit_effect effect;
	} cases[] = {
		{{.low = 0.90, .median = 0.92, .high = 0.95}, false, PIT_EFFECT_BETTER},
		{{.low = 0.90, .median = 0.92, .high = 0.95}, true, PIT_EFFECT_WORSE},
		{{.low = 1.02, .median = 1.04, .high = 1.07}, false, PIT_EFFECT_WORSE},
		{{.low = 1.02, .median = 1.04, .high = 1.07}, true, PIT_EFFECT_BETTER},
		{{.low = 0.98, .median = 1.04, .high = 1.07}, false, PIT_EFFECT_NONE},
		{{.low = 1.001, .median = 1.005, .high = 1.02},
		 false,
		 PIT_EFFECT_NONE}, /* real, and too small to matter */
		{{.low = 0.99, .median = 0.995, .high = 0.999}, false, PIT_EFFECT_NONE},
	};

	for (size_t i = 0; i < PIT_COUNT(cases); i++)
		assert_int_equal(pit_effect_of(&cases[i].i, cases[i].higher, 0.01, 0), cases[i].effect);
	assert_string_equal(pit_effect_name(PIT_EFFECT_WORSE), "worse");
}

static void takes_the_middle(void **state)
{
	assert_true(pit_median((const double[]){3, 1, 2}, 3) == 2);
	assert_true(pit_median((const double[]){4, 1, 2, 3}, 4) == 2.5);
	assert_true(pit_median((const double[]){7}, 1) == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_no_effect_where_there_is_none),
		cmocka_unit_test(finds_an_effect_of_five_percent_in_noise_of_two),
		cmocka_unit_test(says_the_same_of_the_same_numbers),
		cmocka_unit_test(claims_no_more_than_few_pairs_can_bear),
		cmocka_unit_test(widens_with_confidence),
		cmocka_unit_test(refuses_what_is_no_ratio),
		cmocka_unit_test(judges_by_interval_and_size),
		cmocka_unit_test(takes_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
