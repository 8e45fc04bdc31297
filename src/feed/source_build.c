/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "feed/source_body.h"

int pit_source_add_key(struct pit_source *s, const char *key, uint32_t *ret)
{
	uintptr_t known = *key ? (uintptr_t)pit_strmap_get(&s->key_map, key) : 1;

	if (!s->keys.count && pit_names_add(&s->keys, "", 0))
		return -ENOMEM;
	if (!known) {
		if (s->keys.count == UINT32_MAX || pit_names_add(&s->keys, key, strlen(key)))
			return -ENOMEM;
		known = s->keys.count;
		if (pit_strmap_put(&s->key_map, key, (void *)known)) {
			pit_names_cut(&s->keys, s->keys.count - 1);
			return -ENOMEM;
		}
	}
	*ret = (uint32_t)(known - 1);
	return 0;
}

/* Sets first[i], which needs room for one more than there are samples. */
static int set_first(struct pit_source *s, uint64_t i, uint64_t part)
{
	uint64_t *first = pit_source_room(s->first, i, &s->first_room, sizeof(*first));

	if (!first)
		return -ENOMEM;
	s->first = first;
	s->first[i] = part;
	return 0;
}

int pit_source_add_sample(struct pit_source *s, const char *name, size_t len)
{
	s->form = PIT_FORM_PARTS;
	if (set_first(s, s->count, s->part_count) || set_first(s, s->count + 1, s->part_count) ||
	    pit_names_add(&s->names, name, len))
		return -ENOMEM;
	s->count++;
	return 0;
}

int pit_source_set_sum(struct pit_source *s, uint64_t i, uint64_t sum)
{
	while (sum && i >= s->sum_room) {
		size_t old = s->sum_room;
		uint64_t *sums = pit_source_room(s->sums, old, &s->sum_room, sizeof(*sums));

		if (!sums)
			return -ENOMEM;
		s->sums = sums;
		memset(sums + old, 0, (s->sum_room - old) * sizeof(*sums));
	}
	if (sum)
		s->sums[i] = sum;
	return 0;
}

int pit_source_add_part(struct pit_source *s, const struct pit_source_part *p, uint64_t sum)
{
	struct pit_source_part *parts = pit_source_room(s->parts, s->part_count, &s->part_room, sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	s->parts = parts;
	if (pit_source_set_sum(s, s->part_count, sum))
		return -ENOMEM;
	s->parts[s->part_count++] = *p;
	s->first[s->count] = s->part_count;
	return 0;
}

int pit_source_add_shard(struct pit_source *s, uint64_t rows)
{
	struct pit_source_shard *shards = pit_source_room(s->shards, s->shard_count, &s->shard_room, sizeof(*shards));
	uint64_t count;

	if (!shards)
		return -ENOMEM;
	s->shards = shards;
	if (__builtin_add_overflow(s->count, rows, &count))
		return -EOVERFLOW;
	s->form = PIT_FORM_ROWS;
	s->shards[s->shard_count++] = (struct pit_source_shard){.first = s->count, .column = (uint32_t)s->column_count};
	s->count = count;
	return 0;
}

int pit_source_add_column(struct pit_source *s, const struct pit_source_column *c)
{
	struct pit_source_column *columns =
		pit_source_room(s->columns, s->column_count, &s->column_room, sizeof(*columns));

	if (!columns || s->column_count == UINT32_MAX)
		return -ENOMEM;
	s->columns = columns;
	s->columns[s->column_count++] = *c;
	s->shards[s->shard_count - 1].columns++;
	return 0;
}

static void hash_number(XXH3_state_t *h, uint64_t n)
{
	n = htole64(n);
	XXH3_64bits_update(h, &n, sizeof(n));
}

static void hash_name(XXH3_state_t *h, const char *name)
{
	XXH3_64bits_update(h, name, strlen(name) + 1);
}

static int count_bytes(struct pit_source *s, uint64_t n, uint64_t len)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(n, len, &bytes) || __builtin_add_overflow(s->bytes, bytes, &s->bytes))
		return -EOVERFLOW;
	return 0;
}

static int finish_samples(struct pit_source *s, XXH3_state_t *h)
{
	int rc = 0;

	for (uint64_t i = 0; i < s->count && !rc; i++) {
		hash_name(h, pit_source_name(s, i));
		for (unsigned p = 0; p < pit_source_parts(s, i) && !rc; p++) {
			struct pit_extent x;

			pit_source_extent(s, i, p, &x);
			if (x.key)
				hash_name(h, pit_source_key(s, x.key));
			hash_number(h, x.len);
			rc = count_bytes(s, 1, x.len);
		}
	}
	return rc;
}

static int finish_rows(struct pit_source *s, XXH3_state_t *h)
{
	int rc = 0;

	for (size_t i = 0; i < s->shard_count; i++) {
		uint64_t end = i + 1 < s->shard_count ? s->shards[i + 1].first : s->count;
		uint64_t rows = end - s->shards[i].first;

		hash_name(h, pit_source_file(s, s->columns[s->shards[i].column].file));
		hash_number(h, rows);
		for (uint32_t c = 0; c < s->shards[i].columns && !rc; c++) {
			const struct pit_source_column *column = &s->columns[s->shards[i].column + c];

			hash_name(h, pit_source_key(s, column->key));
			hash_number(h, column->stride);
			rc = count_bytes(s, rows, column->stride);
		}
	}
	return rc;
}

int pit_source_finish(struct pit_source *s, struct pit_error *err)
{
	XXH3_state_t *h = XXH3_createState();
	uint32_t none;
	int rc = h && !pit_source_add_key(s, "", &none) ? 0 : -ENOMEM;

	if (!rc) {
		XXH3_64bits_reset(h);
		hash_number(h, s->count);
		rc = s->form == PIT_FORM_ROWS ? finish_rows(s, h) : finish_samples(s, h);
	}
	if (!rc)
		s->fingerprint = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	if (rc == -EOVERFLOW)
		return pit_fail(err, EOVERFLOW, "more than 2^64 bytes of samples");
	return rc ? pit_fail(err, ENOMEM, "out of memory") : 0;
}
