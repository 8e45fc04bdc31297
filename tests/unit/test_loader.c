/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <time.h>

#include "feed/loader.h"
#include "feed_world.h"

#define FILES 700
#define ROOM (FILES + 64)

static void delivers_every_sample_once(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 32, .seed = 7});
	uint64_t order[ROOM], again[ROOM];

	assert_int_equal(pit_loader_batches(l), (FILES + 31) / 32);
	assert_int_equal(feed_take(l, order, ROOM), FILES);
	assert_true(feed_is_permutation(order, FILES));
	assert_int_equal(feed_take(l, again, ROOM), 0);
	for (unsigned epoch = 1; epoch < 4; epoch++) {
		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		assert_int_equal(feed_take(l, again, ROOM), FILES);
		assert_true(feed_is_permutation(again, FILES));
		assert_memory_not_equal(order, again, FILES * sizeof(*order));
	}
	assert_int_equal(pit_loader_epoch(l, 0, NULL), 0);
	assert_int_equal(feed_take(l, again, ROOM), FILES);
	assert_memory_equal(order, again, FILES * sizeof(*order));
	pit_loader_close(l);
}

/* Neither the engine nor its depth, nor memory, nor the way past the cache changes what comes. */
static void keeps_its_order(void **state)
{
	const struct pit_loader_want wants[] = {
		{.batch = 16, .io = {.engine = PIT_ENGINE_THREADS}},
		{.batch = 16, .io = {.engine = PIT_ENGINE_THREADS, .threads = 1, .depth = 1}},
		{.batch = 16, .io = {.depth = 1}},
		{.batch = 16, .io = {.depth = 200, .cache = PIT_IO_BUFFERED}},
		{.batch = 16, .memory = 1},
		{.batch = 16, .memory = 400000},
		{.batch = 16, .io = {.pages = PIT_PAGES_PLAIN, .lock = PIT_LOCK_NONE}},
		{.batch = 16, .cache_bytes = 1000000},
		{.batch = 16, .cache_bytes = 100000000, .cache_policy = PIT_POLICY_LRU},
	};
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 16});
	uint64_t order[ROOM], again[ROOM];

	assert_int_equal(feed_take(l, order, ROOM), FILES);
	pit_loader_close(l);
	for (unsigned i = 0; i < PIT_COUNT(wants); i++) {
		l = feed_open(*state, wants[i]);
		for (unsigned round = 0; round < 2; round++) {
			assert_int_equal(feed_take(l, again, ROOM), FILES);
			assert_memory_equal(order, again, FILES * sizeof(*order));
			assert_int_equal(pit_loader_epoch(l, 0, NULL), 0);
		}
		pit_loader_close(l);
	}
}

static void reads_past_the_page_cache(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader_want want = {.size = sizeof(want), .batch = 16, .io = {.cache = PIT_IO_DIRECT}};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_loader *l = NULL;
	struct pit_batch *b = NULL;
	struct pit_part part;
	int rc = pit_loader_open(w->source, &want, &l, &err);

	if (rc == -EOPNOTSUPP) {
		assert_true(err.text[0]);
		skip();
	}
	assert_int_equal(rc, 0);
	while (pit_loader_next(l, &b, NULL) == 1) {
		feed_check(b);
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			assert_int_equal(pit_batch_part(b, i, 0, &part), 0);
			if (part.len)
				assert_int_equal((uintptr_t)part.data % 4096, 0);
		}
		pit_batch_release(b);
	}
	pit_loader_close(l);
}

static void delivers_as_ready(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 8, .as_ready = true});
	struct pit_loader *ordered = feed_open(*state, (struct pit_loader_want){.batch = 8});
	uint64_t order[ROOM], again[ROOM];
	struct pit_batch *b = NULL;
	unsigned n = 0;

	assert_int_equal(feed_take(ordered, order, ROOM), FILES);
	while (pit_loader_next(l, &b, NULL) == 1) {
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			assert_int_equal(pit_batch_sample(b, i), order[pit_batch_position(b) + i]);
			again[n++] = pit_batch_sample(b, i);
		}
		feed_check(b);
		pit_batch_release(b);
	}
	assert_int_equal(n, FILES);
	assert_true(feed_is_permutation(again, FILES));
	pit_loader_close(ordered);
	pit_loader_close(l);
}

static void deals_to_ranks(void **state)
{
	for (unsigned tail = PIT_TAIL_SHORT; tail <= PIT_TAIL_PAD; tail++) {
		uint64_t all[2 * ROOM], batches = 0;
		unsigned n = 0;

		for (uint32_t rank = 0; rank < 3; rank++) {
			struct pit_loader *l = feed_open(*state, (struct pit_loader_want){
									 .batch = 64,
									 .rank = rank,
									 .world = 3,
									 .tail = tail,
								 });

			batches += pit_loader_batches(l);
			n += feed_take(l, all + n, ROOM);
			pit_loader_close(l);
		}
		if (tail == PIT_TAIL_SHORT) {
			assert_int_equal(n, FILES);
			assert_true(feed_is_permutation(all, n));
		} else {
			assert_int_equal(n, batches * 64);
			assert_int_equal(batches, tail == PIT_TAIL_DROP ? 9 : 12);
		}
	}
}

static void knows_its_batches(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10, .shuffle = PIT_SHUFFLE_NONE});
	struct pit_batch *b = NULL;
	struct pit_part part;
	size_t len, stride;

	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	assert_int_equal(pit_batch_count(b), 10);
	assert_int_equal(pit_batch_position(b), 0);
	assert_int_equal(pit_batch_sample(b, 9), 9);
	assert_string_equal(pit_batch_name(b, 9), "d00/000009");
	assert_int_equal(pit_batch_part(b, 0, 0, &part), 0);
	assert_string_equal(part.key, "");
	assert_int_equal(pit_batch_part(b, 0, 1, &part), -ERANGE);
	assert_int_equal(pit_batch_part(b, 10, 0, &part), -ERANGE);
	assert_null(pit_batch_name(b, 10));
	assert_int_equal(pit_batch_parts(b, 10), 0);
	assert_null(pit_batch_array(b, &len, &stride));
	pit_batch_release(b);
	pit_batch_release(NULL);
	pit_loader_close(l);
	pit_loader_close(NULL);
}

static void counts(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader *l = feed_open(w, (struct pit_loader_want){.batch = 32, .cache_bytes = 4000000});
	struct pit_loader_stats s = {.size = sizeof(s)}, part = {.size = 24};
	uint64_t order[ROOM];

	feed_take(l, order, ROOM);
	pit_loader_stats(l, &s);
	assert_int_equal(s.samples, FILES);
	assert_int_equal(s.batches, 22);
	assert_int_equal(s.bytes, pit_source_bytes(w->source));
	assert_true(s.read_bytes >= s.bytes);
	assert_int_equal(s.failed, 0);
	assert_true(s.reads > 0 && s.memory > 0 && s.depth > 0);
	assert_int_equal(s.cache_hits, 0);
	assert_true(s.cache_bound > 0.3 && s.cache_bound < 0.9);
	pit_loader_epoch(l, 1, NULL);
	feed_take(l, order, ROOM);
	pit_loader_stats(l, &s);
	assert_int_equal(s.samples, 2 * FILES);
	assert_true(s.cache_hits > 0);
	assert_true(s.cache_hit_bytes <= 4000000); /* of that epoch; not of what is read ahead of the next */
	pit_loader_stats(l, &part);
	assert_int_equal(part.batches, 44);
	assert_int_equal(part.bytes, 0);
	assert_non_null(pit_loader_ladder(l));
	assert_true(pit_loader_ladder(l)->count > 3);
	pit_loader_close(l);
}

/* What was handed out outlives the loader. */
static void batches_outlive_it(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 20});
	struct pit_batch *b[3] = {NULL};

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pit_loader_next(l, b + i, NULL), 1);
	pit_loader_close(l);
	for (unsigned i = 0; i < 3; i++) {
		feed_check(b[i]);
		pit_batch_release(b[i]);
	}
}

static void says_when_callers_hold_all_memory(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 20, .memory = 1500000});
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b[FILES] = {NULL};
	unsigned n = 0;
	int rc;

	assert_int_equal(l->patience, 10 * INT64_C(1000000000));
	l->patience = 50 * INT64_C(1000000);
	while ((rc = pit_loader_next(l, b + n, &err)) == 1)
		n++;
	assert_int_equal(rc, -ENOBUFS);
	assert_non_null(strstr(err.text, "release"));
	assert_true(n >= 1 && n < FILES / 20);
	for (unsigned i = 0; i < n; i++)
		pit_batch_release(b[i]);
	assert_int_equal(pit_loader_next(l, b, NULL), 1);
	pit_batch_release(b[0]);
	pit_loader_close(l);
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	pit_loader_cancel(arg);
	return NULL;
}

static void stops_at_any_time(void **state)
{
	struct pit_batch *b[FILES] = {NULL};
	struct pit_loader *l;
	pthread_t thread;
	unsigned n = 0;

	for (unsigned taken = 0; taken < 30; taken++) { /* at the start, under way, at the end */
		l = feed_open(*state, (struct pit_loader_want){.batch = 25, .memory = taken % 2 ? 900000 : 0});
		for (unsigned i = 0; i < taken; i++)
			if (pit_loader_next(l, b, NULL) == 1)
				pit_batch_release(b[0]);
		if (taken % 3 == 0) {
			pit_loader_cancel(l);
			assert_int_equal(pit_loader_next(l, b, NULL), -ECANCELED);
			assert_int_equal(pit_loader_next(l, b, NULL), -ECANCELED);
		}
		pit_loader_close(l);
	}
	/* While somebody waits because all memory is in use. */
	l = feed_open(*state, (struct pit_loader_want){.batch = 20, .memory = 1500000});
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, l), 0);
	while (pit_loader_next(l, b + n, NULL) == 1)
		n++;
	pthread_join(thread, NULL);
	assert_int_equal(pit_loader_next(l, b + n, NULL), -ECANCELED);
	pit_loader_close(l);
	for (unsigned i = 0; i < n; i++)
		pit_batch_release(b[i]);
}

static void leaves_epochs_half_way(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 16, .memory = 1000000});
	struct pit_loader *fresh = feed_open(*state, (struct pit_loader_want){.batch = 16, .epoch = 9});
	uint64_t order[ROOM], again[ROOM];
	struct pit_batch *held = NULL, *b = NULL;

	assert_int_equal(pit_loader_next(l, &held, NULL), 1);
	for (uint64_t epoch = 0; epoch < 9; epoch++) {
		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		for (uint64_t i = 0; i < epoch * 5; i++)
			if (pit_loader_next(l, &b, NULL) == 1) {
				feed_check(b);
				pit_batch_release(b);
			}
	}
	assert_int_equal(pit_loader_epoch(l, 9, NULL), 0);
	assert_int_equal(feed_take(l, order, ROOM), FILES);
	assert_int_equal(feed_take(fresh, again, ROOM), FILES);
	assert_memory_equal(order, again, FILES * sizeof(*order));
	feed_check(held);
	pit_batch_release(held);
	pit_loader_close(fresh);
	pit_loader_close(l);
}

/* Behind the end of an epoch the next one is read, once epochs follow each other; that changes nothing for callers. */
static void reads_ahead_into_the_next_epoch(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 16});
	uint64_t order[ROOM], again[ROOM];

	for (uint64_t epoch = 0; epoch < 4; epoch++) {
		struct pit_loader *fresh = feed_open(*state, (struct pit_loader_want){.batch = 16, .epoch = epoch});

		if (epoch)
			assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		assert_int_equal(feed_take(l, order, ROOM), FILES);
		assert_int_equal(feed_take(fresh, again, ROOM), FILES);
		assert_memory_equal(order, again, FILES * sizeof(*order));
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		pit_loader_close(fresh);
	}
	assert_true(l->ahead.serial > l->leg.serial);
	assert_int_equal(pit_loader_epoch(l, 1, NULL), 0); /* not what was read ahead */
	assert_int_equal(feed_take(l, order, ROOM), FILES);
	pit_loader_close(l);
}

static void goes_on_from_a_state(void **state)
{
	uint64_t x = 3;

	for (unsigned round = 0; round < 12; round++) {
		uint64_t all[2 * ROOM];
		char text[512] = "";
		unsigned n = 0;

		for (unsigned leg = 0; n < FILES && leg < 40; leg++) {
			uint32_t world = 1 + feed_mix(++x) % 4, batch = 1 + feed_mix(++x) % 40,
				 most = 1 + feed_mix(++x) % 6;
			char next[512] = "";

			for (uint32_t rank = 0; rank < world; rank++) {
				struct pit_loader *l = feed_open(*state, (struct pit_loader_want){
										 .batch = batch,
										 .rank = rank,
										 .world = world,
										 .seed = *text ? 0 : round,
										 .memory = 3000000,
									 });
				struct pit_batch *b = NULL;
				struct pit_error err = PIT_ERROR_INIT;
				int len;

				if (*text && pit_loader_resume(l, text, &err))
					fail_msg("%s", err.text);
				for (uint32_t i = 0; i < most && pit_loader_next(l, &b, &err) == 1; i++) {
					for (uint32_t k = 0; k < pit_batch_count(b); k++)
						all[n++] = pit_batch_sample(b, k);
					pit_batch_release(b);
				}
				len = pit_loader_state(l, next, sizeof(next), &err);
				assert_true(len > 0 && len == (int)strlen(next));
				pit_loader_close(l);
			}
			memcpy(text, next, sizeof(text));
			assert_true(n <= FILES);
		}
		if (n == FILES)
			assert_true(feed_is_permutation(all, n));
	}
}

static void refuses_a_foreign_state(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 16});
	struct pit_error err = PIT_ERROR_INIT;
	struct feed_world other;
	struct pit_loader *m;
	char text[512];

	feed_files(&other, 5);
	m = feed_open(&other, (struct pit_loader_want){.batch = 2});
	assert_true(pit_loader_state(m, text, sizeof(text), &err) > 0);
	assert_int_equal(pit_loader_resume(l, text, &err), -ESTALE);
	assert_int_equal(pit_loader_resume(l, "{}", &err), -EINVAL);
	assert_int_equal(pit_loader_resume(l, "", &err), -EINVAL);
	assert_true(pit_loader_state(m, NULL, 0, &err) > 0);
	pit_loader_close(m);
	pit_loader_close(l);
	feed_close(&other);
}

static void refuses_wrong_wants(void **state)
{
	struct feed_world *w = *state;
	const struct pit_loader_want wants[] = {
		{.size = sizeof(wants[0]), .rank = 1},
		{.size = sizeof(wants[0]), .rank = 4, .world = 4},
		{.size = sizeof(wants[0]), .shuffle = 77},
		{.size = sizeof(wants[0]), .io = {.depth = 5000}},
		{.size = sizeof(wants[0]), .cache_policy = PIT_POLICIES},
	};
	struct pit_loader *l = (void *)w;
	struct pit_error err;

	for (unsigned i = 0; i < PIT_COUNT(wants); i++) {
		err = (struct pit_error)PIT_ERROR_INIT;
		assert_int_equal(pit_loader_open(w->source, wants + i, &l, &err), -EINVAL);
		assert_true(err.text[0]);
		assert_ptr_equal(l, w);
	}
}

int main(void)
{
	static struct feed_world world;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(delivers_every_sample_once, &world),
		cmocka_unit_test_prestate(keeps_its_order, &world),
		cmocka_unit_test_prestate(reads_past_the_page_cache, &world),
		cmocka_unit_test_prestate(delivers_as_ready, &world),
		cmocka_unit_test_prestate(deals_to_ranks, &world),
		cmocka_unit_test_prestate(knows_its_batches, &world),
		cmocka_unit_test_prestate(counts, &world),
		cmocka_unit_test_prestate(batches_outlive_it, &world),
		cmocka_unit_test_prestate(says_when_callers_hold_all_memory, &world),
		cmocka_unit_test_prestate(stops_at_any_time, &world),
		cmocka_unit_test_prestate(leaves_epochs_half_way, &world),
		cmocka_unit_test_prestate(reads_ahead_into_the_next_epoch, &world),
		cmocka_unit_test_prestate(goes_on_from_a_state, &world),
		cmocka_unit_test_prestate(refuses_a_foreign_state, &world),
		cmocka_unit_test_prestate(refuses_wrong_wants, &world),
	};
	int failed;

	feed_files(&world, FILES);
	failed = cmocka_run_group_tests_name("loader", tests, NULL, NULL);
	feed_close(&world);
	return failed;
}
