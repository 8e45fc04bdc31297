/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "feed/order.h"

/* Part of the format of saved positions: these never change. */
static const struct {
	uint64_t n, seed, epoch, stream, i, to;
} vectors[] = {
	{1, 0, 0, 0, 0, 0},
	{2, 1, 0, 0, 0, 0},
	{10, 42, 0, 0, 0, 4},
	{10, 42, 0, 0, 9, 9},
	{10, 42, 1, 0, 0, 1},
	{1000, 42, 0, 0, 500, 424},
	{20000, 0, 0, 0, 1, 17392},
	{20000, 0, 3, 7, 19999, 8951},
	{1281167, 7, 89, 0, 1281166, 139011},
	{1000000000, 7, 89, 0, 123456789, 921105448},
	{UINT64_C(1) << 40, 1, 2, 3, 4, 291017865064},
	{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, UINT64_MAX - 1, UINT64_C(14304778834403704449)},
};

static void vectors_never_change(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		uint64_t key = pit_permute_key(vectors[i].seed, vectors[i].epoch, vectors[i].stream);
		uint64_t to = pit_permute(vectors[i].n, key, vectors[i].i);

		if (to != vectors[i].to)
			print_error("vector %zu: %" PRIu64 "\n", i, to);
		assert_int_equal(to, vectors[i].to);
	}
}

static const uint64_t sample_vectors[3][12] = {
	[PIT_SHUFFLE_FULL] = {3, 6, 4, 9, 11, 5, 8, 10, 7, 1, 2, 0},
	[PIT_SHUFFLE_BLOCKS] = {9, 5, 7, 8, 3, 2, 1, 6, 0, 4, 10, 11},
	[PIT_SHUFFLE_NONE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
};

static void orders_never_change(void **state)
{
	for (unsigned s = PIT_SHUFFLE_FULL; s <= PIT_SHUFFLE_NONE; s++) {
		struct pit_order o = {
			.count = 12, .seed = 42, .epoch = 5, .shuffle = (enum pit_shuffle)s, .block = 5, .window = 2};

		for (uint64_t i = 0; i < 12; i++)
			if (pit_order_sample(&o, i) != sample_vectors[s][i])
				print_error("shuffle %u position %" PRIu64 ": %" PRIu64 "\n", s, i,
					    pit_order_sample(&o, i));
		for (uint64_t i = 0; i < 12; i++)
			assert_int_equal(pit_order_sample(&o, i), sample_vectors[s][i]);
	}
}

/* All of 0..count-1, each once. */
static void is_permutation(const struct pit_order *o)
{
	pit_auto_free char *seen = calloc(1, o->count);

	assert_non_null(seen);
	for (uint64_t i = 0; i < o->count; i++) {
		uint64_t s = pit_order_sample(o, i);

		assert_true(s < o->count);
		assert_false(seen[s]);
		seen[s] = 1;
	}
}

static void each_sample_comes_once(void **state)
{
	for (uint64_t n = 1; n <= 5000; n += n < 300 ? 1 : 47) {
		struct pit_order o = {.count = n, .seed = n, .epoch = n % 7, .shuffle = PIT_SHUFFLE_FULL};

		is_permutation(&o);
		o.shuffle = PIT_SHUFFLE_NONE;
		is_permutation(&o);
	}
	for (uint64_t n = 301; n <= 5000; n++) {
		pit_auto_free char *seen = calloc(1, n);

		for (uint64_t i = 0; i < n; i++) {
			uint64_t to = pit_permute(n, n * 31, i);

			assert_true(to < n && !seen[to]);
			seen[to] = 1;
		}
	}
}

static void each_sample_comes_once_in_blocks(void **state)
{
	static const uint64_t counts[] = {1, 2, 7, 99, 100, 101, 255, 256, 1000, 4097};
	static const uint64_t blocks[] = {1, 2, 3, 10, 100, 256, 5000, UINT64_MAX};

	for (size_t i = 0; i < PIT_COUNT(counts); i++) {
		for (size_t k = 0; k < PIT_COUNT(blocks) * PIT_COUNT(blocks); k++) {
			struct pit_order o = {.count = counts[i],
					      .seed = k,
					      .epoch = i,
					      .shuffle = PIT_SHUFFLE_BLOCKS,
					      .block = blocks[k % PIT_COUNT(blocks)],
					      .window = blocks[k / PIT_COUNT(blocks)]};

			is_permutation(&o);
		}
	}
}

/* Reads stay long: the samples of one window come from few runs. */
static void a_window_reads_few_runs(void **state)
{
	struct pit_order o = {
		.count = 100000, .seed = 1, .epoch = 2, .shuffle = PIT_SHUFFLE_BLOCKS, .block = 100, .window = 4};
	uint64_t runs[1000] = {0}, different = 0;

	for (uint64_t i = 0; i < 400; i++)
		different += !runs[pit_order_sample(&o, i) / 100]++;
	assert_true(different <= 5);
	assert_int_not_equal(pit_order_sample(&o, 0) + 1, pit_order_sample(&o, 1));
}

/* Too many to be listed: different positions go to different samples, in range. */
static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void huge_counts_are_permuted(void **state)
{
	static const uint64_t counts[] = {1000000007, UINT64_C(1) << 32, (UINT64_C(1) << 40) + 1, UINT64_MAX / 3,
					  UINT64_MAX};
	uint64_t *to = calloc(20000, sizeof(*to));

	assert_non_null(to);
	for (size_t i = 0; i < PIT_COUNT(counts); i++) {
		for (uint64_t k = 0; k < 20000; k++) {
			to[k] = pit_permute(counts[i], 99 + i, k < 10000 ? k : counts[i] - 1 - k * (counts[i] / 40000));
			assert_true(to[k] < counts[i]);
		}
		qsort(to, 20000, sizeof(*to), compare);
		for (uint64_t k = 1; k < 20000; k++)
			assert_int_not_equal(to[k - 1], to[k]);
	}
	free(to);
}

/* Chi-square of where each element goes, over many keys. For `cells` - 1 degrees of freedom the statistic has that mean
 * and twice that variance: 6 standard deviations are allowed. Seeds are fixed, so this cannot fail by chance. */
static void positions_are_uniform(void **state)
{
	static const uint64_t counts[] = {2, 3, 4, 5, 8, 10, 16, 17, 64, 100};

	for (size_t c = 0; c < PIT_COUNT(counts); c++) {
		uint64_t n = counts[c], rounds = 400 * n, table[100 * 100] = {0};
		double chi = 0, freedom = (double)((n - 1) * (n - 1));

		for (uint64_t r = 0; r < rounds; r++)
			for (uint64_t i = 0; i < n; i++)
				table[i * n + pit_permute(n, pit_permute_key(3, r, 0), i)]++;
		for (uint64_t i = 0; i < n * n; i++) {
			double off = (double)table[i] - (double)rounds / (double)n;

			chi += off * off / ((double)rounds / (double)n);
		}
		if ((chi - freedom) * (chi - freedom) > 36 * 2 * freedom)
			fail_msg("n %" PRIu64 ": chi-square %g of %g", n, chi, freedom);
	}
}

/* Which of two neighbours comes first, and whether they stay neighbours, tells an order that only looks shuffled. */
static void neighbours_are_parted(void **state)
{
	const uint64_t n = 100000;
	uint64_t key = pit_permute_key(5, 5, 0), rising = 0, near = 0, before = pit_permute(n, key, 0);

	for (uint64_t i = 1; i < n; i++) {
		uint64_t to = pit_permute(n, key, i);

		rising += to > before;
		near += to > before ? to - before <= 10 : before - to <= 10;
		before = to;
	}
	assert_in_range(rising, 49000, 51000);
	assert_true(near < 60); /* 20 are expected */
}

static void epochs_and_seeds_differ(void **state)
{
	uint64_t same = 0;

	for (uint64_t i = 0; i < 1000; i++) {
		same += pit_permute(1000, pit_permute_key(1, 0, 0), i) ==
			pit_permute(1000, pit_permute_key(1, 1, 0), i);
		same += pit_permute(1000, pit_permute_key(1, 0, 0), i) ==
			pit_permute(1000, pit_permute_key(0, 1, 0), i);
		same += pit_permute(1000, pit_permute_key(1, 0, 0), i) ==
			pit_permute(1000, pit_permute_key(1, 0, 1), i);
	}
	assert_true(same < 15); /* 3 are expected */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_never_change),    cmocka_unit_test(orders_never_change),
		cmocka_unit_test(each_sample_comes_once),  cmocka_unit_test(each_sample_comes_once_in_blocks),
		cmocka_unit_test(a_window_reads_few_runs), cmocka_unit_test(huge_counts_are_permuted),
		cmocka_unit_test(positions_are_uniform),   cmocka_unit_test(neighbours_are_parted),
		cmocka_unit_test(epochs_and_seeds_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
