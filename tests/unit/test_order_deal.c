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

#define MOST 700 /* samples */

/* How often each position was given to some rank, in at most `steps` batches of each rank. */
static void take(struct pit_deal d, uint64_t steps, unsigned *times)
{
	for (d.rank = 0; d.rank < d.world; d.rank++) {
		uint64_t first, batches = pit_deal_batches(&d);
		uint32_t number;

		for (uint64_t k = 0; k < batches && k < steps; k++) {
			assert_true(pit_deal_batch(&d, k, &first, &number));
			assert_in_range(number, 1, d.batch);
			for (uint32_t i = 0; i < number; i++)
				times[(first + i) % d.count]++;
		}
		assert_false(pit_deal_batch(&d, batches, &first, &number));
		assert_false(pit_deal_batch(&d, UINT64_MAX, &first, &number));
	}
}

/* Calls `check` for many shapes of jobs. */
static void for_shapes(enum pit_tail tail, void (*check)(const struct pit_deal *d))
{
	static const uint64_t counts[] = {1, 2, 7, 64, 100, 101, 699};
	static const uint32_t batches[] = {1, 2, 3, 8, 50, 1000}, worlds[] = {1, 2, 3, 7, 16};

	for (size_t i = 0; i < PIT_COUNT(counts) * PIT_COUNT(batches) * PIT_COUNT(worlds) * 3; i++) {
		size_t n = i / 3;
		struct pit_deal d = {.count = counts[n % PIT_COUNT(counts)], .tail = tail};

		n /= PIT_COUNT(counts);
		d.batch = batches[n % PIT_COUNT(batches)];
		d.world = worlds[n / PIT_COUNT(batches)];
		d.start = (i % 3) * d.count / 2;
		check(&d);
	}
}

static void check_short(const struct pit_deal *d)
{
	unsigned times[MOST] = {0};
	uint64_t most = 0, least = UINT64_MAX;

	take(*d, UINT64_MAX, times);
	for (uint64_t i = 0; i < d->count; i++)
		assert_int_equal(times[i], i >= d->start);
	for (uint32_t r = 0; r < d->world; r++) {
		struct pit_deal mine = *d;
		uint64_t n;

		mine.rank = r;
		n = pit_deal_batches(&mine);
		most = n > most ? n : most;
		least = n < least ? n : least;
	}
	assert_true(most - least <= 1);
	assert_int_equal(pit_deal_consumed(d, most), d->count);
}

static void check_drop(const struct pit_deal *d)
{
	unsigned times[MOST] = {0};
	uint64_t step = (uint64_t)d->batch * d->world, end = d->start + (d->count - d->start) / step * step;

	take(*d, UINT64_MAX, times);
	for (uint64_t i = 0; i < d->count; i++)
		assert_int_equal(times[i], i >= d->start && i < end);
	assert_int_equal(pit_deal_consumed(d, pit_deal_batches(d)), end);
	assert_int_equal(pit_deal_consumed(d, UINT64_MAX), end);
}

static void check_pad(const struct pit_deal *d)
{
	unsigned times[MOST] = {0};
	uint64_t left = d->count - d->start, step = (uint64_t)d->batch * d->world, all = 0, first;
	uint64_t steps = left / step + (left % step != 0);

	take(*d, UINT64_MAX, times);
	for (uint64_t i = 0; i < d->count; i++) {
		assert_true(times[i] >= (i >= d->start));
		all += times[i];
	}
	assert_int_equal(all, steps * step);
	for (uint32_t r = 0; r < d->world; r++) {
		struct pit_deal mine = *d;
		uint32_t number = 0;

		mine.rank = r;
		assert_int_equal(pit_deal_batches(&mine), steps);
		for (uint64_t k = 0; k < steps; k++)
			assert_true(pit_deal_batch(&mine, k, &first, &number) && number == d->batch);
	}
	assert_int_equal(pit_deal_consumed(d, steps), d->count);
}

static void each_sample_is_dealt_once(void **state)
{
	for_shapes(PIT_TAIL_SHORT, check_short);
}

static void a_dropped_tail_leaves_full_batches(void **state)
{
	for_shapes(PIT_TAIL_DROP, check_drop);
}

static void a_padded_tail_begins_anew(void **state)
{
	for_shapes(PIT_TAIL_PAD, check_pad);
}

/* A job that goes on with other ranks and batches, several times, takes each sample once all the same. */
static void each_sample_comes_once_when_the_job_changes(void **state)
{
	srand(7);
	for (unsigned round = 0; round < 2000; round++) {
		struct pit_deal d = {.count = 1 + (uint64_t)rand() % (MOST - 1), .tail = (enum pit_tail)(rand() % 3)};
		unsigned times[MOST] = {0};

		while (d.start < d.count) {
			uint64_t steps = (uint64_t)rand() % 5;

			d.world = 1 + (uint32_t)rand() % 9;
			d.batch = 1 + (uint32_t)rand() % 20;
			d.rank = 0;
			if (pit_deal_consumed(&d, steps + 1) == d.count || pit_deal_consumed(&d, steps) == d.start) {
				d.tail = PIT_TAIL_SHORT;
				steps = UINT64_MAX;
			}
			take(d, steps, times);
			d.start = pit_deal_consumed(&d, steps);
		}
		for (uint64_t i = 0; i < d.count; i++)
			assert_int_equal(times[i], 1);
	}
}

static void huge_epochs_are_dealt(void **state)
{
	struct pit_deal d = {.count = UINT64_MAX / 2, .batch = UINT32_MAX, .world = UINT32_MAX, .rank = UINT32_MAX - 1};
	uint64_t first, step = (uint64_t)UINT32_MAX * UINT32_MAX;
	uint32_t number;

	assert_int_equal(pit_deal_batches(&d), 1);
	assert_true(pit_deal_batch(&d, 0, &first, &number));
	assert_in_range(first + number, UINT64_MAX / 2 - UINT32_MAX, UINT64_MAX / 2);
	d.count = UINT64_MAX;
	assert_int_equal(pit_deal_batches(&d), 2 - (d.count % step == 0));
	d.start = UINT64_MAX;
	assert_int_equal(pit_deal_batches(&d), 0);
	assert_int_equal(pit_deal_consumed(&d, 0), UINT64_MAX);
}

static bool same(const struct pit_position *a, const struct pit_position *b)
{
	return a->order.count == b->order.count && a->order.seed == b->order.seed && a->order.epoch == b->order.epoch &&
	       a->order.shuffle == b->order.shuffle && a->order.block == b->order.block &&
	       a->order.window == b->order.window && a->consumed == b->consumed && a->fingerprint == b->fingerprint;
}

static void positions_are_read_again(void **state)
{
	static const struct pit_position positions[] = {
		{.order = {.count = 20000, .seed = 42, .epoch = 3}, .consumed = 512, .fingerprint = 0xabc},
		{.order = {.count = UINT64_MAX,
			   .seed = UINT64_MAX,
			   .epoch = UINT64_MAX,
			   .shuffle = PIT_SHUFFLE_BLOCKS,
			   .block = UINT64_MAX,
			   .window = UINT64_MAX},
		 .consumed = UINT64_MAX,
		 .fingerprint = UINT64_MAX},
		{.order = {.count = 1, .shuffle = PIT_SHUFFLE_NONE}},
	};

	for (size_t i = 0; i < PIT_COUNT(positions); i++) {
		struct pit_position p = {0};
		char text[512], small[8];
		int len = pit_position_text(&positions[i], text, sizeof(text));

		assert_int_equal(len, strlen(text));
		assert_null(strchr(text, '\n'));
		assert_int_equal(pit_position_text(&positions[i], small, sizeof(small)), len);
		assert_int_equal(strlen(small), sizeof(small) - 1);
		assert_int_equal(pit_position_parse(text, &p, NULL), 0);
		assert_true(same(&p, &positions[i]));
	}
}

/* Saved positions of this version stay readable. */
#define TEXT                                                                                                           \
	"{\"pitcrew_position\": 1, \"seed\": 42, \"epoch\": 3, \"consumed\": 512, \"samples\": 20000, \"block\": 0, "  \
	"\"window\": 0, \"shuffle\": \"full\", \"fingerprint\": \"0000000000000abc\"}"

static void the_text_never_changes(void **state)
{
	struct pit_position p = {
		.order = {.count = 20000, .seed = 42, .epoch = 3}, .consumed = 512, .fingerprint = 0xabc};
	char text[512];

	pit_position_text(&p, text, sizeof(text));
	assert_string_equal(text, TEXT);
}

static const struct {
	const char *from, *to; /* replaced in TEXT */
	const char *said;
} bad[] = {
	{"{", "", "no JSON"},
	{"}", "", "no JSON"},
	{"\"seed\"", "\"sead\"", "\"seed\" is missing"},
	{"42", "-1", "\"seed\" is no number"},
	{"42", "4.2", "\"seed\" is no number"},
	{"42", "\"18446744073709551616\"", "\"seed\" is no number"},
	{"42", "99999999999999999999", "no JSON"},
	{"512", "20001", "20001 of 20000 samples consumed"},
	{"512,", "512, \"seed\": 1,", "duplicate"},
	{": 1,", ": 2,", "of version 2"},
	{"\"full\"", "\"half\"", "\"shuffle\" is none of full, blocks, none"},
	{"\"full\"", "\"blocks\"", "must be 1 or more"},
	{"0abc", "0abx", "\"fingerprint\" is no hexadecimal"},
	{"\"0000000000000abc\"", "5", "\"fingerprint\" is no hexadecimal"},
};

static void what_is_no_position_is_refused(void **state)
{
	const struct pit_position untouched = {.consumed = 77};

	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		const char *at = strstr(TEXT, bad[i].from);
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_position p = untouched;
		char text[600];

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - TEXT), TEXT, bad[i].to, at + strlen(bad[i].from));
		assert_int_equal(pit_position_parse(text, &p, &err), -EINVAL);
		if (!strstr(err.text, bad[i].said))
			fail_msg("\"%s\" is not in \"%s\"", bad[i].said, err.text);
		assert_true(same(&p, &untouched));
	}
	assert_int_equal(pit_position_parse("", NULL, NULL), -EINVAL);
	assert_int_equal(pit_position_parse("[]", NULL, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sample_is_dealt_once),
		cmocka_unit_test(a_dropped_tail_leaves_full_batches),
		cmocka_unit_test(a_padded_tail_begins_anew),
		cmocka_unit_test(each_sample_comes_once_when_the_job_changes),
		cmocka_unit_test(huge_epochs_are_dealt),
		cmocka_unit_test(positions_are_read_again),
		cmocka_unit_test(the_text_never_changes),
		cmocka_unit_test(what_is_no_position_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
