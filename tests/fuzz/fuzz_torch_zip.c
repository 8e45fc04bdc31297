/* SPDX-License-Identifier: MIT
 *
 * A zip archive of torch.save(): whatever its directory says, its files lie in it, apart from each other.
 */
#include "feed/torch_zip.h"
#include "fuzz.h"

struct bytes {
	const uint8_t *data;
	size_t size;
};

static int read_bytes(void *arg, uint64_t offset, void *data, uint64_t len, struct pit_error *err)
{
	const struct bytes *b = arg;

	if (offset > b->size || len > b->size - offset)
		abort();
	memcpy(data, b->data + offset, len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {.data = data, .size = size};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_zip z;
	uint64_t at = 0;

	if (pit_zip_open(read_bytes, &b, size, &z, &err)) {
		if (!*err.text)
			abort();
		return 0;
	}
	for (size_t i = 0; i < z.count; i++) {
		const struct pit_zip_entry *e = &z.entries[i];

		if (e->offset < at || e->offset > size || e->bytes > size - e->offset || pit_zip_find(&z, e->name) != e)
			abort();
		(void)pit_zip_crc(0, data + e->offset, e->bytes);
		at = e->offset + e->bytes;
	}
	pit_zip_free(&z);
	return 0;
}
