/* SPDX-License-Identifier: MIT */
/* read_weights MODEL: reads a .safetensors file, or a directory of them, and lists the tensors. */
#include <stdio.h>

#include <pitcrew/pitcrew.h>

int main(int argc, char **argv)
{
	struct pit_weights_want want = {.size = sizeof(want)};
	struct pit_weights *w = NULL;
	struct pit_arena *arena = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_weights_open(argc > 1 ? argv[1] : "model.safetensors", &w, &err);

	if (!rc)
		rc = pit_weights_load(w, &want, &arena, &err);
	for (size_t i = 0; !rc && i < pit_weights_count(w); i++) {
		const struct pit_tensor *t = pit_weights_tensor(w, i);

		printf("%s: %s, %llu bytes at %p\n", t->name, pit_dtype_name(t->dtype), (unsigned long long)t->bytes,
		       pit_arena_data(arena, i));
	}
	if (rc)
		fprintf(stderr, "read_weights: %s\n", err.text);
	pit_arena_free(arena);
	pit_weights_close(w);
	return rc != 0;
}
