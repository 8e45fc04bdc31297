/* SPDX-License-Identifier: MIT
 *
 * The cache of samples in memory, and the blocks below it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "feed/cache.h"
#include "feed/cache_blocks.h"
#include "feed/policy.h"

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The bytes of sample `key`. */
static void fill(unsigned char *data, uint64_t key, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		data[i] = (unsigned char)(key * 31 + i * 7 + (i >> 8));
}

static bool is_filled(const unsigned char *data, uint64_t key, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (data[i] != (unsigned char)(key * 31 + i * 7 + (i >> 8)))
			return false;
	return true;
}

static struct pit_sample_cache *open_cache(enum pit_policy policy, uint64_t bytes)
{
	struct pit_sample_cache *c = NULL;

	assert_int_equal(pit_sample_cache_open(policy, bytes, NULL, 1, &c, NULL), 0);
	return c;
}

static struct pit_sample_cache_stats stats(struct pit_sample_cache *c)
{
	struct pit_sample_cache_stats s;

	pit_sample_cache_stats(c, &s);
	return s;
}

/* ---- blocks ---- */

#define PIECES 40
#define ARENA (64 * 1024)

static void blocks_keep_pieces(void **state)
{
	static unsigned char memory[ARENA], data[ARENA];
	struct {
		uint32_t chain;
		uint64_t len;
		bool in;
	} pieces[PIECES] = {0};
	uint64_t random = 5, free_bytes = ARENA;
	struct pit_blocks b;

	assert_int_equal(pit_blocks_open(&b, memory, ARENA + 255), 0);
	assert_int_equal(pit_blocks_cost(&b, 0), 0);
	assert_int_equal(pit_blocks_cost(&b, 257), 512);
	assert_true(pit_blocks_cost(&b, UINT64_MAX) == UINT64_MAX);
	for (int n = 0; n < 4000; n++) {
		uint64_t r = next_random(&random), i = r % PIECES, len = (r >> 16) % 4000;

		if (pieces[i].in) {
			pit_blocks_read(&b, pieces[i].chain, data, pieces[i].len);
			assert_true(is_filled(data, i, pieces[i].len));
			pit_blocks_put(&b, pieces[i].chain);
			free_bytes += pit_blocks_cost(&b, pieces[i].len);
			pieces[i].in = false;
			continue;
		}
		pieces[i].in = pit_blocks_get(&b, len, &pieces[i].chain) == 0;
		assert_int_equal(pieces[i].in, pit_blocks_cost(&b, len) <= free_bytes);
		if (!pieces[i].in)
			continue;
		free_bytes -= pit_blocks_cost(&b, len);
		pieces[i].len = len;
		fill(data, i, len);
		pit_blocks_write(&b, pieces[i].chain, data, len);
	}
	pit_blocks_close(&b);
}

/* ---- the cache ---- */

static void gives_back_what_was_put(void **state)
{
	static const uint64_t lens[] = {0, 1, 255, 256, 257, 4096, 100001};
	static unsigned char data[100001];

	for (int p = 0; p < PIT_POLICIES; p++) {
		struct pit_sample_cache *c = open_cache((enum pit_policy)p, 4 << 20);

		for (uint64_t key = 0; key < PIT_COUNT(lens); key++) {
			assert_int_equal(pit_sample_cache_get(c, key, data, lens[key]), 0);
			fill(data, key, lens[key]);
			pit_sample_cache_put(c, key, data, lens[key]);
			pit_sample_cache_put(c, key, data, lens[key]);
		}
		for (uint64_t key = 0; key < PIT_COUNT(lens); key++) {
			memset(data, 0, sizeof(data));
			pit_sample_cache_expect(c, key, lens[key]);
			assert_int_equal(pit_sample_cache_get(c, key, data, lens[key]), 1);
			assert_true(is_filled(data, key, lens[key]));
			assert_int_equal(pit_sample_cache_get(c, key, data, lens[key] + 1), 0);
		}
		assert_int_equal(stats(c).requests, 3 * PIT_COUNT(lens));
		assert_int_equal(stats(c).hits, PIT_COUNT(lens));
		assert_int_equal(stats(c).hit_bytes, 104866);
		assert_int_equal(stats(c).stopped, 0);
		pit_sample_cache_close(c);
	}
	pit_sample_cache_close(NULL);
}

static void fill_once_uses_every_byte(void **state)
{
	unsigned char data[1000];
	struct pit_sample_cache *c = open_cache(PIT_POLICY_FILL_ONCE, 10 * 999 + 998);

	for (unsigned epoch = 0; epoch < 3; epoch++)
		for (uint64_t key = 0; key < 20; key++) {
			if (pit_sample_cache_get(c, key, data, 999)) {
				assert_true(is_filled(data, key, 999));
				continue;
			}
			fill(data, key, 999);
			pit_sample_cache_put(c, key, data, 999);
		}
	assert_int_equal(stats(c).hits, 2 * 10);
	assert_int_equal(stats(c).used, 9990);
	pit_sample_cache_close(c);
}

/* The same requests to the cache and to the policy alone. */
static void keeps_what_the_policy_says(void **state)
{
	static unsigned char data[8192];
	uint64_t bytes = 64 * 1024;

	for (int p = 1; p < PIT_POLICIES; p++) {
		struct pit_sample_cache *c = open_cache((enum pit_policy)p, bytes);
		struct pit_policy_cache *model;
		uint64_t random = 11;

		assert_int_equal(pit_policy_open((enum pit_policy)p, bytes, NULL, NULL, &model), 0);
		for (int n = 0; n < 20000; n++) {
			uint64_t r = next_random(&random), key = r % 8 ? r % 40 : (r >> 20) % 400,
				 len = key * 37 % 6000;
			bool hit = pit_policy_get(model, key);

			assert_int_equal(pit_sample_cache_get(c, key, data, len), hit);
			if (hit) {
				assert_true(is_filled(data, key, len));
				continue;
			}
			fill(data, key, len);
			pit_sample_cache_put(c, key, data, len);
			pit_policy_put(model, key, (len + PIT_BLOCK_LEAST - 1) / PIT_BLOCK_LEAST * PIT_BLOCK_LEAST);
			assert_int_equal(stats(c).used, pit_policy_bytes(model));
		}
		assert_in_range(stats(c).hits, 1000, 19999);
		pit_policy_close(model);
		pit_sample_cache_close(c);
	}
}

static void refuses_what_cannot_be(void **state)
{
	struct pit_sample_cache *c = NULL;
	struct pit_error err = {0};

	assert_int_equal(pit_sample_cache_open(PIT_POLICY_LRU, UINT64_MAX / 2, NULL, 1, &c, &err), -ENOMEM);
	assert_null(c);
	assert_non_null(strstr(err.text, "a sample cache of"));
	assert_int_equal(pit_sample_cache_open(PIT_POLICIES, 4096, NULL, 1, &c, &err), -EINVAL);
	assert_null(c);
	c = open_cache(PIT_POLICY_LRU, 0);
	pit_sample_cache_put(c, 1, "a", 1);
	assert_int_equal(pit_sample_cache_get(c, 1, (char[1]){0}, 1), 0);
	pit_sample_cache_close(c);
}

static void forked_children_miss(void **state)
{
	unsigned char data[300];
	struct pit_sample_cache *c = open_cache(PIT_POLICY_LRU, 1 << 20);
	int status;
	pid_t pid;

	fill(data, 1, sizeof(data));
	pit_sample_cache_put(c, 1, data, sizeof(data));
	pid = fork();
	if (!pid) {
		int hit = pit_sample_cache_get(c, 1, data, sizeof(data));

		pit_sample_cache_put(c, 2, data, sizeof(data));
		pit_sample_cache_flush(c);
		hit += stats(c).used != 0;
		pit_sample_cache_close(c);
		_exit(hit);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(pit_sample_cache_get(c, 1, data, sizeof(data)), 1);
	pit_sample_cache_close(c);
}

/* ---- several threads ---- */

#define THREADS 4

struct worker {
	struct pit_sample_cache *c;
	uint64_t seed, wrong, hits;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned char data[3000];

	for (int n = 0; n < 8000; n++) {
		uint64_t r = next_random(&w->seed), key = r % 200, len = key * 13 % sizeof(data);

		if (pit_sample_cache_get(w->c, key, data, len)) {
			w->hits++;
			w->wrong += !is_filled(data, key, len);
		} else {
			fill(data, key, len);
			pit_sample_cache_put(w->c, key, data, len);
		}
	}
	return NULL;
}

static void threads_see_whole_samples(void **state)
{
	for (int p = 0; p < PIT_POLICIES; p++) {
		struct worker workers[THREADS];
		pthread_t threads[THREADS];
		struct pit_sample_cache *c = open_cache((enum pit_policy)p, 100 * 1024);
		uint64_t hits = 0;

		for (uint64_t i = 0; i < THREADS; i++) {
			workers[i] = (struct worker){.c = c, .seed = i + 1};
			assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
		}
		for (int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			assert_int_equal(workers[i].wrong, 0);
			hits += workers[i].hits;
		}
		assert_int_equal(stats(c).hits, hits);
		assert_int_equal(stats(c).requests, THREADS * 8000);
		assert_in_range(stats(c).used, 1, 100 * 1024);
		pit_sample_cache_close(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_keep_pieces),        cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(fill_once_uses_every_byte), cmocka_unit_test(keeps_what_the_policy_says),
		cmocka_unit_test(refuses_what_cannot_be),    cmocka_unit_test(forked_children_miss),
		cmocka_unit_test(threads_see_whole_samples),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
