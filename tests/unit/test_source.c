/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "source_place.h"

static void has_names(const struct pit_source *s, const char *const *names, size_t count)
{
	assert_int_equal(pit_source_count(s), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(pit_source_name(s, i), names[i]);
	assert_null(pit_source_name(s, count));
}

static void fails(struct place *p, enum pit_source_kind kind, const char *path, int rc, const char *said)
{
	struct pit_source *s = (struct pit_source *)p;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(place_open(p, kind, path, &s, &err), rc);
	assert_ptr_equal(s, p);
	if (!strstr(err.text, said))
		fail_msg("\"%s\" is not in \"%s\"", said, err.text);
}

static void lists_a_tree_by_bytes(void **state)
{
	static const char *const names[] = {"B", "a", "a-b", "a.d/x", "b/1/2/3", "b/z", "b0", "empty", "l\nf", "\xff"};
	struct place *p = *state;
	struct pit_source *s = NULL;

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		tempdir_file(p->dir, names[i], strcmp(names[i], "empty") ? names[i] : "");
	assert_int_equal(place_open(p, PIT_SOURCE_AUTO, "", &s, NULL), 0);
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

static void links_to_files_only_are_followed(void **state)
{
	static const char *const names[] = {"a", "link", "sub/b"};
	struct place *p = *state;
	struct pit_source *s = NULL;

	tempdir_file(p->dir, "t/a", "one");
	tempdir_file(p->dir, "t/sub/b", "three");
	tempdir_link(p->dir, "t/link", "sub/b");
	tempdir_link(p->dir, "t/to-directory", "sub");
	tempdir_link(p->dir, "t/sub/up", "..");
	tempdir_link(p->dir, "to-tree", "t");
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "to-tree/", &s, NULL), 0);
	has_names(s, names, PIT_COUNT(names));
	assert_int_equal(pit_source_bytes(s), 3 + 5 + 5);
	pit_source_close(s);
	tempdir_link(p->dir, "t/nowhere", "absent");
	fails(p, PIT_SOURCE_FILES, "t", -ENOENT, "nowhere: a symbolic link that leads nowhere");
	tempdir_link(p->dir, "u/loop", "loop");
	fails(p, PIT_SOURCE_FILES, "u", -ELOOP, "loop: ");
}

static void what_is_no_file_is_left_out(void **state)
{
	static const char *const names[] = {"a"};
	struct place *p = *state;
	struct pit_source *s = NULL;
	char fifo[100];

	tempdir_file(p->dir, "a", "x");
	snprintf(fifo, sizeof(fifo), "%s/fifo", p->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	tempdir_link(p->dir, "to-fifo", "fifo");
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "", &s, NULL), 0);
	has_names(s, names, 1);
	pit_source_close(s);
	fails(p, PIT_SOURCE_FILES, "fifo", -EINVAL, "neither a directory nor a regular file");
}

/* In a process of another user, as root may list everything. */
static void a_directory_that_cannot_be_listed_is_named(void **state)
{
	struct place *p = *state;
	int status = -1;
	char sub[100];
	pid_t pid;

	tempdir_file(p->dir, "sub/a", "x");
	snprintf(sub, sizeof(sub), "%s/sub", p->dir);
	assert_int_equal(chmod(sub, 0) | chmod(p->dir, 0755), 0);
	pid = fork();
	if (!pid) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_source *s = NULL;

		if (!geteuid() && setresuid(65534, 65534, 65534))
			_exit(1);
		if (place_open(p, PIT_SOURCE_FILES, "", &s, &err) != -EACCES)
			_exit(2);
		_exit(strstr(err.text, "sub/: cannot be listed") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	chmod(sub, 0700);
	assert_int_equal(status, 0);
}

static void no_samples_is_an_error(void **state)
{
	struct place *p = *state;

	fails(p, PIT_SOURCE_AUTO, "", -ENOENT, "no samples in ");
	fails(p, PIT_SOURCE_AUTO, "absent", -ENOENT, "absent: No such file");
	fails(p, PIT_SOURCE_AUTO, "ab*", -ENOENT, "ab*: no file fits this pattern");
	tempdir_file(p->dir, "list", "");
	fails(p, PIT_SOURCE_MANIFEST, "list", -ENOENT, "no samples in ");
	fails(p, PIT_SOURCE_MANIFEST, "", -EISDIR, "a manifest is a file");
	fails(p, (enum pit_source_kind)99, "", -EINVAL, "no such kind");
}

static void wants_are_checked(void **state)
{
	struct pit_source_want want = {.size = 3};
	const char *const empty[] = {""};
	struct pit_source *s = NULL;

	assert_int_equal(pit_source_open(&want, &s, NULL), -EINVAL);
	want.size = sizeof(want);
	assert_int_equal(pit_source_open(&want, &s, NULL), -EINVAL);
	want.paths = empty;
	want.path_count = 1;
	assert_int_equal(pit_source_open(&want, &s, NULL), -EINVAL);
	assert_null(s);
	pit_source_close(NULL);
}

/* Several paths, patterns, and what is named twice; names go from the directory that all have in common. */
static void several_paths_are_one_list(void **state)
{
	static const char *const names[] = {"a/1.jpg", "a/2.jpg", "b.jpg", "c/[x].jpg", "c/x.jpg"};
	struct place *p = *state;
	char text[6][100];
	const char *paths[6], *jpg[] = {".jpg", ".none"};
	struct pit_source_want want = {.size = sizeof(want),
				       .kind = PIT_SOURCE_FILES,
				       .paths = paths,
				       .path_count = 6,
				       .suffixes = jpg,
				       .suffix_count = 2};
	struct pit_source *s = NULL;

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		tempdir_file(p->dir, names[i], "x");
	tempdir_file(p->dir, "a/3.png", "x");
	tempdir_file(p->dir, "d/4.jpg", "x");
	snprintf(text[0], 100, "%s/c/x.jpg", p->dir);
	snprintf(text[1], 100, "%s/a//", p->dir);
	snprintf(text[2], 100, "%s/?.jpg", p->dir);
	snprintf(text[3], 100, "%s/a/2.jpg", p->dir);
	snprintf(text[4], 100, "%s/c/[x].jpg", p->dir);
	snprintf(text[5], 100, "%s/c/x.j*", p->dir);
	for (size_t i = 0; i < 6; i++)
		paths[i] = text[i];
	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	has_names(s, names, PIT_COUNT(names));
	pit_source_close(s);
}

static void names_hold_when_the_process_goes_elsewhere(void **state)
{
	static const char *const names[] = {"one/x", "two"};
	struct place *p = *state;
	const char *const paths[] = {"one", "two"};
	const struct pit_source_want want = {.size = sizeof(want), .paths = paths, .path_count = 2};
	struct pit_source *s = NULL;

	tempdir_file(p->dir, "one/x", "x");
	tempdir_file(p->dir, "two", "x");
	assert_int_equal(chdir(p->dir), 0);
	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	assert_int_equal(chdir("/"), 0);
	has_names(s, names, 2);
	assert_int_equal(faccessat(pit_source_dir(s), pit_source_file(s, 0), R_OK, 0), 0);
	pit_source_close(s);
}

static uint64_t fingerprint(struct place *p, enum pit_source_kind kind, const char *path)
{
	struct pit_source *s = NULL;
	uint64_t print;

	assert_int_equal(place_open(p, kind, path, &s, NULL), 0);
	print = pit_source_fingerprint(s);
	pit_source_close(s);
	return print;
}

static void fingerprints_are_of_names_and_sizes(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 2; i++) {
		const char *dir = i ? "far/away" : "here";
		char path[50];

		snprintf(path, sizeof(path), "%s/a/b", dir);
		tempdir_file(p->dir, path, i ? "xx" : "yy");
		snprintf(path, sizeof(path), "%s/c", dir);
		tempdir_file(p->dir, path, "z");
	}
	assert_int_equal(fingerprint(p, PIT_SOURCE_FILES, "here"), fingerprint(p, PIT_SOURCE_FILES, "far/away"));
	tempdir_file(p->dir, "list", "here/a/b\nhere/c\n");
	tempdir_file(p->dir, "here/list", "a/b\nc\n");
	assert_int_equal(fingerprint(p, PIT_SOURCE_MANIFEST, "here/list"),
			 fingerprint(p, PIT_SOURCE_FILES, "far/away"));
	assert_int_not_equal(fingerprint(p, PIT_SOURCE_FILES, "here"), fingerprint(p, PIT_SOURCE_FILES, "far/away"));
	tempdir_file(p->dir, "far/away/list", "a/b\nc\n");
	assert_int_equal(fingerprint(p, PIT_SOURCE_FILES, "here"), fingerprint(p, PIT_SOURCE_FILES, "far/away"));
	tempdir_file(p->dir, "here/c", "longer");
	assert_int_not_equal(fingerprint(p, PIT_SOURCE_FILES, "here"), fingerprint(p, PIT_SOURCE_FILES, "far/away"));
}

static int open_records(struct place *p, uint64_t bytes, struct pit_source **ret, struct pit_error *err)
{
	const char *const paths[] = {p->path};
	const struct pit_source_want want = {.size = sizeof(want),
					     .kind = PIT_SOURCE_RECORDS,
					     .paths = paths,
					     .path_count = 1,
					     .record_bytes = bytes,
					     .header_bytes = 2};

	snprintf(p->path, sizeof(p->path), "%s/r", p->dir);
	return pit_source_open(&want, ret, err);
}

static void records_have_numbers(void **state)
{
	struct place *p = *state;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;
	struct pit_extent x;

	tempdir_file(p->dir, "r/a", "HHaaaaabbbbb");
	tempdir_file(p->dir, "r/b", "HH");
	tempdir_file(p->dir, "r/c", "HHccccc");
	assert_int_equal(open_records(p, 5, &s, NULL), 0);
	assert_int_equal(pit_source_count(s), 3);
	assert_int_equal(pit_source_bytes(s), 15);
	assert_string_equal(pit_source_name(s, 2), "");
	assert_null(pit_source_name(s, 3));
	assert_false(pit_source_whole(s));
	pit_source_extent(s, 1, 0, &x);
	assert_true(x.file == 0 && x.offset == 7 && x.len == 5 && !x.has_sum);
	pit_source_extent(s, 2, 0, &x);
	assert_true(x.file == 2 && x.offset == 2 && x.len == 5);
	assert_int_equal(pit_source_parts(s, 2), 1);
	pit_source_close(s);
	tempdir_file(p->dir, "r/d", "HHd");
	assert_int_equal(open_records(p, 5, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "d: 3 bytes are no header of 2 and whole records of 5"));
	assert_int_equal(open_records(p, 0, &s, NULL), -EINVAL);
}

/* Memory goes with files, not with records: this would take 32 GB otherwise. */
static void there_may_be_a_billion_records(void **state)
{
	struct place *p = *state;
	const uint64_t count = 2000000000;
	struct pit_source *s = NULL;
	struct pit_extent x;
	char full[100];

	tempdir_file(p->dir, "r/a", "");
	snprintf(full, sizeof(full), "%s/r/a", p->dir);
	if (truncate(full, (off_t)(2 + 2048 * count)))
		skip(); /* a file system without such large files */
	assert_int_equal(open_records(p, 2048, &s, NULL), 0);
	assert_int_equal(pit_source_count(s), count);
	pit_source_extent(s, count - 1, 0, &x);
	assert_int_equal(x.offset, 2 + 2048 * (count - 1));
	pit_source_close(s);
}

static void others_may_hold_it(void **state)
{
	struct place *p = *state;
	struct pit_source *s = NULL;

	tempdir_file(p->dir, "a", "x");
	assert_int_equal(place_open(p, PIT_SOURCE_AUTO, "a", &s, NULL), 0);
	assert_ptr_equal(pit_source_ref(s), s);
	pit_source_close(s);
	assert_string_equal(pit_source_name(s, 0), "a");
	pit_source_close(s);
}

static void kinds_are_told_by_names(void **state)
{
	static const struct {
		const char *files[3];
		const char *path;
		enum pit_source_kind kind;
	} looks[] = {
		{.files = {"a.tar", "a.tar.pitidx", "b.tar"}, .path = "", .kind = PIT_SOURCE_TAR},
		{.files = {"a.tar", "read.me", NULL}, .path = "", .kind = PIT_SOURCE_FILES},
		{.files = {"a.txt", "b.txt", NULL}, .path = "", .kind = PIT_SOURCE_FILES},
		{.files = {"a.jpg", NULL, NULL}, .path = "/a.jpg", .kind = PIT_SOURCE_FILES},
		{.files = {"a.list", "\n", NULL}, .path = "/a.list", .kind = PIT_SOURCE_MANIFEST},
	};
	struct place *p = *state;

	for (size_t i = 0; i < PIT_COUNT(looks); i++) {
		struct pit_source *s = NULL;
		char path[50];

		for (size_t k = 0; k < 3 && looks[i].files[k]; k++) {
			bool tar = strstr(looks[i].files[k], ".tar") && looks[i].kind == PIT_SOURCE_TAR;

			snprintf(path, sizeof(path), "%zu/%s", i, looks[i].files[k]);
			tempdir_file(p->dir, path, tar ? "" : "\n");
		}
		snprintf(path, sizeof(path), "%zu%s", i, looks[i].path);
		if (looks[i].kind == PIT_SOURCE_TAR || looks[i].kind == PIT_SOURCE_MANIFEST) {
			fails(p, PIT_SOURCE_AUTO, path, -ENOENT, "no samples");
			continue;
		}
		assert_int_equal(place_open(p, PIT_SOURCE_AUTO, path, &s, NULL), 0);
		assert_int_equal(pit_source_kind_of(s), looks[i].kind);
		pit_source_close(s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_a_tree_by_bytes),
		TEST(links_to_files_only_are_followed),
		TEST(what_is_no_file_is_left_out),
		TEST(a_directory_that_cannot_be_listed_is_named),
		TEST(no_samples_is_an_error),
		TEST(wants_are_checked),
		TEST(several_paths_are_one_list),
		TEST(names_hold_when_the_process_goes_elsewhere),
		TEST(fingerprints_are_of_names_and_sizes),
		TEST(records_have_numbers),
		TEST(there_may_be_a_billion_records),
		TEST(others_may_hold_it),
		TEST(kinds_are_told_by_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
