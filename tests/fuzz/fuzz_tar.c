/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "feed/tar.h"
#include "fuzz.h"

struct bytes {
	const uint8_t *data;
	size_t size;
	uint64_t end; /* of the member before */
};

static int give(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct bytes *b = arg;

	if (offset > b->size || len > b->size - offset)
		abort();
	memcpy(buf, b->data + offset, len);
	return 0;
}

static int found(void *arg, const struct pit_tar_member *m)
{
	struct bytes *b = arg;

	if (!*m->name || m->offset < b->end + 512 || m->offset > b->size || m->len > b->size - m->offset)
		abort();
	b->end = m->offset + m->len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {.data = data, .size = size};
	struct pit_error err = PIT_ERROR_INIT;
	uint64_t end = 0;
	char odd[120];
	uint8_t *copy = malloc(size + 1);

	/* Sums of headers that the fuzzer cannot guess are made right where the first byte asks for it. */
	if (!copy)
		abort();
	memcpy(copy, data, size);
	for (size_t at = 0; size && *data & 1 && at + 512 <= size; at += 512) {
		unsigned sum = 0;

		memset(copy + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += copy[at + i];
		snprintf((char *)copy + at + 148, 8, "%06o", sum);
	}
	b.data = copy;
	if (!pit_tar_scan(size, give, &b, found, &b, &end, &err)) {
		if (end > size || pit_tar_ending(size, end, give, &b, odd))
			abort();
	} else if (!*err.text) {
		abort();
	}
	free(copy);
	return 0;
}
