/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/idset.h"

static const struct {
	const char *text;
	int rc;
	const char *formatted;
} lists[] = {
	{"", 0, ""},
	{"\n", 0, ""},
	{"0", 0, "0"},
	{"0-3,8\n", 0, "0-3,8"},
	{" ,, 2 , 4-5 ,", 0, "2,4-5"},
	{"0-7:1/2", 0, "0,2,4,6"},
	{"0-31:4/4", 0, "0-31"},
	{"3,1,2,0", 0, "0-3"},
	{"65535", 0, "65535"},
	{"65536", -ERANGE, NULL},
	{"0-98765432123456789", -ERANGE, NULL},
	{"3-1", -EINVAL, NULL},
	{"-1", -EINVAL, NULL},
	{"0-", -EINVAL, NULL},
	{"0-7:0/2", -EINVAL, NULL},
	{"0-7:3/2", -EINVAL, NULL},
	{"0-7:1/0", -EINVAL, NULL},
	{"a", -EINVAL, NULL},
	{"1x", -EINVAL, NULL},
};

static void parses_lists(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lists); i++) {
		pit_auto_idset struct pit_idset s = {0};
		char text[64];

		assert_int_equal(pit_idset_parse(lists[i].text, &s, NULL), lists[i].rc);
		if (lists[i].rc)
			assert_null(s.word);
		else
			assert_string_equal(pit_idset_format(&s, text, sizeof(text)), lists[i].formatted);
	}
}

static const struct {
	const char *text;
	int rc;
	const char *formatted;
} masks[] = {
	{"f", 0, "0-3"},
	{"0", 0, ""},
	{"00000000,00000000,0000000f\n", 0, "0-3"},
	{"1,00000000", 0, "32"},
	{"0x3", 0, "0-1"},
	{"80000000,00000000", 0, "63"},
	{"", -EINVAL, NULL},
	{"fffffffff", -EINVAL, NULL},
	{"g", -EINVAL, NULL},
};

static void parses_masks(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(masks); i++) {
		pit_auto_idset struct pit_idset s = {0};
		char text[64];

		assert_int_equal(pit_idset_parse_mask(masks[i].text, &s, NULL), masks[i].rc);
		if (!masks[i].rc)
			assert_string_equal(pit_idset_format(&s, text, sizeof(text)), masks[i].formatted);
	}
}

static void does_algebra(void **state)
{
	pit_auto_idset struct pit_idset a = {0}, b = {0}, c = {0};
	char text[64];

	assert_int_equal(pit_idset_parse("0-3,100", &a, NULL), 0);
	assert_int_equal(pit_idset_parse("2-5", &b, NULL), 0);
	assert_true(pit_idset_intersects(&a, &b));
	assert_false(pit_idset_is_subset(&a, &b));
	assert_int_equal(pit_idset_copy(&c, &a), 0);
	assert_true(pit_idset_equal(&a, &c));
	pit_idset_intersect(&c, &b);
	assert_string_equal(pit_idset_format(&c, text, sizeof(text)), "2-3");
	assert_true(pit_idset_is_subset(&c, &a));
	assert_int_equal(pit_idset_unite(&c, &a), 0);
	pit_idset_subtract(&c, &b);
	assert_string_equal(pit_idset_format(&c, text, sizeof(text)), "0-1,100");
	assert_int_equal(pit_idset_count(&c), 3);
	assert_int_equal(pit_idset_next(&c, 2), 100);
	assert_int_equal(pit_idset_next(&c, 101), -1);
	assert_string_equal(pit_idset_format(&c, text, 6), "0-...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lists),
		cmocka_unit_test(parses_masks),
		cmocka_unit_test(does_algebra),
	};

	return cmocka_run_group_tests_name("idset", tests, NULL, NULL);
}
