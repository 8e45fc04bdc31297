/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "launch/placement_cut.h"

#define ROUNDS 4000

/* The difference of a finished cut: the highest total of the shares with an item over the lowest of all. */
static unsigned difference(const struct pit_cut_item *item, const struct pit_cut_share *share, size_t shares)
{
	unsigned low = UINT_MAX, high = 0;

	for (size_t j = 0; j < shares; j++) {
		unsigned sum = share[j].has;

		for (size_t i = 0; i < share[j].count; i++)
			sum += item[share[j].first + i].weight;
		low = sum < low ? sum : low;
		high = share[j].count && sum > high ? sum : high;
	}
	return high > low ? high - low : 0;
}

/* The smallest difference of all cuts, by trying them. */
static unsigned best_of(const struct pit_cut_item *item, size_t items, struct pit_cut_share *share, size_t shares,
			size_t j, size_t start)
{
	unsigned best = UINT_MAX;

	if (j == shares)
		return start == items ? difference(item, share, shares) : UINT_MAX;
	for (size_t end = start + share[j].must; end <= items; end++) {
		unsigned got;

		share[j].first = start;
		share[j].count = end - start;
		got = best_of(item, items, share, shares, j + 1, end);
		best = got < best ? got : best;
	}
	return best;
}

static void no_cut_is_more_even(void **state)
{
	unsigned seed = 7;

	for (int round = 0; round < ROUNDS; round++) {
		struct pit_cut_item item[8] = {0};
		struct pit_cut_share share[4] = {0}, tried[4];
		size_t items = 1 + (size_t)rand_r(&seed) % 8, shares = 1 + (size_t)rand_r(&seed) % 4, musts = 0;
		unsigned top = 1 + (unsigned)rand_r(&seed) % 5, best;

		for (size_t i = 0; i < items; i++)
			item[i] = (struct pit_cut_item){.weight = 1 + (unsigned)rand_r(&seed) % top,
							.edge = rand_r(&seed) % 3 == 0,
							.busy = rand_r(&seed) % 4 == 0};
		for (size_t j = 0; j < shares; j++) {
			share[j].must = rand_r(&seed) % 2;
			share[j].has = share[j].must ? 0 : (unsigned)rand_r(&seed) % 9;
			musts += share[j].must;
		}
		memcpy(tried, share, sizeof(tried));
		best = best_of(item, items, tried, shares, 0, 0);
		if (musts > items) {
			assert_int_equal(pit_cut(item, items, share, shares, UINT_MAX), -ERANGE);
			continue;
		}
		assert_int_equal(pit_cut(item, items, share, shares, UINT_MAX), 0);
		assert_int_equal(difference(item, share, shares), best);
		if (best)
			assert_int_equal(pit_cut(item, items, share, shares, best - 1), -ERANGE);
	}
}

/* In order, without gaps, all of them; and within one item without `has`. */
static void all_items_go_to_one_share_in_order(void **state)
{
	unsigned seed = 11;

	for (int round = 0; round < ROUNDS; round++) {
		struct pit_cut_item item[64] = {0};
		struct pit_cut_share share[16] = {0};
		size_t shares = 1 + (size_t)rand_r(&seed) % 16, items = shares + (size_t)rand_r(&seed) % 48, at = 0;
		unsigned top = 0;

		for (size_t i = 0; i < items; i++) {
			item[i].weight = 1 + (unsigned)rand_r(&seed) % 4;
			item[i].edge = rand_r(&seed) % 4 == 0;
			top = item[i].weight > top ? item[i].weight : top;
		}
		for (size_t j = 0; j < shares; j++)
			share[j].must = true;
		assert_int_equal(pit_cut(item, items, share, shares, top), 0);
		for (size_t j = 0; j < shares; j++) {
			assert_int_equal(share[j].first, at);
			assert_true(share[j].count >= 1);
			at += share[j].count;
		}
		assert_int_equal(at, items);
		assert_true(difference(item, share, shares) <= top);
	}
}

static void counts_are(const struct pit_cut_share *share, size_t shares, const size_t *count)
{
	for (size_t j = 0; j < shares; j++)
		assert_int_equal(share[j].count, count[j]);
}
#define COUNTS(share, ...) counts_are(share, PIT_COUNT(share), (const size_t[]){__VA_ARGS__})

static void what_is_over_goes_to_the_first(void **state)
{
	struct pit_cut_item item[11] = {0};
	struct pit_cut_share share[4] = {0};

	for (size_t i = 0; i < 11; i++)
		item[i].weight = 2;
	assert_int_equal(pit_cut(item, 11, share, 4, 2), 0);
	COUNTS(share, 3, 3, 3, 2);
	assert_int_equal(pit_cut(item, 10, share, 4, 2), 0);
	COUNTS(share, 3, 3, 2, 2);
}

static void edges_are_cut_first(void **state)
{
	struct pit_cut_item item[10] = {0};
	struct pit_cut_share share[4] = {0};

	for (size_t i = 0; i < 10; i++)
		item[i] = (struct pit_cut_item){.weight = 1, .edge = i == 5};
	assert_int_equal(pit_cut(item, 10, share, 4, UINT_MAX), 0);
	COUNTS(share, 3, 2, 3, 2);
}

static void a_busy_item_goes_where_more_is(void **state)
{
	for (size_t busy = 0; busy < 9; busy++) {
		struct pit_cut_item item[9] = {0};
		struct pit_cut_share share[4] = {0};

		for (size_t i = 0; i < 9; i++)
			item[i] = (struct pit_cut_item){.weight = 1, .busy = i == busy};
		assert_int_equal(pit_cut(item, 9, share, 4, UINT_MAX), 0);
		for (size_t j = 0; j < 4; j++)
			if (share[j].first <= busy && busy < share[j].first + share[j].count)
				assert_int_equal(share[j].count, 3);
	}
}

static void those_that_have_get_less(void **state)
{
	struct pit_cut_item item[6] = {0};
	struct pit_cut_share share[] = {{.has = 8}, {.has = 3}, {.has = 4}};

	for (size_t i = 0; i < 6; i++)
		item[i].weight = 1;
	assert_int_equal(pit_cut(item, 5, share, 3, UINT_MAX), 0);
	COUNTS(share, 0, 3, 2);
	share[0].first = 77;
	share[0].must = share[1].must = share[2].must = true;
	assert_int_equal(pit_cut(item, 2, share, 3, UINT_MAX), -ERANGE);
	assert_int_equal(share[0].first, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cut_is_more_even),
		cmocka_unit_test(all_items_go_to_one_share_in_order),
		cmocka_unit_test(what_is_over_goes_to_the_first),
		cmocka_unit_test(edges_are_cut_first),
		cmocka_unit_test(a_busy_item_goes_where_more_is),
		cmocka_unit_test(those_that_have_get_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
