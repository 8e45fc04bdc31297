/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed/source.h"
#include "tempdir.h"

struct place {
	char dir[64];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	tempdir_new(p->dir, sizeof(p->dir));
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	tempdir_remove(p->dir);
	free(p);
	return 0;
}

/* Opens the source of the one path DIR/PATH. */
static int open_kind(const struct place *p, enum pit_source_kind kind, const char *path, struct pit_source **ret,
		     struct pit_error *err)
{
	char full[4200];
	const char *paths[] = {full};
	struct pit_source_want want = {.size = sizeof(want), .kind = kind, .paths = paths, .path_count = 1};

	snprintf(full, sizeof(full), "%s%s%s", p->dir, *path ? "/" : "", path);
	return pit_source_open(&want, ret, err);
}

static void has_names(const struct pit_source *s, const char *const *names, size_t count)
{
	assert_int_equal(pit_source_count(s), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(pit_source_name(s, i), names[i]);
	assert_null(pit_source_name(s, count));
}

static void lists_a_tree_by_bytes(void **state)
{
	static const char *const names[] = {"B", "a", "a-b", "a.d/x", "b/1/2/3", "b/z", "b0", "empty", "l\nf", "\xff"};
	const struct place *p = *state;
	struct pit_source *s = NULL;

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		tempdir_file(p->dir, names[i], strcmp(names[i], "empty") ? names[i] : "");
	assert_int_equal(open_kind(p, PIT_SOURCE_AUTO, "", &s, NULL), 0);
	assert_int_equal(pit_source_kind_of(s), PIT_SOURCE_FILES);
	has_names(s, names, PIT_COUNT(names));
	assert_true(pit_source_whole(s));
	assert_int_equal(pit_source_files(s), PIT_COUNT(names));
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		struct pit_extent x;

		pit_source_extent(s, i, 0, &x);
		assert_int_equal(pit_source_parts(s, i), 1);
		assert_int_equal(x.len, strcmp(names[i], "empty") ? strlen(names[i]) : 0);
		assert_int_equal(x.file, i);
		assert_string_equal(pit_source_key(s, x.key), "");
		assert_int_equal(faccessat(pit_source_dir(s), pit_source_file(s, x.file), R_OK, 0), 0);
	}
	pit_source_close(s);
}

static void records_have_numbers(void **state)
{
	const struct place *p = *state;
	char full[100];
	const char *paths[] = {full};
	struct pit_source_want want = {.size = sizeof(want),
				       .kind = PIT_SOURCE_RECORDS,
				       .paths = paths,
				       .path_count = 1,
				       .record_bytes = 5,
				       .header_bytes = 2};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;
	struct pit_extent x;

	tempdir_file(p->dir, "r/a", "HHaaaaabbbbb");
	tempdir_file(p->dir, "r/b", "HH");
	tempdir_file(p->dir, "r/c", "HHccccc");
	snprintf(full, sizeof(full), "%s/r", p->dir);
	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	assert_int_equal(pit_source_count(s), 3);
	assert_int_equal(pit_source_bytes(s), 15);
	assert_string_equal(pit_source_name(s, 2), "");
	pit_source_extent(s, 1, 0, &x);
	assert_true(x.file == 0 && x.offset == 7 && x.len == 5 && !x.has_sum);
	pit_source_extent(s, 2, 0, &x);
	assert_true(x.file == 2 && x.offset == 2 && x.len == 5);
	pit_source_close(s);
	tempdir_file(p->dir, "r/d", "HHd");
	assert_int_equal(pit_source_open(&want, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "d: 3 bytes are no header of 2 and whole records of 5"));
	want.record_bytes = 0;
	assert_int_equal(pit_source_open(&want, &s, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_a_tree_by_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_have_numbers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
