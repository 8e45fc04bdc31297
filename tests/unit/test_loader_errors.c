/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <unistd.h>

#include "feed_world.h"

#define FILES 60
#define BATCH 10

/* Of samples in their own order: one is gone, one is cut, one is a directory now, one is longer (which is fine). */
enum { GONE = 7, CUT = 21, DIRECTORY = 22, LONGER = 30, EMPTIED = 45 };

static void path_of(const struct feed_world *w, unsigned i, char *path, size_t size)
{
	snprintf(path, size, "%s/d%02u/%06u", w->dir, i / 100, i);
}

static int set_up(void **state)
{
	static struct feed_world w;
	char path[128];

	feed_files(&w, FILES);
	path_of(&w, GONE, path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	path_of(&w, CUT, path, sizeof(path));
	assert_int_equal(truncate(path, feed_len(CUT) / 2), 0);
	path_of(&w, DIRECTORY, path, sizeof(path));
	assert_int_equal(unlink(path) || mkdir(path, 0755), 0);
	path_of(&w, LONGER, path, sizeof(path));
	assert_int_equal(truncate(path, 100000), 0);
	path_of(&w, EMPTIED, path, sizeof(path));
	assert_int_equal(truncate(path, 0), 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	feed_close(*state);
	return 0;
}

static const enum pit_io_cache ways[] = {PIT_IO_BUFFERED, PIT_IO_DIRECT};
static const enum pit_io_engine engines[] = {PIT_ENGINE_AUTO, PIT_ENGINE_THREADS};

static struct pit_loader *open_way(struct feed_world *w, unsigned way, enum pit_on_error on_error)
{
	struct pit_loader_want want = {
		.size = sizeof(want),
		.batch = BATCH,
		.shuffle = PIT_SHUFFLE_NONE,
		.on_error = on_error,
		.io = {.cache = ways[way % 2], .engine = engines[way / 2 % 2]},
	};
	struct pit_loader *l = NULL;

	if (pit_loader_open(w->source, &want, &l, NULL))
		return NULL;
	return l;
}

/* Whether `text` names sample i by its whole path. */
static bool says(const struct feed_world *w, const char *text, unsigned i, const char *what)
{
	char path[300], wanted[500];

	path_of(w, i, path, sizeof(path));
	snprintf(wanted, sizeof(wanted), "sample %u: %s%s", i, path, what);
	return !strncmp(text, wanted, strlen(wanted));
}

static void fails_by_name(void **state)
{
	for (unsigned way = 0; way < 4; way++) {
		struct pit_loader *l = open_way(*state, way, PIT_ERROR_FAIL);
		const int wanted[] = {-ENOENT, 1, -ENODATA, 1, -ENODATA, 1, 0};
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_batch *b = NULL;

		for (unsigned i = 0; l && i < PIT_COUNT(wanted); i++) {
			int rc = pit_loader_next(l, &b, &err);

			assert_int_equal(rc, wanted[i]);
			if (i == 0)
				assert_true(says(*state, err.text, 7, " cannot be read: No such file or directory"));
			if (i == 2)
				assert_true(says(*state, err.text, 21, " is shorter than"));
			if (i == 4)
				assert_non_null(strstr(err.text, "ends at byte 0 of"));
			if (rc == 1) {
				feed_check(b);
				pit_batch_release(b);
			}
		}
		if (l) {
			struct pit_loader_stats s = {.size = sizeof(s)};
			bool found = false;

			pit_loader_stats(l, &s);
			assert_int_equal(s.failed, 4);
			for (unsigned i = 0; i < 4; i++)
				found |= says(*state, pit_loader_failed(l, i), 22, " ");
			assert_true(found);
			assert_null(pit_loader_failed(l, 4));
		}
		pit_loader_close(l);
	}
}

static void skips(void **state)
{
	for (unsigned way = 0; way < 4; way++) {
		struct pit_loader *l = open_way(*state, way, PIT_ERROR_SKIP);
		uint64_t order[FILES];
		unsigned n;

		if (!l)
			continue;
		n = feed_take(l, order, FILES);
		assert_int_equal(n, FILES - 4);
		for (unsigned i = 0; i < n; i++)
			assert_true(order[i] != GONE && order[i] != CUT && order[i] != DIRECTORY &&
				    order[i] != EMPTIED);
		pit_loader_close(l);
	}
}

static void substitutes(void **state)
{
	for (unsigned way = 0; way < 4; way++) {
		struct pit_loader *l = open_way(*state, way, PIT_ERROR_SUBSTITUTE);
		struct pit_loader_stats s = {.size = sizeof(s)};
		uint64_t order[FILES];

		if (!l)
			continue;
		assert_int_equal(feed_take(l, order, FILES), FILES);
		assert_int_equal(order[GONE], GONE + 1);
		assert_int_equal(order[CUT], DIRECTORY + 1);
		assert_int_equal(order[DIRECTORY], DIRECTORY + 1);
		pit_loader_stats(l, &s);
		assert_int_equal(s.substituted, 4);
		pit_loader_close(l);
	}
}

/* A batch without any good sample: left empty, or an error. */
static void loses_a_whole_batch(void **state)
{
	struct feed_world w;
	struct pit_batch *b = NULL;
	struct pit_loader *l;
	char path[128];
	size_t len, stride;

	feed_files(&w, 20);
	for (unsigned i = 10; i < 20; i++) {
		path_of(&w, i, path, sizeof(path));
		if (feed_len(i))
			truncate(path, feed_len(i) - 1);
		else
			assert_true(i == 3 || i == 20);
	}
	l = open_way(&w, 0, PIT_ERROR_SKIP);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	pit_batch_release(b);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	assert_int_equal(pit_batch_count(b), 0);
	assert_null(pit_batch_array(b, &len, &stride));
	pit_batch_release(b);
	assert_int_equal(pit_loader_next(l, &b, NULL), 0);
	pit_loader_close(l);
	l = open_way(&w, 0, PIT_ERROR_SUBSTITUTE);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	pit_batch_release(b);
	assert_int_equal(pit_loader_next(l, &b, NULL), -ENODATA);
	assert_int_equal(pit_loader_next(l, &b, NULL), 0);
	pit_loader_close(l);
	feed_close(&w);
}

/* Files that go and are cut while they are read: an error each, never a signal, and what is delivered is whole. */
static void bears_files_that_change(void **state)
{
	struct feed_world w;
	uint64_t x = 1;
	char path[128];

	feed_files(&w, 300);
	for (unsigned round = 0; round < 6; round++) {
		struct pit_loader *l = open_way(&w, round, PIT_ERROR_SKIP);
		struct pit_batch *b = NULL;
		int rc;

		if (!l)
			continue;
		while ((rc = pit_loader_next(l, &b, NULL)) == 1) {
			unsigned i = feed_mix(++x) % 300;

			path_of(&w, i, path, sizeof(path));
			if (x % 2)
				unlink(path);
			else
				truncate(path, feed_mix(x) % 5000);
			for (uint32_t k = 0; k < pit_batch_count(b); k++) {
				struct pit_part part;

				assert_int_equal(pit_batch_part(b, k, 0, &part), 0);
				assert_int_equal(part.len, feed_len(pit_batch_sample(b, k)));
			}
			pit_batch_release(b);
		}
		assert_int_equal(rc, 0);
		pit_loader_close(l);
	}
	feed_close(&w);
}

/* With and without somebody who has it open for writing, and never writes. */
static void is_not_held_up_by_a_fifo(void **state)
{
	static const enum pit_io_engine all[] = {PIT_ENGINE_AUTO, PIT_ENGINE_URING, PIT_ENGINE_THREADS};
	struct feed_world w;
	char path[128];

	(void)state;
	alarm(60);
	for (unsigned way = 0; way < 6; way++) {
		struct pit_loader_want want = {
			.size = sizeof(want), .batch = 4, .shuffle = PIT_SHUFFLE_NONE, .io.engine = all[way % 3]};
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_loader *l = NULL;
		struct pit_batch *b = NULL;
		int fd = -1;

		feed_files(&w, 8);
		path_of(&w, 1, path, sizeof(path));
		assert_int_equal(unlink(path) || mkfifo(path, 0600), 0);
		if (way > 2)
			fd = open(path, O_RDWR | O_CLOEXEC);
		if (!pit_loader_open(w.source, &want, &l, &err)) {
			assert_true(pit_loader_next(l, &b, &err) < 0);
			if (!says(&w, err.text, 1, " "))
				fail_msg("%s", err.text);
			assert_int_equal(pit_loader_next(l, &b, &err), 1);
			feed_check(b);
			pit_batch_release(b);
		}
		pit_loader_close(l);
		if (fd >= 0)
			close(fd);
		feed_close(&w);
	}
	alarm(0);
}

static void notices_changed_bytes(void **state)
{
	const char *paths[1];
	struct pit_source_want want = {
		.size = sizeof(want), .kind = PIT_SOURCE_MANIFEST, .paths = paths, .path_count = 1};
	struct pit_loader_want load = {.size = sizeof(load), .batch = 2, .shuffle = PIT_SHUFFLE_NONE, .check = true};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;
	struct pit_loader *l = NULL;
	struct pit_batch *b = NULL;
	char dir[64], list[128];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/a", "hello");
	tempdir_file(dir, "/list",
		     "a\t0\t5\t9555e8555c62dcfd\na\t0\t5\t9555e8555c62dcfe\n"); /* xxhsum -H3 of "hello" */
	snprintf(list, sizeof(list), "%s/list", dir);
	paths[0] = list;
	if (pit_source_open(&want, &s, &err))
		fail_msg("%s", err.text);
	if (pit_loader_open(s, &load, &l, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pit_loader_next(l, &b, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "sample 1"));
	assert_non_null(strstr(err.text, "its checksum is 9555e8555c62dcfd, not 9555e8555c62dcfe"));
	pit_loader_close(l);
	load.check = false;
	assert_int_equal(pit_loader_open(s, &load, &l, &err), 0);
	assert_int_equal(pit_loader_next(l, &b, &err), 1);
	pit_batch_release(b);
	pit_loader_close(l);
	pit_source_close(s);
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fails_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(skips, set_up, tear_down),
		cmocka_unit_test_setup_teardown(substitutes, set_up, tear_down),
		cmocka_unit_test(loses_a_whole_batch),
		cmocka_unit_test(bears_files_that_change),
		cmocka_unit_test(is_not_held_up_by_a_fifo),
		cmocka_unit_test(notices_changed_bytes),
	};

	return cmocka_run_group_tests_name("loader_errors", tests, NULL, NULL);
}
