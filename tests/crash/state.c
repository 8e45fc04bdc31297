/* SPDX-License-Identifier: MIT */
#include "tests/crash/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[STATE_TENSORS] = {"step", "weight", "bias", "moment.1", "moment.2"};

static uint64_t word(uint64_t generation, uint64_t piece, uint64_t i)
{
	uint64_t x = generation << 40 ^ piece << 32 ^ i;

	x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

uint8_t state_byte(uint64_t generation, uint64_t piece, uint64_t at)
{
	return (uint8_t)(word(generation, piece, at / 8) >> at % 8 * 8);
}

static uint64_t *words(uint64_t generation, uint64_t piece, uint64_t count)
{
	uint64_t *w = malloc(count * sizeof(*w) + 1);

	if (!w)
		abort();
	for (uint64_t i = 0; i < count; i++)
		w[i] = word(generation, piece, i);
	return w;
}

void state_make(struct state *s, uint64_t generation, uint64_t bytes)
{
	for (uint64_t i = 0; i < STATE_TENSORS; i++) {
		/* the first is small, the others share the rest; none ends at the border of a page */
		uint64_t count = i ? bytes / 8 / (STATE_TENSORS - 1) + 37 * (generation % 61) + i : 1;

		s->shapes[i] = count;
		s->tensors[i] = (struct pit_save_tensor){
			.tensor = {.name = names[i],
				   .dtype = PIT_I64,
				   .dims = 1,
				   .shape = &s->shapes[i],
				   .bytes = count * 8},
			.data = words(generation, i, count),
		};
	}
}

void state_free(struct state *s)
{
	for (size_t i = 0; i < STATE_TENSORS; i++)
		free((void *)(uintptr_t)s->tensors[i].data);
}

int state_compare_data(const char *name, const void *data, uint64_t bytes, uint64_t generation, struct pit_error *err)
{
	const uint64_t *found = data;
	uint64_t k = 0;

	while (k < STATE_TENSORS && strcmp(names[k], name))
		k++;
	for (uint64_t n = 0; n < bytes / 8; n++)
		if (k == STATE_TENSORS || found[n] != word(generation, k, n))
			return pit_fail(err, EBADMSG, "word %" PRIu64 " of %s is not that of state %" PRIu64, n, name,
					generation);
	return 0;
}

int state_compare(struct pit_weights *w, uint64_t generation, struct pit_error *err)
{
	int rc = 0;

	for (uint64_t k = 0; !rc && k < STATE_TENSORS; k++) {
		int64_t i = pit_weights_find(w, names[k]);
		uint64_t bytes = i < 0 ? 0 : pit_weights_tensor(w, (size_t)i)->bytes;
		void *data = malloc(bytes + 1);

		if (!data || i < 0)
			rc = pit_fail(err, EBADMSG, "state %" PRIu64 " lacks %s", generation, names[k]);
		else if (!(rc = pit_weights_read(w, (size_t)i, 0, data, bytes, err)))
			rc = state_compare_data(names[k], data, bytes, generation, err);
		free(data);
	}
	return rc;
}
