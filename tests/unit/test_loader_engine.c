/* SPDX-License-Identifier: MIT
 *
 * Threads take over from io_uring once the samples are in the page cache.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "feed/ladder.h"
#include "feed/loader.h"
#include "feed_world.h"

#define LIMIT_S 300
#define FILES 600
#define RECORD 4096
#define RECORDS 200
#define PAGE_CACHE "are in the page cache"

static const struct pit_loader_want through_cache = {.batch = 16, .io = {.cache = PIT_IO_BUFFERED}};

static const char *engine_of(struct pit_loader *l)
{
	return pit_ladder_taken(pit_loader_ladder(l), "engine")->rung;
}

static bool threads_copy(struct pit_loader *l)
{
	const struct pit_rung *r = pit_ladder_taken(pit_loader_ladder(l), "engine");

	return !strcmp(r->rung, "threads") && strstr(r->why, PAGE_CACHE);
}

static void need_processors(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) < 2)
		skip();
}

/* Out of the page cache, or into it, every `each`th file. */
static void move_files(const struct pit_source *s, unsigned each, bool in)
{
	char buf[4096];

	for (uint32_t i = 0; i < pit_source_files(s); i += each) {
		pit_auto_close int fd = openat(pit_source_dir(s), pit_source_file(s, i), O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		while (in && read(fd, buf, sizeof(buf)) > 0)
			continue;
		if (in)
			continue;
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
}

static bool is_warm(const struct pit_source *s, struct pit_warm *ret)
{
	struct pit_order o = {.count = pit_source_count(s), .seed = 3};
	struct pit_deal d = {.count = o.count, .batch = 16, .world = 1};

	return pit_warm_look(s, &o, &d, ret);
}

/* A loader that begins from disk, with io_uring; skips where files cannot be had out of the page cache. */
static struct pit_loader *open_cold(struct feed_world *w, struct pit_loader_want want)
{
	struct pit_loader *l;
	struct pit_warm warm;

	need_processors();
	move_files(w->source, 1, false);
	if (is_warm(w->source, &warm))
		skip();
	l = feed_open(w, want);
	if (!strncmp(engine_of(l), "io_uring", strlen("io_uring")))
		return l;
	pit_loader_close(l);
	skip();
	return NULL;
}

static void looks_at_some(void **state)
{
	struct feed_world *w = *state;
	struct pit_warm warm = {0};

	move_files(w->source, 1, true);
	assert_true(is_warm(w->source, &warm));
	assert_in_range(warm.looked, 16, 32);
	assert_int_equal(warm.cached, warm.looked);
	move_files(w->source, 2, false);
	if (is_warm(w->source, &warm)) /* a file system in memory */
		skip();
	assert_in_range(warm.looked, 4, 31); /* it saw soon enough */
	assert_int_equal(warm.looked - warm.cached, 4);
}

/* What a look has asked for does not make the next one believe that all is there. */
static void looking_is_not_reading(void **state)
{
	struct feed_world *w = *state;
	struct pit_warm warm;

	move_files(w->source, 1, false);
	if (is_warm(w->source, &warm))
		skip();
	assert_true(warm.looked < 10);
	assert_false(is_warm(w->source, &warm));
}

static void missing_files_are_not_warm(void **state)
{
	struct feed_world w;
	struct pit_warm warm;

	feed_files(&w, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(unlinkat(pit_source_dir(w.source), pit_source_file(w.source, i), 0), 0);
	assert_false(is_warm(w.source, &warm));
	assert_int_equal(warm.looked, 0);
	feed_close(&w);
}

static void threads_copy_from_memory(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader *l;
	uint64_t order[FILES];

	need_processors();
	move_files(w->source, 1, true);
	l = feed_open(w, through_cache);
	assert_true(threads_copy(l));
	assert_int_equal(feed_take(l, order, FILES), FILES);
	pit_loader_close(l);
}

static void a_forced_engine_stays(void **state)
{
	const enum pit_io_engine engines[] = {PIT_ENGINE_URING_FIXED, PIT_ENGINE_URING, PIT_ENGINE_THREADS};
	struct feed_world *w = *state;
	struct pit_loader_want want = through_cache;
	uint64_t order[FILES];

	want.size = sizeof(want);
	move_files(w->source, 1, true);
	for (unsigned i = 0; i < PIT_COUNT(engines); i++) {
		struct pit_loader *l = NULL;

		want.io.engine = engines[i];
		if (pit_loader_open(w->source, &want, &l, NULL))
			continue; /* refused here */
		for (uint64_t epoch = 1; epoch < 4; epoch++) {
			assert_int_equal(feed_take(l, order, FILES), FILES);
			assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		}
		assert_string_equal(engine_of(l), pit_io_engine_name(engines[i]));
		assert_false(threads_copy(l));
		pit_loader_close(l);
	}
}

static void threads_take_over(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader *l = open_cold(w, through_cache), *other;
	uint64_t order[FILES], again[FILES];
	const struct pit_ladder *before = pit_loader_ladder(l);

	other = feed_open(w, (struct pit_loader_want){.batch = 16, .io = {.engine = PIT_ENGINE_THREADS}});
	for (uint64_t epoch = 0; epoch < 4; epoch++) {
		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		assert_int_equal(pit_loader_epoch(other, epoch, NULL), 0);
		assert_int_equal(feed_take(l, order, FILES), FILES);
		assert_int_equal(feed_take(other, again, FILES), FILES);
		assert_memory_equal(order, again, sizeof(order));
	}
	assert_true(threads_copy(l));
	assert_true(pit_loader_ladder(l) != before); /* which may still be read */
	assert_string_not_equal(pit_ladder_taken(before, "engine")->rung, "threads");
	pit_loader_close(other);
	pit_loader_close(l);
}

static unsigned take_records(struct pit_loader *l)
{
	struct pit_batch *b = NULL;
	unsigned n = 0;

	for (; pit_loader_next(l, &b, NULL) == 1; pit_batch_release(b))
		for (uint32_t i = 0; i < pit_batch_count(b); i++, n++) {
			struct pit_part part;

			assert_int_equal(pit_batch_part(b, i, 0, &part), 0);
			assert_true(feed_is(pit_batch_sample(b, i), part.data, part.len));
		}
	return n;
}

static void make_records(struct feed_world *w)
{
	static unsigned char buf[RECORDS * RECORD];
	const char *paths[] = {w->dir};
	struct pit_source_want want = {
		.size = sizeof(want),
		.kind = PIT_SOURCE_RECORDS,
		.paths = paths,
		.path_count = 1,
		.record_bytes = RECORD,
	};

	tempdir_new_in("/var/tmp", w->dir, sizeof(w->dir));
	for (unsigned i = 0; i < RECORDS; i++)
		feed_fill(i, buf + i * RECORD, RECORD);
	assert_int_equal(tempdir_write(w->dir, "/r.bin", buf, sizeof(buf)), 0);
	assert_int_equal(pit_source_open(&want, &w->source, NULL), 0);
}

/* Files that are open, and reads of whole windows (blocks) that are not of a batch. */
static void records_change_over_too(void **state)
{
	const enum pit_shuffle shuffles[] = {PIT_SHUFFLE_FULL, PIT_SHUFFLE_BLOCKS, PIT_SHUFFLE_NONE};
	struct feed_world w = {.files = 1};
	struct pit_loader_want want = through_cache;

	need_processors();
	make_records(&w);
	for (unsigned i = 0; i < PIT_COUNT(shuffles); i++) {
		struct pit_loader *l;
		bool ring;

		want.shuffle = shuffles[i];
		want.block = 8;
		want.window = 8;
		move_files(w.source, 1, false);
		l = feed_open(&w, want);
		ring = !strncmp(engine_of(l), "io_uring", strlen("io_uring"));
		for (uint64_t epoch = 1; epoch < 4; epoch++) {
			assert_int_equal(take_records(l), RECORDS);
			assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		}
		assert_int_equal(take_records(l), RECORDS);
		if (ring)
			assert_true(threads_copy(l));
		pit_loader_close(l);
	}
	feed_close(&w);
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
	pit_loader_cancel(arg);
	return NULL;
}

static void *release_soon(void *arg)
{
	pit_batch_release(arg);
	return NULL;
}

/* Takes some batches, each given back by another thread, which wakes the reader as there is little memory. */
static void take_some(struct pit_loader *l, unsigned count)
{
	struct pit_batch *b = NULL;
	pthread_t thread;

	for (unsigned i = 0; i < count && pit_loader_next(l, &b, NULL) == 1; i++) {
		feed_check(b);
		assert_int_equal(pthread_create(&thread, NULL, release_soon, b), 0);
		pthread_join(thread, NULL);
	}
}

static void may_stop_while_it_changes(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader_want want = through_cache;
	char text[512];
	pthread_t thread;

	want.memory = 700000;
	for (unsigned round = 0; round < 24; round++) {
		struct pit_loader *l = open_cold(w, want);

		take_some(l, round);
		assert_true(pit_loader_state(l, text, sizeof(text), NULL) > 0);
		move_files(w->source, 1, true);
		if (round % 4 == 0)
			assert_int_equal(pthread_create(&thread, NULL, cancel_soon, l), 0);
		assert_int_equal(pit_loader_epoch(l, 1, NULL), 0);
		if (round % 4 == 1)
			assert_int_equal(pit_loader_epoch(l, 2, NULL), 0);
		if (round % 4 == 2)
			assert_int_equal(pit_loader_resume(l, text, NULL), 0);
		if (round % 8 < 4)
			take_some(l, round % 5);
		if (round % 4 == 0)
			pthread_join(thread, NULL);
		pit_loader_close(l);
	}
}

int main(void)
{
	static struct feed_world world;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(looks_at_some, &world),
		cmocka_unit_test_prestate(looking_is_not_reading, &world),
		cmocka_unit_test(missing_files_are_not_warm),
		cmocka_unit_test_prestate(threads_copy_from_memory, &world),
		cmocka_unit_test_prestate(a_forced_engine_stays, &world),
		cmocka_unit_test_prestate(threads_take_over, &world),
		cmocka_unit_test(records_change_over_too),
		cmocka_unit_test_prestate(may_stop_while_it_changes, &world),
	};
	int failed;

	alarm(LIMIT_S);
	feed_files(&world, FILES);
	failed = cmocka_run_group_tests_name("loader_engine", tests, NULL, NULL);
	feed_close(&world);
	return failed;
}
