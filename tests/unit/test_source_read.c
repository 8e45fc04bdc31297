/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <xxhash.h>

#include <cmocka.h>

#include "feed/source_read.h"
#include "feed/source_sizes.h"
#include "source_place.h"
#include "tar_bytes.h"

struct told {
	const char *dir;
	char bad[4096]; /* lines NAME: WHY */
	uint64_t sums, sum_of_sums, done, all;
};

static void bad(void *arg, const char *name, const char *why)
{
	struct told *t = arg;
	size_t n = strlen(t->bad);

	assert_false(strncmp(name, t->dir, strlen(t->dir))); /* the whole path */
	name += strlen(t->dir) + 1;
	snprintf(t->bad + n, sizeof(t->bad) - n, "%s: %s\n", name, why);
}

static void sum(void *arg, uint64_t sample, unsigned part, uint64_t value)
{
	struct told *t = arg;

	t->sums++;
	t->sum_of_sums += value;
}

static void progress(void *arg, uint64_t done, uint64_t all)
{
	struct told *t = arg;

	assert_true(done > t->done && done <= all);
	t->done = done;
	t->all = all;
}

static struct told read_all(const struct place *p, struct pit_source *s, struct pit_source_read *r)
{
	static const struct pit_io_want threads = {.engine = PIT_ENGINE_THREADS, .threads = 3};
	struct pit_error err = PIT_ERROR_INIT;
	struct told t = {.bad = "", .dir = p->dir};

	*r = (struct pit_source_read){.io = threads, .bad = bad, .sum = sum, .progress = progress, .arg = &t};
	if (pit_source_read_all(s, r, &err))
		fail_msg("%s", err.text);
	return t;
}

static void all_bytes_are_read(void **state)
{
	struct place *p = *state;
	struct pit_source_read r;
	struct pit_source *s = NULL;
	uint64_t wanted = 0, bytes = 0;
	char *text = calloc(1, 600000), name[32];
	struct told t;

	for (size_t i = 0; i < 100; i++) {
		size_t len = i ? i * 7 : 600000; /* one of several pieces */

		snprintf(name, sizeof(name), "%zu/f", i);
		memset(text, (int)i, len);
		assert_int_equal(tempdir_write(p->dir, name, text, len), 0);
		wanted += XXH3_64bits(text, len);
		bytes += len;
	}
	tempdir_file(p->dir, "empty", "");
	free(text);
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "", &s, NULL), 0);
	t = read_all(p, s, &r);
	assert_string_equal(t.bad, "");
	assert_true(t.sums == 101 && t.sum_of_sums == wanted + XXH3_64bits("", 0));
	assert_true(r.bytes == bytes && r.checked == 0 && r.damaged == 0 && t.done == bytes && t.all == bytes);
	pit_source_close(s);
}

/* What happened to files after they were listed. */
static void what_changed_is_named(void **state)
{
	struct place *p = *state;
	struct pit_source_read r;
	struct pit_source *s = NULL;
	char path[100];
	struct told t;

	tempdir_file(p->dir, "d/gone", "x");
	tempdir_file(p->dir, "d/shorter", "12345");
	tempdir_file(p->dir, "d/longer", "1");
	tempdir_file(p->dir, "d/pipe", "1");
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "d", &s, NULL), 0);
	tempdir_file(p->dir, "d/shorter", "123");
	tempdir_file(p->dir, "d/longer", "12");
	snprintf(path, sizeof(path), "%s/d/gone", p->dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/d/pipe", p->dir);
	assert_int_equal(unlink(path) || mkfifo(path, 0600), 0);
	t = read_all(p, s, &r);
	assert_string_equal(t.bad, "d/gone: No such file or directory\nd/pipe: no longer a regular file\n"
				   "d/shorter: ends after 3 of 5 bytes\n");
	assert_int_equal(r.damaged, 3);
	pit_source_close(s);
}

static void checksums_are_compared(void **state)
{
	struct place *p = *state;
	struct pit_buf b = PIT_BUF_INIT;
	struct pit_source_read r;
	struct pit_source *s = NULL;
	struct told t;
	char list[200];

	tempdir_file(p->dir, "a", "aaaa");
	snprintf(list, sizeof(list), "a\t0\t2\t%" PRIx64 "\na\t2\t2\t1\na\t1\t1\n", (uint64_t)XXH3_64bits("aa", 2));
	tempdir_file(p->dir, "list", list);
	assert_int_equal(place_open(p, PIT_SOURCE_MANIFEST, "list", &s, NULL), 0);
	t = read_all(p, s, &r);
	assert_string_equal(t.bad, "a@2: its bytes differ from its checksum\n");
	assert_true(r.checked == 2 && r.damaged == 1 && t.sums == 2);
	pit_source_close(s);

	tar_file(&b, "1.jpg", "one");
	tar_file(&b, "1.cls", "7");
	assert_int_equal(tempdir_write(p->dir, "t.tar", b.data, b.len), 0);
	assert_int_equal(place_open(p, PIT_SOURCE_TAR, "t.tar", &s, NULL), 0);
	assert_int_equal(truncate(p->path, 1000), 0);
	t = read_all(p, s, &r);
	assert_string_equal(t.bad, "t.tar: 1.cls: ends after 0 of 1 bytes\n");
	assert_int_equal(r.bytes, 3);
	pit_source_close(s);
	pit_buf_free(&b);
}

static void only_this(void *arg, uint64_t sample, unsigned part, uint64_t value)
{
	assert_true(value == *(uint64_t *)arg);
}

static void never_bad(void *arg, const char *name, const char *why)
{
	fail_msg("%s: %s", name, why);
}

/* What is half read when descriptors run out has no checksum, neither a right nor a wrong one. */
static void stops_without_descriptors(void **state)
{
	struct place *p = *state;
	struct pit_source_read r = {.io = {.engine = PIT_ENGINE_THREADS}, .bad = never_bad, .sum = only_this};
	const size_t len = 600000;
	char *text = calloc(1, len), name[32];
	uint64_t wanted = XXH3_64bits(text, len);
	struct pit_source *s = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct rlimit before, few;
	int fd, rc;

	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%02u", i);
		assert_int_equal(tempdir_write(p->dir, name, text, len), 0);
	}
	free(text);
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "", &s, NULL), 0);
	fd = dup(0);
	assert_true(fd >= 0 && !close(fd) && !getrlimit(RLIMIT_NOFILE, &before));
	few = (struct rlimit){.rlim_cur = (rlim_t)fd + 6, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r.arg = &wanted;
	rc = pit_source_read_all(s, &r, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -EMFILE);
	pit_source_close(s);
}

static void records_are_read_by_files(void **state)
{
	struct place *p = *state;
	const char *const paths[] = {p->dir};
	const struct pit_source_want want = {.size = sizeof(want), .paths = paths, .path_count = 1, .record_bytes = 2};
	struct pit_source_sizes sizes;
	struct pit_source_read r;
	struct pit_source *s = NULL;
	struct told t;

	tempdir_file(p->dir, "a", "1122");
	tempdir_file(p->dir, "b", "");
	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	t = read_all(p, s, &r);
	assert_true(r.bytes == 4 && t.sums == 0 && !*t.bad);
	assert_int_equal(pit_source_sizes(s, &sizes), 0);
	assert_true(sizes.smallest == 2 && sizes.median == 2 && sizes.largest == 2);
	pit_source_close(s);
}

static void sizes_are_told(void **state)
{
	struct place *p = *state;
	struct pit_source_sizes sizes;
	struct pit_source *s = NULL;

	tempdir_file(p->dir, "a", "1");
	tempdir_file(p->dir, "b", "12345");
	tempdir_file(p->dir, "c", "");
	tempdir_file(p->dir, "d", "1234567");
	assert_int_equal(place_open(p, PIT_SOURCE_FILES, "", &s, NULL), 0);
	assert_int_equal(pit_source_sizes(s, &sizes), 0);
	assert_true(sizes.smallest == 0 && sizes.median == 1 && sizes.largest == 7);
	pit_source_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_bytes_are_read),        TEST(what_changed_is_named), TEST(checksums_are_compared),
		TEST(records_are_read_by_files), TEST(sizes_are_told),        TEST(stops_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
