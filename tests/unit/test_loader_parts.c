/* SPDX-License-Identifier: MIT
 *
 * The loader's parts that know only what they are told: how many requests at once, past the page cache or not, which
 * files stay open.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "feed/ladder.h"
#include "feed/loader_depth.h"
#include "feed/loader_files.h"
#include "feed/loader_mode.h"
#include "feed_world.h"

#define MS 1000000

/* A disk whose rate grows with depth up to `knee` and is worse beyond, with noise of a tenth. */
static uint64_t disk(unsigned depth, unsigned knee, uint64_t *x)
{
	uint64_t rate = depth <= knee ? 1000 * depth : 1000000 * knee / (1000 + depth - knee);

	return rate * (95 + feed_mix(++*x) % 11) / 100;
}

static unsigned settle(unsigned start, unsigned least, unsigned most, unsigned knee)
{
	struct pit_depth d;
	uint64_t x = knee;

	pit_depth_init(&d, start, least, most);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned now = pit_depth_note(&d, disk(d.now, knee, &x) * 5 * MS, 5 * MS);

		assert_in_range(now, least, most);
	}
	return d.home;
}

static void finds_the_depth(void **state)
{
	assert_int_equal(settle(32, 8, 256, 64), 64);
	assert_int_equal(settle(32, 8, 256, 1000), 256);
	assert_int_equal(settle(32, 8, 256, 1), 8);
	assert_int_equal(settle(32, 8, 256, 16), 16);
	assert_int_equal(settle(7, 7, 7, 100), 7);
	assert_int_equal(settle(1, 8, 64, 8), 8);
}

static struct pit_modes two_modes(void)
{
	return (struct pit_modes){
		.mode = {{.name = "O_DIRECT"}, {.name = "page cache"}},
		.count = 2,
	};
}

/* Batches of 1000 bytes, which take `direct` and `cached` nanoseconds each. */
static unsigned run_trial(unsigned direct, unsigned cached, struct pit_ladder *l)
{
	struct pit_modes m = two_modes();
	unsigned n = 0, told = 0;
	int64_t now = 1;

	while (m.count == 2 && n < 100) {
		struct pit_mode *mode = pit_modes_next(&m);

		now += mode == m.mode ? direct : cached;
		told += pit_modes_note(&m, mode, 1000, now, l);
		n++;
	}
	assert_int_equal(told, 1);
	assert_true(n < 100);
	assert_ptr_equal(pit_modes_next(&m), m.mode + m.now);
	assert_false(pit_modes_note(&m, m.mode, 1000, now + 1, l));
	return m.now;
}

static void measures_the_page_cache(void **state)
{
	struct pit_ladder l = {0};

	assert_int_equal(run_trial(1000, 2000, &l), 0);
	assert_string_equal(pit_ladder_taken(&l, "cache")->rung, "O_DIRECT");
	assert_int_equal(run_trial(1000, 950, &l), 0); /* not worth the memory */
	assert_int_equal(run_trial(1000, 500, &l), 1);
	assert_string_equal(pit_ladder_taken(&l, "cache")->rung, "page cache");
	assert_non_null(strstr(pit_ladder_taken(&l, "cache")->why, "MiB/s"));
}

/* Batches overlap: one of the mode that loses may end last. */
static void closes_files_of_the_loser(void **state)
{
	struct pit_mode *before = NULL, *now;
	struct pit_ladder l = {0};
	struct feed_world w;
	struct pit_modes m;
	bool ended = false;

	(void)state;
	feed_files(&w, 20);
	assert_int_equal(pit_modes_open(w.source, PIT_IO_CACHE_AUTO, false, false, &m, &l, NULL), 0);
	if (m.count == 2) {
		for (unsigned i = 1; !ended; i++) {
			now = pit_modes_next(&m);
			ended = pit_modes_note(&m, now, 1000, i * INT64_C(1000000), &l);
			if (before)
				pit_modes_put(&m, before);
			before = now;
			assert_true(i < 100);
		}
		assert_int_equal(!!m.mode[!m.now].files, before == m.mode + !m.now);
		pit_modes_put(&m, before);
		assert_null(m.mode[!m.now].files);
		assert_non_null(m.mode[m.now].files);
	}
	pit_modes_close(&m);
	assert_int_equal(pit_modes_open(w.source, PIT_IO_CACHE_AUTO, false, false, &m, &l, NULL), 0);
	pit_modes_settle(&m);
	assert_non_null(m.mode[0].files);
	assert_null(m.mode[1].files);
	pit_modes_close(&m);
	feed_close(&w);
}

static void chooses_by_what_fits(void **state)
{
	struct feed_world w;
	struct pit_modes m;
	struct pit_ladder l = {0};
	struct pit_error err = PIT_ERROR_INIT;

	feed_files(&w, 20);
	assert_int_equal(pit_modes_open(w.source, PIT_IO_CACHE_AUTO, true, true, &m, &l, &err), 0);
	assert_int_equal(m.count, 1);
	assert_false(m.mode[0].direct);
	assert_string_equal(pit_ladder_taken(&l, "cache")->rung, "page cache");
	pit_modes_close(&m);
	assert_int_equal(pit_modes_open(w.source, PIT_IO_CACHE_AUTO, true, false, &m, &l, &err), 0);
	assert_int_equal(m.count, m.mode[0].direct ? 2 : 1);
	pit_modes_close(&m);
	tempdir_remove(w.dir);
	assert_int_equal(pit_modes_open(w.source, PIT_IO_CACHE_AUTO, true, false, &m, &l, &err), -ENOENT);
	assert_non_null(strstr(err.text, "d00/000000"));
	feed_close(&w);
}

static void keeps_files_open(void **state)
{
	const struct pit_disk d = {.cache = PIT_IO_BUFFERED, .mem_align = 1, .offset_align = 1};
	struct pit_file *a, *b, *c, *again;
	struct pit_files *f = NULL;
	struct feed_world w;

	feed_files(&w, 20);
	assert_int_equal(pit_files_open(w.source, 2, &f), 0);
	assert_int_equal(pit_files_get(f, &d, 0, &a), 0);
	assert_int_equal(pit_files_get(f, &d, 1, &b), 0);
	assert_int_equal(pit_files_get(f, &d, 2, &c), -EBUSY);
	assert_int_equal(pit_files_get(f, &d, 0, &again), 0);
	assert_ptr_equal(again, a);
	pit_files_put(f, a);
	assert_int_equal(pit_files_get(f, &d, 2, &c), -EBUSY);
	pit_files_put(f, a);
	pit_files_put(f, b);
	assert_int_equal(pit_files_get(f, &d, 2, &c), 0); /* in the place of 1: 0 was used again */
	assert_ptr_equal(c, b);
	assert_int_equal(c->file, 2);
	assert_int_equal(pit_files_get(f, &d, 1, &again), 0);
	assert_ptr_equal(again, a);
	pit_files_put(f, c);
	pit_files_put(f, a);
	tempdir_remove(w.dir);
	assert_int_equal(pit_files_get(f, &d, 5, &c), -ENOENT);
	assert_int_equal(pit_files_get(f, &d, 1, &again), 0); /* open still */
	pit_files_put(f, again);
	pit_files_close(f);
	pit_files_close(NULL);
	feed_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_depth),      cmocka_unit_test(measures_the_page_cache),
		cmocka_unit_test(chooses_by_what_fits), cmocka_unit_test(closes_files_of_the_loser),
		cmocka_unit_test(keeps_files_open),
	};

	return cmocka_run_group_tests_name("loader_parts", tests, NULL, NULL);
}
