/* SPDX-License-Identifier: MIT
 *
 * `save path=FILE bytes=2G tensors=128`: one durable save. `async path=DIR ...`: what saves hold a training loop up
 * for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tool.h"

struct state {
	char *memory, (*names)[64];
	uint64_t bytes, shape[2];
	size_t count;
	struct pit_save_tensor *tensors;
};

static void fill(char *memory, uint64_t bytes)
{
	uint64_t x = 88172645463325252, *word = (uint64_t *)memory;

	for (uint64_t i = 0; i < bytes / 8; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		word[i] = x;
	}
}

static void *pages(uint64_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return must_have(memory == MAP_FAILED ? NULL : memory);
}

/* Random bytes: what compresses or repeats would flatter some disks. */
static void state_make(struct state *s)
{
	uint64_t each;

	s->count = arg_number("tensors", 128);
	each = arg_number("bytes", UINT64_C(2) << 30) / s->count / 4096 * 4096;
	s->bytes = each * s->count;
	s->memory = pages(s->bytes);
	fill(s->memory, s->bytes);
	s->names = must_have(calloc(s->count, sizeof(*s->names)));
	s->tensors = must_have(calloc(s->count, sizeof(*s->tensors)));
	s->shape[0] = each / 4096;
	s->shape[1] = 1024;
	for (size_t i = 0; i < s->count; i++) {
		snprintf(s->names[i], sizeof(s->names[i]), "layers.%zu.weight", i);
		s->tensors[i] = (struct pit_save_tensor){
			.tensor = {.name = s->names[i], .dtype = PIT_F32, .dims = 2, .shape = s->shape, .bytes = each},
			.data = s->memory + i * each,
		};
	}
}

int save_main(void)
{
	struct pit_save_want want = {.size = sizeof(want), .no_checksums = arg_number("sums", 1) == 0};
	struct pit_error err = PIT_ERROR_INIT;
	struct state s = {0};
	double start, cpu;

	state_make(&s);
	arg_io(&want.io);
	touch_memory();
	cpu = cpu_seconds();
	start = now();
	must(pit_save_file(arg_text("path", "state.safetensors"), s.tensors, s.count, &want, &err), &err, "save");
	printf("{\"bytes\":%llu,\"seconds\":%.6f,\"cpu\":%.4f}\n", (unsigned long long)s.bytes, now() - start,
	       cpu_seconds() - cpu);
	return 0;
}

/* A step of training: the same computation each time, on one thread, in memory of its own. */
static double step(void)
{
	static double a[160][160], b[160][160];
	double start = now();

	for (int again = 0; again < 4; again++)
		for (int i = 0; i < 160; i++)
			for (int k = 0; k < 160; k++)
				for (int j = 0; j < 160; j++)
					a[i][j] += a[i][k] * 1e-9 + b[k][j];
	return now() - start;
}

struct held {
	double put, steps; /* the call; and what the steps took longer until all was on disk */
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_step(void)
{
	double times[31];

	for (int i = 0; i < 31; i++)
		times[i] = step();
	qsort(times, 31, sizeof(times[0]), by_size);
	return times[15];
}

static struct held save_behind(struct pit_checkpoint *c, uint64_t number, const struct state *s,
			       enum pit_save_mode mode, double usual)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct held h = {0};
	double start;

	touch_memory();
	start = now();
	must(pit_checkpoint_put(c, number, s->tensors, s->count, mode, &err), &err, "put");
	must(pit_checkpoint_commit(c, number, NULL, NULL, 0, &err), &err, "commit");
	h.put = now() - start;
	h.steps = h.put;
	while (pit_checkpoint_busy(c))
		h.steps += step() - usual;
	must(pit_checkpoint_wait(c, &err), &err, "wait");
	return h;
}

static double copy_once(const struct state *s)
{
	char *copy = pages(s->bytes);
	double start;

	memset(copy, 1, s->bytes); /* its pages are there */
	start = now();
	memcpy(copy, s->memory, s->bytes);
	start = now() - start;
	if (copy[s->bytes - 1] != s->memory[s->bytes - 1])
		abort();
	munmap(copy, s->bytes);
	return start;
}

int async_main(void)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .keep = 1, .no_checksums = arg_number("sums", 1) == 0};
	struct pit_checkpoint_stats stats = {.size = sizeof(stats)};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_checkpoint *c = NULL;
	struct held first, copy, promise;
	struct state s = {0};
	double memcpy_seconds, usual;

	state_make(&s);
	arg_io(&want.io);
	usual = median_step();
	must(pit_checkpoint_open(arg_text("path", "checkpoints"), &want, &c, &err), &err, "open");
	first = save_behind(c, 1, &s, PIT_SAVE_COPY, usual);
	memcpy_seconds = copy_once(&s);
	copy = save_behind(c, 2, &s, PIT_SAVE_COPY, usual);
	promise = save_behind(c, 3, &s, PIT_SAVE_PROMISE, usual);
	pit_checkpoint_stats(c, &stats);
	printf("{\"bytes\":%llu,\"memcpy\":%.6f,\"first\":%.6f,\"copy\":%.6f,\"promise\":%.6f,\"copy_steps\":%.6f",
	       (unsigned long long)s.bytes, memcpy_seconds, first.put, copy.put, promise.put, copy.steps);
	printf(",\"promise_steps\":%.6f,\"step\":%.6f,\"staging\":%llu", promise.steps, usual,
	       (unsigned long long)stats.staging);
	print_ladder(pit_checkpoint_ladder(c));
	printf("}\n");
	must(pit_checkpoint_close(c, &err), &err, "close");
	return 0;
}
