/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "pitcrew/error.h"

static void errors_wrap(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	char longer[600];

	errno = EXDEV;
	assert_int_equal(pit_fail(&err, ENOENT, "no %s", "file"), -ENOENT);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, "no file");
	assert_int_equal(pit_wrap(&err, -ENOENT, "rank %d", 3), -ENOENT);
	assert_string_equal(err.text, "rank 3: no file");
	assert_int_equal(pit_wrap(&err, 0, "nothing"), 0);
	assert_string_equal(err.text, "rank 3: no file");
	assert_int_equal(pit_fail(NULL, EIO, "x"), -EIO);
	assert_int_equal(pit_wrap(NULL, -EIO, "x"), -EIO);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	pit_fail(&err, EIO, "%s", longer);
	assert_string_equal(err.text + sizeof(err.text) - 4, "...");
	err = (struct pit_error)PIT_ERROR_INIT;
	pit_wrap(&err, -EIO, "disk");
	assert_string_equal(err.text, "disk: Input/output error");
}

static void buffers_grow(void **state)
{
	struct pit_buf b = PIT_BUF_INIT;
	char *text;

	assert_string_equal(b.data, "");
	for (int i = 0; i < 1000; i++)
		pit_buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_int_equal(strlen(b.data), 2000);
	text = pit_buf_take(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(strncmp(text, "0,1,2,", 6), 0);
	free(text);
	text = pit_buf_take(&b);
	assert_string_equal(text, "");
	free(text);
	pit_buf_free(&b);
}

static void vectors_sort_numbers(void **state)
{
	pit_auto_strv struct pit_strv v = {0};

	assert_int_equal(pit_strv_split(&v, "cpu10,cpu2,,cpu1", ","), 0);
	pit_strv_sort(&v);
	assert_int_equal(v.count, 3);
	assert_string_equal(v.item[0], "cpu1");
	assert_string_equal(v.item[2], "cpu10");
	assert_true(pit_strv_has(&v, "cpu2"));
	assert_false(pit_strv_has(&v, "cpu3"));
}

static void maps_keep_all(void **state)
{
	struct pit_strmap m = {0};
	char key[16];

	assert_null(pit_strmap_get(&m, "x"));
	for (intptr_t i = 1; i <= 1000; i++) {
		snprintf(key, sizeof(key), "k%d", (int)i);
		assert_int_equal(pit_strmap_put(&m, key, (void *)i), 0);
	}
	assert_int_equal(pit_strmap_put(&m, "k7", (void *)-7), 0);
	assert_int_equal(m.count, 1000);
	assert_ptr_equal(pit_strmap_get(&m, "k7"), (void *)-7);
	assert_ptr_equal(pit_strmap_get(&m, "k1000"), (void *)1000);
	assert_null(pit_strmap_get(&m, "k1001"));
	pit_strmap_free(&m, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_wrap),
		cmocka_unit_test(buffers_grow),
		cmocka_unit_test(vectors_sort_numbers),
		cmocka_unit_test(maps_keep_all),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
