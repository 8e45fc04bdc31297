/* SPDX-License-Identifier: MIT
 *
 * cache_policies [TRACE]: what each cache policy keeps and costs, in one table: a recorded trace (libCacheSim's
 * oracleGeneral format, at stdin when TRACE is "-"), requests by a power law over a million objects, and epochs, where
 * each sample is used once.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/cache.h"
#include "feed/policy.h"

#define MIB (UINT64_C(1) << 20)
#define ROUNDS 7

struct request {
	uint64_t key;
	uint32_t bytes;
};

struct load {
	struct request *requests;
	size_t count;
};

struct result {
	double hits, seconds; /* share of requests; median */
};

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		exit(3);
	return memory;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- loads ---- */

static struct load read_trace(FILE *f)
{
	struct load l = {.requests = take(1 << 24, sizeof(struct request))};
	unsigned char record[24]; /* time u32, key u64, bytes u32, next i64, little endian */

	while (l.count < 1 << 24 && fread(record, sizeof(record), 1, f) == 1) {
		memcpy(&l.requests[l.count].key, record + 4, 8);
		memcpy(&l.requests[l.count++].bytes, record + 12, 4);
	}
	return l;
}

#define OBJECTS 1000000
#define ALPHA 0.9

/* The n-th most wanted object is wanted n^-ALPHA times as often as the first. Their numbers are scattered. */
static struct load power_law(size_t count)
{
	pit_auto_free double *sums = take(OBJECTS, sizeof(*sums));
	struct load l = {.requests = take(count, sizeof(struct request)), .count = count};
	uint64_t random = 42;
	double sum = 0;

	for (size_t i = 0; i < OBJECTS; i++)
		sums[i] = sum += pow((double)(i + 1), -ALPHA);
	for (size_t i = 0; i < count; i++) {
		double wanted = (double)(next_random(&random) >> 11) * 0x1p-53 * sum;
		size_t low = 0, high = OBJECTS - 1;

		while (low < high) {
			size_t middle = (low + high) / 2;

			if (sums[middle] < wanted)
				low = middle + 1;
			else
				high = middle;
		}
		l.requests[i] = (struct request){.key = low * UINT64_C(0x9e3779b97f4a7c15),
						 .bytes = 1000 + (uint32_t)(low * 2654435761u % 200000)};
	}
	return l;
}

#define SAMPLES 20000
#define EPOCHS 10

static struct load epochs(void)
{
	struct load l = {.requests = take(SAMPLES * EPOCHS, sizeof(struct request)), .count = SAMPLES * EPOCHS};
	uint64_t random = 7;

	for (size_t e = 0; e < EPOCHS; e++) {
		struct request *r = l.requests + e * SAMPLES;

		for (uint64_t i = 0; i < SAMPLES; i++) {
			uint64_t k = next_random(&random) % (i + 1);

			r[i] = r[k];
			r[k] = (struct request){.key = i, .bytes = 1};
		}
	}
	return l;
}

/* ---- runs ---- */

static struct result replay(enum pit_policy policy, uint64_t size, const struct load *l)
{
	struct pit_policy_cache *c;
	uint64_t hits = 0;
	int64_t start = pit_now();

	if (pit_policy_open(policy, size, NULL, NULL, &c))
		exit(3);
	for (size_t i = 0; i < l->count; i++) {
		if (pit_policy_get(c, l->requests[i].key))
			hits++;
		else
			pit_policy_put(c, l->requests[i].key, l->requests[i].bytes);
	}
	pit_policy_close(c);
	return (struct result){.hits = (double)hits / (double)l->count, .seconds = (double)(pit_now() - start) / 1e9};
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* All policies by turns. */
static void measure(uint64_t size, const struct load *l, struct result ret[PIT_POLICIES])
{
	double seconds[PIT_POLICIES][ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
		for (int p = 0; p < PIT_POLICIES; p++) {
			ret[p] = replay((enum pit_policy)p, size, l);
			seconds[p][round] = ret[p].seconds;
		}
	for (int p = 0; p < PIT_POLICIES; p++) {
		qsort(seconds[p], ROUNDS, sizeof(seconds[p][0]), by_size);
		ret[p].seconds = seconds[p][ROUNDS / 2];
	}
}

static double rate(const struct result *r, const struct load *l)
{
	return (double)l->count / r->seconds / 1e6;
}

/* Hits of all epochs but the first, as a share of their requests. */
static double later_hits(enum pit_policy policy, uint64_t size, const struct load *l)
{
	return replay(policy, size, l).hits * EPOCHS / (EPOCHS - 1);
}

static void show_policies(const struct load *trace, const struct load *law, const struct load *turns)
{
	static const unsigned percents[] = {10, 25, 50, 80};
	struct result of_trace[PIT_POLICIES] = {0}, of_law[PIT_POLICIES];

	if (trace->count)
		measure(512 * MIB, trace, of_trace);
	measure(10000 * MIB, law, of_law);
	printf("  %-10s %20s %26s %36s\n", "", "recorded trace", "power law", "epochs: hits, cache of C/N");
	printf("  %-10s %10s %9s %15s %10s %12s %5s %8s %8s %8s\n", "policy", "misses", "M/s", "hits", "M/s", "10 %",
	       "", "25 %", "50 %", "80 %");
	for (int p = 0; p < PIT_POLICIES; p++) {
		printf("  %-10s", pit_policy_names[p]);
		if (trace->count)
			printf(" %10.0f %9.1f", (1 - of_trace[p].hits) * (double)trace->count,
			       rate(&of_trace[p], trace));
		else
			printf(" %10s %9s", "-", "-");
		printf(" %14.1f%% %10.1f", of_law[p].hits * 100, rate(&of_law[p], law));
		for (size_t i = 0; i < PIT_COUNT(percents); i++)
			printf(" %*.3f%s", i ? 8 : 12,
			       later_hits((enum pit_policy)p, SAMPLES / 100 * percents[i], turns), i ? "" : "      ");
		printf("\n");
	}
	printf("  %-10s %10s %9s %15s %10s %12.3f %5s %8.3f %8.3f %8.3f\n", "bound C/N", "", "", "", "", .1, "", .25,
	       .5, .8);
}

/* ---- samples in memory ---- */

#define SAMPLE 110000
#define KEPT 2000

static double copy_rate(struct pit_sample_cache *c, const char *all, char *to)
{
	int64_t start = pit_now();
	uint64_t random = 3;

	for (int i = 0; i < 4 * KEPT; i++) {
		uint64_t key = next_random(&random) % KEPT;

		if (!c)
			memcpy(to, all + key * SAMPLE, SAMPLE);
		else if (!pit_sample_cache_get(c, key, to, SAMPLE))
			exit(2);
	}
	return 4.0 * KEPT * SAMPLE / (double)(pit_now() - start) * 1e9 / (double)(1 << 30);
}

static void show_copies(void)
{
	pit_auto_free char *all = take(KEPT, SAMPLE), *to = take(1, SAMPLE);
	struct pit_sample_cache *plain, *blocks;
	double rates[3][ROUNDS];

	if (pit_sample_cache_open(PIT_POLICY_FILL_ONCE, KEPT * SAMPLE, NULL, 1, &plain, NULL) ||
	    pit_sample_cache_open(PIT_POLICY_LRU, 256 * MIB, NULL, 1, &blocks, NULL))
		exit(3);
	memset(all, 1, (size_t)KEPT * SAMPLE);
	for (uint64_t key = 0; key < KEPT; key++) {
		pit_sample_cache_put(plain, key, all + key * SAMPLE, SAMPLE);
		pit_sample_cache_put(blocks, key, all + key * SAMPLE, SAMPLE);
	}
	for (int round = 0; round < ROUNDS; round++) {
		rates[0][round] = copy_rate(NULL, all, to);
		rates[1][round] = copy_rate(plain, all, to);
		rates[2][round] = copy_rate(blocks, all, to);
	}
	for (int i = 0; i < 3; i++)
		qsort(rates[i], ROUNDS, sizeof(rates[i][0]), by_size);
	printf("  hits of %d bytes in memory: fill-once %.1f GiB/s, lru %.1f GiB/s, bare memcpy %.1f GiB/s\n", SAMPLE,
	       rates[1][ROUNDS / 2], rates[2][ROUNDS / 2], rates[0][ROUNDS / 2]);
	pit_sample_cache_close(plain);
	pit_sample_cache_close(blocks);
}

int main(int argc, char **argv)
{
	FILE *f = argc > 1 ? strcmp(argv[1], "-") ? fopen(argv[1], "re") : stdin : NULL;
	struct load trace = {0}, law = power_law(4000000), turns = epochs();

	if (argc > 1 && !f) {
		fprintf(stderr, "cache_policies: cannot open %s: %s\n", argv[1], strerror(errno));
		return 3;
	}
	if (f)
		trace = read_trace(f);
	show_policies(&trace, &law, &turns);
	show_copies();
	free(trace.requests);
	free(law.requests);
	free(turns.requests);
	return 0;
}
