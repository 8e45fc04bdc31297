/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "base/cleanup.h"
#include "tune/number.h"

static const struct {
	const char *text;
	double value; /* NAN: none */
} numbers[] = {
	{"12", 12},
	{" \t12.5 tokens", 12.5},
	{"-3", -3},
	{"+.5", 0.5},
	{"5.", 5},
	{"1e3", 1000},
	{"1.5E-2x", 0.015},
	{"1,234,567.5", 1234567.5},
	{"12, 13", 12},
	{"1.1GiB/s", 1.1 * 1073741824},
	{"980 MiB/s", 980.0 * 1048576},
	{"1.2k", 1200},
	{"1.01Mops", 1010000},
	{"3 GB", 3e9},
	{"7 Gbit", 7e9},
	{"7 Tables", 7},
	{"7 km", 7}, /* a letter alone must touch */
	{"12 ms", 0.012},
	{"12ms,", 0.012},
	{"12 us", 12e-6},
	{"12 \xc2\xb5s", 12e-6},
	{"250 nsec", 250},
	{"250ns", 250e-9},
	{"2min", 120},
	{"2 minutes", 2},
	{"3 msgs", 3},
	{"5 s", 5},
	{"12e", 12},
	{"12,5", NAN},
	{"1,23,456", NAN},
	{"1234,567", NAN},
	{",123", NAN},
	{"0x10", NAN},
	{"nan", NAN},
	{"inf", NAN},
	{"", NAN},
	{"-", NAN},
	{".", NAN},
	{"1e999", NAN},
	{"1111111111111111111111111111111111111111111111111111111111111111111111111111111111", NAN},
};

static void reads_numbers(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(numbers); i++) {
		double value = 4711;
		int rc = pit_number_read(numbers[i].text, &value);

		print_message("# '%s': %g\n", numbers[i].text, value);
		if (isnan(numbers[i].value)) {
			assert_int_equal(rc, -EINVAL);
			assert_true(value == 4711);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_true(fabs(value - numbers[i].value) <= 1e-9 * fabs(numbers[i].value));
	}
}

static const struct {
	const char *pattern, *line;
	int rc;
	double value;
} finds[] = {
	{"throughput", "step 3: throughput = 812.5 samples/s", 0, 812.5},
	{"throughput: ([0-9.]+)", "throughput: 1.5 GB/s", 0, 1.5e9},
	{"^rate ", "a rate 5", -ENOENT, 0},
	{"rate", "the rate is unknown", -EINVAL, 0},
	{"delta", "delta -0.5", 0, -0.5},
	{"(fast|slow) ([0-9]+)", "fast 5", -EINVAL, 0}, /* the first group holds no number */
	{"$", "5", -EINVAL, 0},
};

static void finds_the_number_of_a_line(void **state)
{
	char why[64];

	for (size_t i = 0; i < PIT_COUNT(finds); i++) {
		struct pit_pattern *p = NULL;
		double value = 0;

		print_message("# /%s/ in '%s'\n", finds[i].pattern, finds[i].line);
		assert_int_equal(pit_pattern_new(finds[i].pattern, &p, why, sizeof(why)), 0);
		assert_int_equal(pit_pattern_find(p, finds[i].line, &value), finds[i].rc);
		assert_true(value == finds[i].value);
		pit_pattern_free(p);
	}
}

static void refuses_what_is_no_pattern(void **state)
{
	struct pit_pattern *p = NULL;
	char why[64] = "";

	assert_int_equal(pit_pattern_new("a(b", &p, why, sizeof(why)), -EINVAL);
	assert_null(p);
	assert_true(why[0]);
	pit_pattern_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(finds_the_number_of_a_line),
		cmocka_unit_test(refuses_what_is_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
