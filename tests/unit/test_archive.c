/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "host/archive.h"
#include "host/root.h"
#include "../tempdir.h"

struct member {
	const char *name;
	unsigned type;    /* AE_IF...; 0: a hard link to `text` */
	const char *text; /* content, or target of a link */
};

/* An archive with members that pit_archive_create() would never write. */
static void write_raw(const char *path, const struct member *m, size_t count)
{
	struct archive *a = archive_write_new();

	archive_write_set_format_pax_restricted(a);
	archive_write_add_filter_gzip(a);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, m[i].name);
		archive_entry_set_filetype(e, m[i].type ? m[i].type : AE_IFREG);
		archive_entry_set_perm(e, 0777);
		if (!m[i].type)
			archive_entry_set_hardlink(e, m[i].text);
		else if (m[i].type == AE_IFLNK)
			archive_entry_set_symlink(e, m[i].text);
		else if (m[i].type == AE_IFREG)
			archive_entry_set_size(e, (la_int64_t)strlen(m[i].text));
		assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
		if (m[i].type == AE_IFREG)
			archive_write_data(a, m[i].text, strlen(m[i].text));
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

static int try_one(const struct member *m, size_t count, struct pit_unpacked *ret, struct pit_error *err)
{
	char dir[64], path[96];
	int rc;

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/x.tar.gz", dir);
	write_raw(path, m, count);
	rc = pit_archive_unpack(path, ret, err);
	tempdir_remove(dir);
	return rc;
}

static const struct member absolute[] = {{"/etc/evil", AE_IFREG, "x"}};
static const struct member upward[] = {{"a/../../evil", AE_IFREG, "x"}};
static const struct member upward_dir[] = {{"..", AE_IFDIR, NULL}};

static void refuses_names_outside(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_unpacked u = PIT_UNPACKED_INIT;

	assert_int_equal(try_one(absolute, 1, &u, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "'/etc/evil' has an absolute name"));
	assert_int_equal(try_one(upward, 1, &u, NULL), -EBADMSG);
	assert_int_equal(try_one(upward_dir, 1, &u, NULL), -EBADMSG);
}

static const struct member through_links[] = {
	{"proc/version", AE_IFREG, "ok\n"},
	{"out", AE_IFLNK, "/tmp"},
	{"out/pitcrew-escaped", AE_IFREG, "x"},
	{"up", AE_IFLNK, "../.."},
	{"up/pitcrew-escaped", AE_IFREG, "x"},
	{"proc/version2", AE_IFLNK, "/tmp/pitcrew-escaped"},
	{"proc/version2", AE_IFREG, "replaced\n"},
	{"hard", 0, "proc/version"},
	{"fifo", AE_IFIFO, NULL},
	{"proc/version/below-a-file", AE_IFREG, "x"},
};

static void writes_through_no_link(void **state)
{
	struct pit_root *root;
	struct pit_unpacked u = PIT_UNPACKED_INIT;
	char line[32], base[512];

	unlink("/tmp/pitcrew-escaped");
	assert_int_equal(try_one(through_links, sizeof(through_links) / sizeof(through_links[0]), &u, NULL), 0);
	assert_int_equal(access("/tmp/pitcrew-escaped", F_OK), -1);
	assert_int_equal(pit_root_open(u.dir, &root, NULL), 0);
	assert_int_equal(pit_root_str(root, line, sizeof(line), "/proc/version2"), 0);
	assert_string_equal(line, "replaced");
	assert_int_equal(pit_root_str(root, line, sizeof(line), "/hard"), 0);
	assert_string_equal(line, "ok");
	assert_int_equal(pit_root_exists(root, "/fifo"), -ENOENT);
	pit_root_close(root);
	snprintf(base, sizeof(base), "%s", u.base);
	pit_unpacked_free(&u);
	assert_int_equal(access(base, F_OK), -1);
}

static const struct member wrapped[] = {
	{"./", AE_IFDIR, NULL}, {"./host-7/", AE_IFDIR, NULL}, {"./host-7/proc/uptime", AE_IFREG, "1 1\n"}};

static void steps_into_a_wrapping_directory(void **state)
{
	struct pit_unpacked u = PIT_UNPACKED_INIT;

	assert_int_equal(try_one(wrapped, 3, &u, NULL), 0);
	assert_non_null(strstr(u.dir, "/host-7"));
	pit_unpacked_free(&u);
}

static void refuses_what_is_no_archive(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_unpacked u = PIT_UNPACKED_INIT;
	char dir[64], path[96];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/x.tar", "this is no archive at all\n");
	tempdir_file(dir, "/empty.tar", "");
	snprintf(path, sizeof(path), "%s/x.tar", dir);
	assert_true(pit_archive_unpack(path, &u, &err) < 0);
	assert_non_null(strstr(err.text, path));
	snprintf(path, sizeof(path), "%s/empty.tar", dir);
	assert_true(pit_archive_unpack(path, &u, NULL) < 0);
	snprintf(path, sizeof(path), "%s/none.tar", dir);
	assert_true(pit_archive_unpack(path, &u, NULL) < 0);
	tempdir_remove(dir);
}

static void round_trips(void **state)
{
	static const char *const ends[] = {".tar", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"};
	struct pit_unpacked u = PIT_UNPACKED_INIT;
	char dir[64], path[96], line[32];
	struct pit_archive *a;
	struct pit_root *root;

	tempdir_new(dir, sizeof(dir));
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s/x%s", dir, ends[i]);
		assert_int_equal(pit_archive_create(path, &a, NULL), 0);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(pit_archive_file(a, "proc/a", "text\n", 5, NULL), 0);
		assert_int_equal(pit_archive_link(a, "proc/b", "a", NULL), 0);
		assert_int_equal(pit_archive_finish(a, NULL), 0);
		assert_int_equal(pit_archive_unpack(path, &u, NULL), 0);
		assert_int_equal(pit_root_open(u.dir, &root, NULL), 0);
		assert_int_equal(pit_root_str(root, line, sizeof(line), "/proc/b"), 0);
		assert_string_equal(line, "text");
		pit_root_close(root);
		pit_unpacked_free(&u);
	}
	snprintf(path, sizeof(path), "%s/x.zip", dir);
	assert_int_equal(pit_archive_create(path, &a, NULL), -EINVAL);
	snprintf(path, sizeof(path), "%s/none/x.tar", dir);
	assert_int_equal(pit_archive_create(path, &a, NULL), -ENOENT);
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_names_outside),
		cmocka_unit_test(writes_through_no_link),
		cmocka_unit_test(steps_into_a_wrapping_directory),
		cmocka_unit_test(refuses_what_is_no_archive),
		cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
