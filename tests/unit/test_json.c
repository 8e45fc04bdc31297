/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/json.h"

static void writes_lines_of_ascii(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_buf_puts(&out, "> ");
	assert_int_equal(pit_json_put(json_pack("{s:o}", "a", pit_json_text("\xc3\xa4")), &out), 0);
	assert_string_equal(out.data, "> {\n \"a\": \"\\u00E4\"\n}\n");
}

static void failures_stay_in_the_buffer(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	assert_int_equal(pit_json_put(NULL, &out), -ENOMEM);
	assert_true(out.failed);
	assert_int_equal(pit_json_put(json_array(), &out), -ENOMEM);
}

static void unknown_is_null(void **state)
{
	json_t *values = json_pack("[o, o, o, o]", pit_json_text(NULL), pit_json_text("\xff!"), pit_json_number(-1),
				   pit_json_number(7));

	assert_true(json_is_null(json_array_get(values, 0)));
	assert_string_equal(json_string_value(json_array_get(values, 1)), "?!");
	assert_true(json_is_null(json_array_get(values, 2)));
	assert_int_equal(json_integer_value(json_array_get(values, 3)), 7);
	json_decref(values);
}

static void numbers_have_no_digits_of_noise(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	assert_int_equal(pit_json_put(json_pack("[f, f]", 1089616 / 1e9, 0.1), &out), 0);
	assert_string_equal(out.data, "[\n 0.001089616,\n 0.1\n]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_lines_of_ascii),
		cmocka_unit_test(failures_stay_in_the_buffer),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(numbers_have_no_digits_of_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
