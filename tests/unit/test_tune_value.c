/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tune/value.h"

static const struct {
	enum pit_value_kind kind;
	const char *text, *canon; /* NULL: it is no such value */
} canons[] = {
	{PIT_VALUE_INT, "10\n", "10"},
	{PIT_VALUE_INT, " -1\n", "-1"},
	{PIT_VALUE_INT, "-0", "0"},
	{PIT_VALUE_INT, "+7", "7"},
	{PIT_VALUE_INT, "007", "7"},
	{PIT_VALUE_INT, "9223372036854775807\n", "9223372036854775807"},
	{PIT_VALUE_INT, "18446744073692774399\n", "18446744073692774399"},
	{PIT_VALUE_INT, "-9223372036854775808", "-9223372036854775808"},
	{PIT_VALUE_INT, "18446744073709551616", NULL},
	{PIT_VALUE_INT, "", NULL},
	{PIT_VALUE_INT, "0x10", NULL},
	{PIT_VALUE_INT, "1 2", NULL},
	{PIT_VALUE_WORDS, "4096\t131072\t6291456\n", "4096 131072 6291456"},
	{PIT_VALUE_WORDS, "  4096   131072 ", "4096 131072"},
	{PIT_VALUE_WORDS, "20%\n", "20%"},
	{PIT_VALUE_WORDS, "\n", ""},
	{PIT_VALUE_CHOICE, "always [madvise] never\n", "madvise"},
	{PIT_VALUE_CHOICE, "always defer [defer+madvise] madvise never\n", "defer+madvise"},
	{PIT_VALUE_CHOICE, "performance\n", "performance"},
	{PIT_VALUE_CHOICE, "[none]\n", "none"},
	{PIT_VALUE_CHOICE, "always never", NULL},
	{PIT_VALUE_CHOICE, "[always] [never]", NULL},
	{PIT_VALUE_CHOICE, "", NULL},
	{PIT_VALUE_CHOICE, "[]", "[]"},
	{PIT_VALUE_CHOICE, "[[a]]", NULL},
	{PIT_VALUE_CPUS, "0,1,2,3,8\n", "0-3,8"},
	{PIT_VALUE_CPUS, "0-3,8", "0-3,8"},
	{PIT_VALUE_CPUS, "\n", ""},
	{PIT_VALUE_CPUS, "3-1", NULL},
	{PIT_VALUE_CPUS, "all", NULL},
	{PIT_VALUE_MASK, "00000000,000000ff\n", "ff"},
	{PIT_VALUE_MASK, "ff,00000000", "ff,00000000"},
	{PIT_VALUE_MASK, "1,00000000,00000001", "1,00000000,00000001"},
	{PIT_VALUE_MASK, "0", "0"},
	{PIT_VALUE_MASK, "\n", NULL},
	{PIT_VALUE_MASK, "xyz", NULL},
	{PIT_VALUE_BOOL, "Y\n", "1"},
	{PIT_VALUE_BOOL, "off", "0"},
	{PIT_VALUE_BOOL, "2", NULL},
	{PIT_VALUE_TEXT, " a\tb \n", " a\tb \n"},
};

static void finds_the_canonical_form(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(canons); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		int rc = pit_value_canon(canons[i].kind, canons[i].text, &out, &err);

		if (!canons[i].canon) {
			assert_int_equal(rc, -EBADMSG);
			assert_true(err.text[0]);
			assert_int_equal(out.len, 0);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(out.data, canons[i].canon);
	}
}

static void appends_behind_what_is_there(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_buf_puts(&out, "a=");
	assert_int_equal(pit_value_canon(PIT_VALUE_INT, "5", &out, NULL), 0);
	assert_int_equal(pit_value_want(PIT_VALUE_INT, ">=3", "1", 0, &out, NULL), 0);
	assert_string_equal(out.data, "a=53");
}

static const struct {
	enum pit_value_kind kind;
	const char *a, *b;
	bool equal;
} pairs[] = {
	{PIT_VALUE_INT, "10", "10\n", true},
	{PIT_VALUE_INT, "10", "100", false},
	{PIT_VALUE_INT, NULL, NULL, true},
	{PIT_VALUE_INT, NULL, "0", false},
	{PIT_VALUE_TEXT, "", NULL, false},
	{PIT_VALUE_INT, "x", "x", true},
	{PIT_VALUE_INT, "x", "x ", false},
	{PIT_VALUE_INT, "x", "10", false},
	{PIT_VALUE_CHOICE, "always [madvise] never", "madvise", true},
	{PIT_VALUE_CHOICE, "always [madvise] never", "never", false},
	{PIT_VALUE_CPUS, "0,1,2,3", "0-3", true},
	{PIT_VALUE_MASK, "00000000,00000003", "3", true},
	{PIT_VALUE_BOOL, "Y", "1", true},
	{PIT_VALUE_TEXT, "a", "a ", false},
};

static void compares_what_is_said(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(pairs); i++) {
		assert_int_equal(pit_value_equal(pairs[i].kind, pairs[i].a, pairs[i].b), pairs[i].equal);
		assert_int_equal(pit_value_equal(pairs[i].kind, pairs[i].b, pairs[i].a), pairs[i].equal);
	}
}

/* Another's check called every difference of several words "equal", because its comparison failed. */
static void d06_several_words_are_compared_word_by_word(void **state)
{
	static const char kernel[] = "4096\t131072\t6291456\n";

	assert_true(pit_value_equal(PIT_VALUE_WORDS, kernel, "4096 131072 6291456"));
	assert_true(pit_value_equal(PIT_VALUE_WORDS, kernel, "4096  131072\t 6291456 "));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, "4096 131072 16777216"));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, "4096 131072"));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, "4096 131072 6291456 1"));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, "40961310726291456"));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, ""));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, NULL));
	assert_false(pit_value_equal(PIT_VALUE_WORDS, kernel, "* * *"));
}

static const struct {
	enum pit_value_kind kind;
	const char *expression, *current;
	uint64_t memory;
	int rc;
	const char *want;
} wants[] = {
	{PIT_VALUE_INT, "10", "60", 0, 0, "10"},
	{PIT_VALUE_INT, " 10\n", NULL, 0, 0, "10"},
	{PIT_VALUE_INT, ">=4096", "128", 0, 0, "4096"},
	{PIT_VALUE_INT, ">=4096", "8192\n", 0, 0, "8192"},
	{PIT_VALUE_INT, ">= 4096", NULL, 0, 0, "4096"},
	{PIT_VALUE_INT, "<=10", "60", 0, 0, "10"},
	{PIT_VALUE_INT, "<=10", "1", 0, 0, "1"},
	{PIT_VALUE_INT, ">=-1", "-2", 0, 0, "-1"},
	{PIT_VALUE_INT, ">=-5", "-2", 0, 0, "-2"},
	{PIT_VALUE_INT, ">=0", "-1", 0, 0, "0"},
	{PIT_VALUE_INT, ">=9", "18446744073709551615", 0, 0, "18446744073709551615"},
	{PIT_VALUE_INT, ">=4096", "max", 0, -EBADMSG, NULL},
	{PIT_VALUE_INT, "64M", "0", 0, 0, "67108864"},
	{PIT_VALUE_INT, ">=64M", "67108865", 0, 0, "67108865"},
	{PIT_VALUE_INT, "5% memory", "0", 1000, 0, "50"},
	{PIT_VALUE_INT, "12.5% memory", NULL, UINT64_C(1) << 40, 0, "137438953472"},
	{PIT_VALUE_INT, "5%memory ", NULL, 1000, 0, "50"},
	{PIT_VALUE_INT, ">=5% memory", "60", 1000, 0, "60"},
	{PIT_VALUE_INT, "5% memory up to 40", NULL, 1000, 0, "40"},
	{PIT_VALUE_INT, "5%memory up to 60", NULL, 1000, 0, "50"},
	{PIT_VALUE_WORDS, "3% memory up to 60G", "20%", UINT64_C(4) << 40, 0, "64424509440"},
	{PIT_VALUE_WORDS, "3% memory from 256M up to 60G", "20%\n", UINT64_C(1) << 30, 0, "20%"},
	{PIT_VALUE_WORDS, "3% memory from 256M up to 60G", "20%", UINT64_C(4) << 40, 0, "64424509440"},
	{PIT_VALUE_WORDS, "3% memory from 256M", "20%", UINT64_C(1) << 34, 0, "515396075"},
	{PIT_VALUE_WORDS, "3% memory from 256M", NULL, 1000, 0, "30"},
	{PIT_VALUE_INT, ">=5% memory from 60", "10", 1000, 0, "10"},
	{PIT_VALUE_INT, "5% memory from", "10", 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "10 instead of 0", "0\n", 0, 0, "10"},
	{PIT_VALUE_INT, "10 instead of 0", NULL, 0, 0, "10"},
	{PIT_VALUE_INT, "10 instead of 0", "-1\n", 0, 0, "-1"},
	{PIT_VALUE_INT, "10 instead of 0", "1", 0, 0, "1"},
	{PIT_VALUE_INT, "10 instead of", "1", 0, -EINVAL, NULL},
	{PIT_VALUE_INT, "10 instead of none", "1", 0, -EINVAL, NULL},
	{PIT_VALUE_INT, "10 instead of 0", "x", 0, -EBADMSG, NULL},
	{PIT_VALUE_INT, "5% memory up to", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "5% memory up to 0", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "5% memory up to 40 now", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "5% memoryless", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "5% memory", NULL, 0, -ENODATA, NULL},
	{PIT_VALUE_INT, "0% memory", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "101% memory", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "nan% memory", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "5% disk", NULL, 1000, -EINVAL, NULL},
	{PIT_VALUE_INT, "ten", "0", 0, -EINVAL, NULL},
	{PIT_VALUE_INT, "", "0", 0, -EINVAL, NULL},
	{PIT_VALUE_INT, ">=", "0", 0, -EINVAL, NULL},
	{PIT_VALUE_INT, "=> 5", "0", 0, -EINVAL, NULL},
	{PIT_VALUE_WORDS, "4096 131072 16M", "1 2 3", 0, 0, "4096 131072 16777216"},
	{PIT_VALUE_WORDS, ">=4096 131072 16777216", "8192\t65536\t33554432\n", 0, 0, "8192 131072 33554432"},
	{PIT_VALUE_WORDS, "<=4096 131072 16777216", "8192\t65536\t33554432\n", 0, 0, "4096 65536 16777216"},
	{PIT_VALUE_WORDS, ">=4096 131072", "1 2 3", 0, -EINVAL, NULL},
	{PIT_VALUE_WORDS, ">=20%", "1", 0, -EINVAL, NULL},
	{PIT_VALUE_WORDS, ">=4096", "many", 0, -EBADMSG, NULL},
	{PIT_VALUE_WORDS, "20%", "10%", 0, 0, "20%"},
	{PIT_VALUE_WORDS, "", "10%", 0, -EINVAL, NULL},
	{PIT_VALUE_CHOICE, "madvise", "[always] madvise never", 0, 0, "madvise"},
	{PIT_VALUE_CHOICE, "two words", NULL, 0, -EINVAL, NULL},
	{PIT_VALUE_CPUS, "3,2,1", NULL, 0, 0, "1-3"},
	{PIT_VALUE_BOOL, "yes", "N", 0, 0, "1"},
	{PIT_VALUE_BOOL, "maybe", "N", 0, -EINVAL, NULL},
	{PIT_VALUE_TEXT, " >=5 ", NULL, 0, 0, " >=5 "},
};

static void works_out_what_is_wanted(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(wants); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		int rc = pit_value_want(wants[i].kind, wants[i].expression, wants[i].current, wants[i].memory, &out,
					&err);

		if (rc != wants[i].rc)
			fail_msg("'%s' with '%s': %d %s", wants[i].expression, wants[i].current ? wants[i].current : "",
				 rc, err.text);
		assert_string_equal(out.data, wants[i].want ? wants[i].want : "");
		assert_int_equal(err.code, -rc);
		assert_int_equal(!err.text[0], !rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_canonical_form),
		cmocka_unit_test(appends_behind_what_is_there),
		cmocka_unit_test(compares_what_is_said),
		cmocka_unit_test(d06_several_words_are_compared_word_by_word),
		cmocka_unit_test(works_out_what_is_wanted),
	};

	return cmocka_run_group_tests_name("tune_value", tests, NULL, NULL);
}
