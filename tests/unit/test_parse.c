/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const struct {
	const char *text;
	int rc;
	uint64_t value;
} unsigneds[] = {
	{"0", 0, 0},
	{" 42\n", 0, 42},
	{"18446744073709551615", 0, UINT64_MAX},
	{"18446744073709551616", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{"1 2", -EINVAL, 0},
	{"1x", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
};

static void parses_unsigned(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(unsigneds); i++) {
		uint64_t value = 77;

		assert_int_equal(pit_parse_u64(unsigneds[i].text, &value), unsigneds[i].rc);
		assert_int_equal(value, unsigneds[i].rc ? 77 : unsigneds[i].value);
	}
}

static const struct {
	const char *text;
	int rc;
	int64_t value;
} signeds[] = {
	{"-1\n", 0, -1},
	{"+7", 0, 7},
	{"-9223372036854775808", 0, INT64_MIN},
	{"9223372036854775807", 0, INT64_MAX},
	{"9223372036854775808", -ERANGE, 0},
	{"-9223372036854775809", -ERANGE, 0},
	{"--1", -EINVAL, 0},
	{"-", -EINVAL, 0},
};

static void parses_signed(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(signeds); i++) {
		int64_t value = 77;

		assert_int_equal(pit_parse_i64(signeds[i].text, &value), signeds[i].rc);
		assert_int_equal(value, signeds[i].rc ? 77 : signeds[i].value);
	}
}

static const struct {
	const char *text;
	int rc;
	uint64_t bytes;
} sizes[] = {
	{"64", 0, 64},           {"64k", 0, 65536},         {"8192 kB", 0, 8388608}, {"2GiB", 0, 2147483648},
	{"1T\n", 0, 1ull << 40}, {"16777216T", -ERANGE, 0}, {"1X", -EINVAL, 0},      {"", -EINVAL, 0},
	{"k", -EINVAL, 0},       {"1kBx", -EINVAL, 0},
};

static void parses_sizes(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(sizes); i++) {
		uint64_t bytes = 77;

		assert_int_equal(pit_parse_size(sizes[i].text, &bytes), sizes[i].rc);
		assert_int_equal(bytes, sizes[i].rc ? 77 : sizes[i].bytes);
	}
}

static void parses_others(void **state)
{
	uint64_t hex = 0;
	double d = 0;
	bool b = false;
	char line[8];

	assert_int_equal(pit_parse_hex("0x10de\n", &hex), 0);
	assert_int_equal(hex, 0x10de);
	assert_int_equal(pit_parse_hex("10000000000000000", &hex), -ERANGE);
	assert_int_equal(pit_parse_double("1.5\n", &d), 0);
	assert_true(d == 1.5);
	assert_int_equal(pit_parse_double("nan", &d), -EINVAL);
	assert_int_equal(pit_parse_double("1.5x", &d), -EINVAL);
	assert_int_equal(pit_parse_bool("Enabled\n", &b), 0);
	assert_true(b);
	assert_int_equal(pit_parse_bool("perhaps", &b), -EINVAL);
	assert_string_equal(pit_first_line("  a b \nc", line, sizeof(line)), "a b");
	assert_string_equal(pit_first_line("abcdefghij", line, sizeof(line)), "abcdefg");
}

static void formats_sizes(void **state)
{
	char out[32];

	assert_string_equal(pit_format_size(0, out, sizeof(out)), "0 B");
	assert_string_equal(pit_format_size(1023, out, sizeof(out)), "1023 B");
	assert_string_equal(pit_format_size(8192, out, sizeof(out)), "8 KiB");
	assert_string_equal(pit_format_size(1536, out, sizeof(out)), "1.5 KiB");
	assert_string_equal(pit_format_size(UINT64_MAX, out, sizeof(out)), "16 EiB");
}

static const struct {
	const char *text;
	int rc;
	int64_t ns;
	const char *again;
} spans[] = {
	{"10", 0, INT64_C(10000000000), "10 s"},
	{"10s", 0, INT64_C(10000000000), "10 s"},
	{" 500ms\n", 0, 500000000, "500 ms"},
	{"1.5 s", 0, 1500000000, "1.5 s"},
	{"90s", 0, INT64_C(90000000000), "90 s"},
	{"2m", 0, INT64_C(120000000000), "2 min"},
	{"2min", 0, INT64_C(120000000000), "2 min"},
	{"2h", 0, INT64_C(7200000000000), "2 h"},
	{"1d", 0, INT64_C(86400000000000), "24 h"},
	{"0", 0, 0, "0 ms"},
	{"", -EINVAL, 0, NULL},
	{"s", -EINVAL, 0, NULL},
	{"-1s", -EINVAL, 0, NULL},
	{"1 week", -EINVAL, 0, NULL},
	{"1s2", -EINVAL, 0, NULL},
	{"1e5", -EINVAL, 0, NULL},
	{"0x10", -EINVAL, 0, NULL},
	{"1.5.2s", -EINVAL, 0, NULL},
	{"inf", -EINVAL, 0, NULL},
	{"nan", -EINVAL, 0, NULL},
	{"secondsandmore", -EINVAL, 0, NULL},
	{"9999999999999999s", -ERANGE, 0, NULL},
};

static void parses_and_formats_durations(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(spans); i++) {
		int64_t ns = 77;
		char out[32];

		assert_int_equal(pit_parse_duration(spans[i].text, &ns), spans[i].rc);
		assert_int_equal(ns, spans[i].rc ? 77 : spans[i].ns);
		if (!spans[i].rc)
			assert_string_equal(pit_format_duration(ns, out, sizeof(out)), spans[i].again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_formats_durations),
		cmocka_unit_test(parses_unsigned),
		cmocka_unit_test(parses_signed),
		cmocka_unit_test(parses_sizes),
		cmocka_unit_test(parses_others),
		cmocka_unit_test(formats_sizes),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
