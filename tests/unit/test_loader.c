/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "feed_world.h"

#define FILES 700

static struct pit_loader *open_loader(struct feed_world *w, struct pit_loader_want want)
{
	struct pit_loader *l = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	want.size = sizeof(want);
	if (pit_loader_open(w->source, &want, &l, &err))
		fail_msg("%s", err.text);
	return l;
}

/* Takes an epoch: the order of samples in `ret` (room for FILES of them); how many came. */
static unsigned take_epoch(struct pit_loader *l, uint64_t *ret)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b;
	unsigned n = 0;
	int rc;

	while ((rc = pit_loader_next(l, &b, &err)) == 1) {
		feed_check(b);
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			assert_true(n < FILES + 64);
			ret[n++] = pit_batch_sample(b, i);
		}
		pit_batch_release(b);
	}
	if (rc)
		fail_msg("%s", err.text);
	return n;
}

static bool is_permutation(const uint64_t *order, unsigned n)
{
	bool seen[FILES] = {false};

	for (unsigned i = 0; i < n; i++) {
		if (order[i] >= n || seen[order[i]])
			return false;
		seen[order[i]] = true;
	}
	return true;
}

static void delivers_every_sample_once(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader *l = open_loader(w, (struct pit_loader_want){.batch = 32, .seed = 7});
	uint64_t order[FILES + 64], again[FILES + 64];

	assert_int_equal(pit_loader_batches(l), (FILES + 31) / 32);
	assert_int_equal(take_epoch(l, order), FILES);
	assert_true(is_permutation(order, FILES));
	assert_int_equal(take_epoch(l, again), 0);
	for (unsigned epoch = 1; epoch < 4; epoch++) {
		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		assert_int_equal(take_epoch(l, again), FILES);
		assert_true(is_permutation(again, FILES));
		assert_memory_not_equal(order, again, FILES * sizeof(*order));
	}
	assert_int_equal(pit_loader_epoch(l, 0, NULL), 0);
	assert_int_equal(take_epoch(l, again), FILES);
	assert_memory_equal(order, again, FILES * sizeof(*order));
	pit_loader_close(l);
}

int main(void)
{
	static struct feed_world world;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(delivers_every_sample_once, &world),
	};
	int failed;

	feed_files(&world, FILES);
	failed = cmocka_run_group_tests_name("loader", tests, NULL, NULL);
	feed_close(&world);
	return failed;
}
