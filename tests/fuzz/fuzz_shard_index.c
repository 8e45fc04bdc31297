/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <xxhash.h>

#include "feed/index.h"
#include "fuzz.h"

#define SHARD 100000 /* bytes */

static void check(const struct pit_shard_index *x)
{
	for (size_t i = 0; i < x->count; i++) {
		if (x->members[i].offset > SHARD || x->members[i].len > SHARD - x->members[i].offset)
			abort();
		if (strlen(pit_shard_index_name(x, i)) >= x->names.len)
			abort();
	}
}

/* What was read is written again and read again. */
static void turn_round(const struct pit_shard_index *x, const struct pit_shard_index_stamp *stamp)
{
	struct pit_shard_index again = {.names = PIT_BUF_INIT};
	struct pit_buf out = PIT_BUF_INIT;

	pit_shard_index_format(x, stamp, &out);
	if (pit_shard_index_section(out.data, out.len) != out.len ||
	    pit_shard_index_parse(out.data, out.len, stamp, &again) || again.count != x->count)
		abort();
	pit_shard_index_free(&again);
	pit_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pit_shard_index_stamp stamp = {.name = "a.tar", .size = SHARD, .mtime_ns = 0};
	struct pit_shard_index x = {.names = PIT_BUF_INIT};
	uint8_t *copy = malloc(size + 1);
	uint64_t n;

	/* Length, hash, size and time, which the fuzzer cannot guess, are made right. */
	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (size >= 48 && !(data[0] & 0x80)) {
		memcpy(copy, "PITIDX\0\1", 8);
		n = htole64(size);
		memcpy(copy + 8, &n, 8);
		n = htole64(SHARD);
		memcpy(copy + 24, &n, 8);
		memset(copy + 32, 0, 8);
		n = htole64(XXH3_64bits(copy + 24, size - 24));
		memcpy(copy + 16, &n, 8);
	}
	if (!pit_shard_index_parse(copy, size, &stamp, &x)) {
		check(&x);
		turn_round(&x, &stamp);
	}
	pit_shard_index_free(&x);
	free(copy);
	return 0;
}
