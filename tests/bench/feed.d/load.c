/* SPDX-License-Identifier: MIT
 *
 * One epoch, or part of it, through the loader: `load path=DIR kind=files|tar|records batch=N shuffle=full|blocks|none
 * seed=N batches=N step_ms=N order=FILE`. With order= each sample is written there as "NAME LENGTH CRC32": what the
 * peers then read, and must see.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct run {
	double begin, first, computing, pss_pause;
	double *gaps;
	uint64_t batches, samples, bytes, pss;
	FILE *order;
};

static uint32_t crc32_of(uint32_t crc, const unsigned char *p, size_t len)
{
	static uint32_t table[256];

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			table[i] = i;
			for (int k = 0; k < 8; k++)
				table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
		}
	crc = ~crc;
	while (len--)
		crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

static void take(struct run *r, const struct pit_batch *b)
{
	struct pit_part part;

	for (uint32_t i = 0; i < pit_batch_count(b); i++) {
		uint32_t crc = 0;
		uint64_t len = 0;

		for (unsigned k = 0; k < pit_batch_parts(b, i); k++) {
			must(pit_batch_part(b, i, k, &part), &(struct pit_error){0}, "part");
			len += part.len;
			if (r->order)
				crc = crc32_of(crc, part.data, part.len);
		}
		if (r->order)
			fprintf(r->order, "%llu %08x %s\n", (unsigned long long)len, crc, pit_batch_name(b, i));
		r->bytes += len;
		r->samples++;
	}
}

static void step(struct run *r, double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (time_t)seconds) * 1e9)};

	/* In the place of a computation on a GPU, which needs no CPU. Looking at our memory belongs to it, too. */
	if (seconds > 0) {
		double start = now();

		if (r->batches % 4 == 3) {
			uint64_t pss = pss_bytes();

			r->pss = pss > r->pss ? pss : r->pss;
			t.tv_nsec -= (long)((now() - start) * 1e9);
			if (t.tv_nsec < 0)
				t.tv_nsec = 0;
		}
		nanosleep(&t, NULL);
		r->computing += now() - start;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void epoch(struct run *r, struct pit_loader *l, uint64_t most, double step_seconds)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b = NULL;
	double before = r->begin;
	int rc = 0;

	while (r->batches < most && (rc = pit_loader_next(l, &b, &err)) == 1) {
		double at = now();

		if (r->batches == 0)
			r->first = at - r->begin;
		else
			r->gaps[r->batches - 1] = at - before;
		take(r, b);
		step(r, step_seconds);
		pit_batch_release(b);
		r->batches++;
		before = now();
	}
	must(rc, &err, "next");
}

static struct pit_source *source(void)
{
	const char *kind = arg_text("kind", "files"), *path = arg_text("path", ".");
	struct pit_source_want want = {.size = sizeof(want), .paths = &path, .path_count = 1};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;

	want.kind = !strcmp(kind, "tar")       ? PIT_SOURCE_TAR
		    : !strcmp(kind, "records") ? PIT_SOURCE_RECORDS
					       : PIT_SOURCE_FILES;
	want.record_bytes = arg_number("record", 4096);
	must(pit_source_open(&want, &s, &err), &err, "source");
	return s;
}

static struct pit_loader *loader(struct pit_source *s)
{
	struct pit_loader_want want = {.size = sizeof(want)};
	const char *shuffle = arg_text("shuffle", "full");
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_loader *l = NULL;

	want.batch = arg_number("batch", 256);
	want.seed = arg_number("seed", 1);
	want.memory = arg_number("memory", 0);
	want.shuffle = !strcmp(shuffle, "none")     ? PIT_SHUFFLE_NONE
		       : !strcmp(shuffle, "blocks") ? PIT_SHUFFLE_BLOCKS
						    : PIT_SHUFFLE_FULL;
	want.as_ready = arg_number("as_ready", 0);
	arg_io(&want.io);
	must(pit_loader_open(s, &want, &l, &err), &err, "loader");
	return l;
}

static void report(struct run *r, struct pit_loader *l, double seconds, double cpu)
{
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	uint64_t n = r->batches > 1 ? r->batches - 1 : 0;

	pit_loader_stats(l, &stats);
	qsort(r->gaps, n, sizeof(double), by_size);
	printf("{\"samples\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"first\":%.6f,\"p99\":%.6f,\"cpu\":%.4f,\"pss\":%llu",
	       (unsigned long long)r->samples, (unsigned long long)r->bytes, seconds, r->first,
	       n ? r->gaps[(n * 99 + 99) / 100 - 1] : 0.0, cpu, (unsigned long long)r->pss);
	printf(",\"computing\":%.6f,\"depth\":%u,\"read_bytes\":%llu,\"wait\":%.4f,\"full\":%.4f", r->computing,
	       stats.depth, (unsigned long long)stats.read_bytes, stats.wait_ns * 1e-9, stats.full_ns * 1e-9);
	print_ladder(pit_loader_ladder(l));
	printf("}\n");
}

/* The samples are listed when the clock starts, and it runs while the loader opens. */
int load_main(void)
{
	const char *order = arg_text("order", NULL);
	struct run r = {.order = order ? fopen(order, "we") : NULL};
	struct pit_source *s = source();
	struct pit_loader *l;
	uint64_t all, most;
	double cpu;

	touch_memory();
	cpu = cpu_seconds();
	r.begin = now();
	l = loader(s);
	all = pit_loader_batches(l);
	most = arg_number("batches", all);
	if (order && !r.order) {
		perror(order);
		return 1;
	}
	r.gaps = must_have(calloc(all + 1, sizeof(double)));
	epoch(&r, l, most < all ? most : all, arg_number("step_ms", 0) * 1e-3);
	report(&r, l, now() - r.begin, cpu_seconds() - cpu);
	pit_loader_close(l);
	pit_source_close(s);
	free(r.gaps);
	return r.order && fclose(r.order) ? 1 : 0;
}
