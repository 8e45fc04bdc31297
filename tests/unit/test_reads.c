/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "feed/reads.h"

static void joins_neighbours(void **state)
{
	struct pit_piece pieces[] = {
		{.file = 1, .offset = 5000, .len = 100},
		{.file = 0, .offset = 100, .len = 50},
		{.file = 1, .offset = 4096, .len = 800},
		{.file = 0, .offset = 100000, .len = 1},
	};
	struct pit_reads_rule rule = {.align = 1, .gap = 200};
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, 4, &rule, &r), 0);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.reads[0].offset, 100);
	assert_int_equal(r.reads[0].len, 50);
	assert_int_equal(r.reads[1].file, 0);
	assert_int_equal(r.reads[1].len, 1);
	assert_int_equal(r.reads[2].file, 1);
	assert_int_equal(r.reads[2].offset, 4096);
	assert_int_equal(r.reads[2].len, 1004);
	assert_int_equal(r.bytes, 50 + 1 + 1004);
	assert_int_equal(pieces[1].at, 0);
	assert_int_equal(pieces[3].at, 50);
	assert_int_equal(pieces[2].at, 51);
	assert_int_equal(pieces[0].at, 51 + 904);
	pit_reads_free(&r);
	rule.gap = 103;
	assert_int_equal(pit_reads_plan(pieces, 4, &rule, &r), 0);
	assert_int_equal(r.count, 4);
	pit_reads_free(&r);
}

static void widens_and_cuts(void **state)
{
	struct pit_piece pieces[] = {
		{.file = 0, .offset = 700, .len = 3000},
		{.file = 0, .offset = 10000, .len = 0},
		{.file = 0, .offset = 20000, .len = 10},
	};
	struct pit_reads_rule rule = {.align = 512, .most = 1500};
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, 3, &rule, &r), 0);
	assert_int_equal(r.bytes % 512, 0);
	for (size_t i = 0; i < r.count; i++) {
		assert_int_equal(r.reads[i].offset % 512, 0);
		assert_int_equal(r.reads[i].len % 512, 0);
		assert_int_equal(r.reads[i].at % 512, 0);
		assert_in_range(r.reads[i].len, 512, 1024);
	}
	assert_int_equal(r.count, 5); /* 512 to 4096 in pieces of 1024, 512 bytes for the last */
	assert_int_equal(pieces[0].at, 700 - 512);
	assert_int_equal(pieces[2].at, 3584 + 20000 % 512);
	pit_reads_free(&r);
	rule.most = 1;
	assert_int_equal(pit_reads_plan(pieces, 3, &rule, &r), 0);
	assert_int_equal(r.count, 8);
	pit_reads_free(&r);
}

static void keeps_order(void **state)
{
	struct pit_piece pieces[] = {
		{.file = 0, .offset = 8192, .len = 4096},
		{.file = 0, .offset = 12288, .len = 4096},
		{.file = 0, .offset = 0, .len = 4096},
		{.file = 0, .offset = 0, .len = 4096},
	};
	struct pit_reads_rule rule = {.align = 4096, .keep_order = true};
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, 3, &rule, &r), 0);
	assert_int_equal(r.count, 2);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pieces[i].at, i * 4096);
	pit_reads_free(&r);
	/* The same bytes twice are read once. */
	assert_int_equal(pit_reads_plan(pieces, 4, &rule, &r), 0);
	assert_int_equal(pieces[3].at, pieces[2].at);
	pit_reads_free(&r);
}

static void pads_and_tells_the_need(void **state)
{
	struct pit_piece pieces[] = {{.file = 0, .len = 5000}, {.file = 1, .len = 10}, {.file = 2, .len = 1}};
	struct pit_reads_rule rule = {.align = 512, .pad = 4096, .keep_order = true};
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, 3, &rule, &r), 0);
	assert_int_equal(pieces[1].at, 8192);
	assert_int_equal(pieces[2].at, 12288);
	assert_int_equal(r.reads[0].len, 5120);
	assert_int_equal(r.reads[0].need, 5000);
	assert_int_equal(r.reads[2].need, 1);
	assert_int_equal(r.bytes, 12288 + 512);
	pit_reads_free(&r);
}

static void reads_apart(void **state)
{
	struct pit_piece pieces[] = {{.len = 100}, {.offset = 100, .len = 100}, {.offset = 150, .len = 10}};
	struct pit_reads_rule rule = {.align = 1, .gap = 1000, .apart = true};
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, 3, &rule, &r), 0);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.bytes, 210);
	pit_reads_free(&r);
}

static void refuses_what_overflows(void **state)
{
	struct pit_piece far[] = {{.offset = INT64_MAX, .len = 1}};
	struct pit_piece two[] = {
		{.file = 0, .len = INT64_MAX - (UINT64_C(1) << 33)},
		{.file = 1, .len = INT64_MAX - (UINT64_C(1) << 33)},
	};
	struct pit_reads_rule rule = {.align = 1};
	struct pit_reads r = {.count = 77};

	assert_int_equal(pit_reads_plan(far, 1, &rule, &r), -EOVERFLOW);
	far[0].offset = 1;
	far[0].len = UINT64_MAX;
	assert_int_equal(pit_reads_plan(far, 1, &rule, &r), -EOVERFLOW);
	assert_int_equal(pit_reads_plan(two, 2, &rule, &r), -EOVERFLOW);
	assert_int_equal(r.count, 77);
	assert_int_equal(pit_reads_plan(NULL, 0, &rule, &r), 0);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.bytes, 0);
	pit_reads_free(&r);
}

static uint64_t next_number(uint64_t *x)
{
	*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *x >> 33;
}

/* The byte of the file that a plan puts at `at`; -1 when none comes there. */
static int64_t comes_to(const struct pit_reads *r, uint32_t file, uint64_t at)
{
	for (size_t i = 0; i < r->count; i++)
		if (at >= r->reads[i].at && at - r->reads[i].at < r->reads[i].len)
			return r->reads[i].file == file ? (int64_t)(r->reads[i].offset + at - r->reads[i].at) : -1;
	return -1;
}

static void check_plan(struct pit_piece *pieces, size_t n, const struct pit_reads_rule *rule)
{
	struct pit_reads r;

	assert_int_equal(pit_reads_plan(pieces, n, rule, &r), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(pieces[i].at + pieces[i].len <= r.bytes);
		for (uint64_t k = 0; k < pieces[i].len; k += 97)
			assert_int_equal(comes_to(&r, pieces[i].file, pieces[i].at + k), pieces[i].offset + k);
	}
	for (size_t i = 0; i < r.count; i++)
		assert_true(r.reads[i].at + r.reads[i].len <= r.bytes);
	pit_reads_free(&r);
}

static void reads_every_byte(void **state)
{
	uint64_t x = 5;

	for (unsigned round = 0; round < 300; round++) {
		struct pit_piece pieces[20];
		size_t n = next_number(&x) % 20;
		struct pit_reads_rule rule = {
			.align = 1u << next_number(&x) % 13,
			.gap = next_number(&x) % 3000,
			.most = next_number(&x) % 3 ? next_number(&x) % 9000 : 0,
			.keep_order = next_number(&x) % 2,
		};

		for (size_t i = 0; i < n; i++)
			pieces[i] = (struct pit_piece){
				.file = next_number(&x) % 3,
				.offset = next_number(&x) % 50000,
				.len = next_number(&x) % 4 ? next_number(&x) % 5000 : 0,
			};
		check_plan(pieces, n, &rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_neighbours), cmocka_unit_test(widens_and_cuts),
		cmocka_unit_test(keeps_order),      cmocka_unit_test(pads_and_tells_the_need),
		cmocka_unit_test(reads_apart),      cmocka_unit_test(refuses_what_overflows),
		cmocka_unit_test(reads_every_byte),
	};

	return cmocka_run_group_tests_name("reads", tests, NULL, NULL);
}
