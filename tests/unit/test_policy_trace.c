/* SPDX-License-Identifier: MIT
 *
 * The policies on libCacheSim's recorded trace, where the cases lie ($PITCREW_CASES): misses must be what its own test
 * asserts. And on epochs, where each sample is used once: no policy can hit more often than its share of the samples,
 * and fill-once does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "feed/policy.h"
#include "unit/tree.h"

#define MIB (UINT64_C(1) << 20)
#define REQUESTS 113872
#define SIZES 8 /* 128 MiB and its multiples */

struct __attribute__((packed)) record { /* oracleGeneral, little endian */
	uint32_t time;
	uint64_t key;
	uint32_t bytes;
	int64_t next;
};
_Static_assert(sizeof(struct record) == 24, "records of 24 bytes");

struct misses {
	uint64_t requests, bytes;
};

static struct misses replay(enum pit_policy policy, uint64_t size, const struct record *records, size_t count)
{
	struct misses m = {0};
	struct pit_policy_cache *c;

	assert_int_equal(pit_policy_open(policy, size, NULL, NULL, &c), 0);
	for (size_t i = 0; i < count; i++) {
		if (pit_policy_get(c, records[i].key))
			continue;
		pit_policy_put(c, records[i].key, records[i].bytes);
		m.requests++;
		m.bytes += records[i].bytes;
	}
	pit_policy_close(c);
	return m;
}

/* Misses of requests at each size. */
static const struct {
	enum pit_policy policy;
	const char *name; /* in expected-results.tsv */
	uint64_t misses[SIZES];
} counts[] = {
	{PIT_POLICY_LRU, "LRU", {93374, 89783, 83572, 81722, 72494, 72104, 71972, 71704}},
	{PIT_POLICY_FIFO, "FIFO", {93403, 89386, 84387, 84025, 72498, 72228, 72182, 72140}},
	{PIT_POLICY_CLOCK, "Clock", {93313, 89775, 83411, 81328, 74815, 72283, 71927, 64456}},
	{PIT_POLICY_LFU, "LFU", {91699, 86720, 78578, 76707, 69945, 66221, 64445, 64376}},
	{PIT_POLICY_S3FIFO, "S3FIFO", {89307, 82387, 77041, 76791, 71300, 70343, 70455, 70355}},
};

/* What the table says of `name` and `kind` in the column of a size; 0 when it has none. */
static uint64_t expected(const char *table, const char *name, const char *kind, uint64_t mib)
{
	static const unsigned columns[] = {128, 256, 384, 512, 896, 1024};
	char start[64];
	const char *at;

	snprintf(start, sizeof(start), "\n%s\t%s\t", name, kind);
	at = strstr(table, start);
	if (!at)
		return 0;
	at += strlen(start);
	for (size_t i = 0; i < PIT_COUNT(columns); i++) {
		char *end;
		uint64_t value = strtoull(at, &end, 10);

		if (columns[i] == mib)
			return value;
		at = end;
	}
	return 0;
}

static struct record *load(const char *dir)
{
	struct record *records = calloc(REQUESTS, sizeof(*records));
	char command[4096];
	FILE *f;

	snprintf(command, sizeof(command), "xz -dc '%s/cloudPhysicsIO.oracleGeneral.bin.xz'", dir);
	f = popen(command, "re");
	assert_non_null(records);
	assert_non_null(f);
	assert_int_equal(fread(records, sizeof(*records), REQUESTS, f), REQUESTS);
	assert_int_equal(fgetc(f), EOF);
	assert_int_equal(pclose(f), 0);
	return records;
}

static void equals_libcachesim(void **state)
{
	char dir[4096];
	pit_auto_free char *table = NULL;
	pit_auto_free struct record *records = NULL;
	unsigned compared = 0;

	if (!tree_cases("traces/libcachesim", dir, sizeof(dir))) {
		print_message("SKIP: ../shared/cases not present (libCacheSim's trace)\n");
		skip();
	}
	records = load(dir);
	table = tree_slurp("%s/expected-results.tsv", dir);
	assert_non_null(table);
	for (size_t i = 0; i < PIT_COUNT(counts); i++)
		for (uint64_t k = 0; k < SIZES; k++) {
			uint64_t mib = (k + 1) * 128, of_table = expected(table, counts[i].name, "miss_cnt_true", mib);
			uint64_t bytes = expected(table, counts[i].name, "miss_byte_true", mib);
			struct misses m = replay(counts[i].policy, mib * MIB, records, REQUESTS);

			assert_int_equal(m.requests, counts[i].misses[k]);
			if (!of_table)
				continue;
			assert_int_equal(m.requests, of_table);
			assert_int_equal(m.bytes, bytes);
			compared++;
		}
	assert_int_equal(compared, PIT_COUNT(counts) * 6);
	print_message("# note misses of 5 policies at 8 sizes equal libCacheSim's, and missed bytes at 6\n");
}

/* ---- epochs ---- */

#define SAMPLES 4000
#define EPOCHS 6

static void shuffle(struct record *records, uint64_t *random)
{
	for (uint32_t i = 0; i < SAMPLES; i++)
		records[i] = (struct record){.key = i, .bytes = 1};
	for (uint32_t i = SAMPLES - 1; i; i--) {
		uint32_t k;
		struct record kept = records[i];

		*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
		k = (uint32_t)((*random >> 33) % (i + 1));
		records[i] = records[k];
		records[k] = kept;
	}
}

static uint64_t epoch_hits(enum pit_policy policy, uint64_t size)
{
	pit_auto_free struct record *records = calloc(SAMPLES * EPOCHS, sizeof(*records));
	uint64_t random = 7;

	assert_non_null(records);
	for (unsigned e = 0; e < EPOCHS; e++)
		shuffle(records + (size_t)e * SAMPLES, &random);
	return SAMPLES * EPOCHS - replay(policy, size, records, SAMPLES * EPOCHS).requests;
}

static void fill_once_reaches_the_bound(void **state)
{
	for (uint64_t size = SAMPLES / 10; size <= SAMPLES; size += SAMPLES / 10)
		assert_int_equal(epoch_hits(PIT_POLICY_FILL_ONCE, size), size * (EPOCHS - 1));
	assert_int_equal(epoch_hits(PIT_POLICY_FILL_ONCE, SAMPLES * 2), SAMPLES * (EPOCHS - 1));
}

static void no_policy_passes_the_bound(void **state)
{
	for (uint64_t size = SAMPLES / 10; size < SAMPLES; size += SAMPLES / 5)
		for (int p = PIT_POLICY_FILL_ONCE + 1; p < PIT_POLICIES; p++)
			assert_in_range(epoch_hits((enum pit_policy)p, size), 1, size * (EPOCHS - 1) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_libcachesim),
		cmocka_unit_test(fill_once_reaches_the_bound),
		cmocka_unit_test(no_policy_passes_the_bound),
	};

	return cmocka_run_group_tests_name("policy_trace", tests, NULL, NULL);
}
