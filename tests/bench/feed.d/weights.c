/* SPDX-License-Identifier: MIT
 *
 * `weights path=FILE [each=1] [sums=FILE]`: reads a safetensors file whole, or (each=1) tensor by tensor as a program
 * without such a library would: one pread() after another. sums= gets a line for each tensor: the sum of its 64-bit
 * words, which the peers compute, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static void print_sums(const char *path, const struct pit_weights *w, const struct pit_arena *a)
{
	FILE *f = fopen(path, "we");

	for (size_t i = 0; f && i < pit_weights_count(w); i++) {
		const struct pit_tensor *t = pit_weights_tensor(w, i);
		const char *data = pit_arena_data(a, i);
		uint64_t sum = 0, word;

		for (uint64_t at = 0; at + 8 <= t->bytes; at += 8) {
			memcpy(&word, data + at, 8);
			sum += word;
		}
		fprintf(f, "%s %lld\n", t->name, (long long)sum);
	}
	if (!f || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void read_each(struct pit_weights *w)
{
	struct pit_error err = PIT_ERROR_INIT;

	for (size_t i = 0; i < pit_weights_count(w); i++) {
		const struct pit_tensor *t = pit_weights_tensor(w, i);
		void *data = must_have(malloc(t->bytes + 1));

		/* Kept, as by a program that wants them all. */
		must(pit_weights_read(w, i, 0, data, t->bytes, &err), &err, "read");
	}
}

int weights_main(void)
{
	struct pit_weights_want want = {.size = sizeof(want), .verify = arg_number("verify", 0) != 0};
	const char *sums = arg_text("sums", NULL);
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_weights *w = NULL;
	struct pit_arena *a = NULL;
	double start, cpu;

	arg_io(&want.io);
	touch_memory();
	cpu = cpu_seconds();
	start = now();
	must(pit_weights_open(arg_text("path", "state.safetensors"), &w, &err), &err, "open");
	if (arg_number("each", 0))
		read_each(w);
	else
		must(pit_weights_load(w, &want, &a, &err), &err, "load");
	printf("{\"bytes\":%llu,\"seconds\":%.6f,\"cpu\":%.4f", (unsigned long long)pit_weights_bytes(w), now() - start,
	       cpu_seconds() - cpu);
	print_ladder(a ? pit_arena_ladder(a) : NULL);
	printf("}\n");
	if (sums && a)
		print_sums(sums, w, a);
	pit_arena_free(a);
	pit_weights_close(w);
	return 0;
}
