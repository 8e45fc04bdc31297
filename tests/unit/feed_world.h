/* SPDX-License-Identifier: MIT
 *
 * Samples on disk for tests of the loader: contents follow from the number of the sample, so that what is delivered can
 * be checked without the files.
 */
#ifndef PIT_TESTS_FEED_WORLD_H
#define PIT_TESTS_FEED_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "pitcrew/feed.h"
#include "tempdir.h"

struct feed_world {
	char dir[64];
	unsigned files;
	struct pit_source *source;
};

static inline uint64_t feed_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline size_t feed_len(uint64_t sample)
{
	return sample % 17 == 3 ? 0 : feed_mix(sample) % 20000;
}

static inline unsigned char feed_byte(uint64_t sample, size_t at)
{
	return feed_mix(sample * 1000003 + at / 8) >> at % 8 * 8;
}

static inline void feed_fill(uint64_t sample, unsigned char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = feed_byte(sample, i);
}

static inline bool feed_is(uint64_t sample, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != feed_byte(sample, i))
			return false;
	return true;
}

/* `n` files d0/000000 ..., listed as a source; number i is sample i. */
static inline void feed_files(struct feed_world *w, unsigned n)
{
	static unsigned char buf[20000];
	struct pit_error err = PIT_ERROR_INIT;
	const char *paths[] = {w->dir};
	struct pit_source_want want = {.size = sizeof(want), .kind = PIT_SOURCE_FILES, .paths = paths, .path_count = 1};

	*w = (struct feed_world){.files = n};
	tempdir_new_in("/var/tmp", w->dir, sizeof(w->dir));
	for (unsigned i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/d%02u/%06u", i / 100, i);
		feed_fill(i, buf, feed_len(i));
		assert_int_equal(tempdir_write(w->dir, name, buf, feed_len(i)), 0);
	}
	if (pit_source_open(&want, &w->source, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pit_source_count(w->source), n);
}

static inline void feed_close(struct feed_world *w)
{
	pit_source_close(w->source);
	tempdir_remove(w->dir);
}

static inline struct pit_loader *feed_open(struct feed_world *w, struct pit_loader_want want)
{
	struct pit_loader *l = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	want.size = sizeof(want);
	if (pit_loader_open(w->source, &want, &l, &err))
		fail_msg("%s", err.text);
	return l;
}

/* Each sample of the batch has just the bytes of its file. */
static inline void feed_check(const struct pit_batch *b)
{
	for (uint32_t i = 0; i < pit_batch_count(b); i++) {
		uint64_t sample = pit_batch_sample(b, i);
		struct pit_part part;

		assert_int_equal(pit_batch_parts(b, i), 1);
		assert_int_equal(pit_batch_part(b, i, 0, &part), 0);
		assert_int_equal(part.len, feed_len(sample));
		assert_true(feed_is(sample, part.data, part.len));
	}
}

/* Takes what is left of an epoch and checks it: the numbers of samples in `ret`, at most `room`; how many came. */
static inline unsigned feed_take(struct pit_loader *l, uint64_t *ret, unsigned room)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b = NULL;
	unsigned n = 0;
	int rc;

	while ((rc = pit_loader_next(l, &b, &err)) == 1) {
		feed_check(b);
		for (uint32_t i = 0; i < pit_batch_count(b); i++) {
			assert_true(n < room);
			ret[n++] = pit_batch_sample(b, i);
		}
		pit_batch_release(b);
	}
	if (rc)
		fail_msg("%s", err.text);
	return n;
}

static inline bool feed_is_permutation(const uint64_t *order, unsigned n)
{
	bool *seen = calloc(n, sizeof(*seen));
	bool is = true;

	for (unsigned i = 0; i < n && is; i++) {
		is = order[i] < n && !seen[order[i]];
		if (is)
			seen[order[i]] = true;
	}
	free(seen);
	return is;
}

#endif
