/* SPDX-License-Identifier: MIT
 *
 * What another process hands over: the text, and the description in its memory.
 */
#include "base/cleanup.h"
#include "feed/batch.h"
#include "feed/share.h"
#include "fuzz.h"

static size_t use(const void *p, size_t len)
{
	const unsigned char *bytes = p;

	return len ? bytes[0] + bytes[len - 1] : 0;
}

/* The sum of what is there, so that each byte is looked at. */
static size_t walk(const struct pit_batch *b)
{
	size_t sum = 0;
	size_t len, stride;
	struct pit_part part;

	for (uint32_t i = 0; i < pit_batch_count(b); i++) {
		sum += strlen(pit_batch_name(b, i)) + pit_batch_sample(b, i);
		for (unsigned p = 0; p < pit_batch_parts(b, i) && p < 100; p++)
			if (!pit_batch_part(b, i, p, &part))
				sum += strlen(part.key) + use(part.data, part.len);
	}
	if (pit_batch_array(b, &len, &stride))
		sum += len;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pit_auto_free char *text = fuzz_text(data, size);
	pit_auto_free struct pit_batch_head *h = calloc(1, size + sizeof(*h));
	struct pit_batch b = {.head = h};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_share s;
	char again[256];

	if (!pit_share_parse(text, &s, &err) && pit_share_text(&s, again, sizeof(again)) < 0)
		abort();
	memcpy(h, data, size);
	h->magic = PIT_BATCH_MAGIC; /* these two no fuzzer guesses */
	h->bytes = size;
	if (pit_batch_is_sound(h, size))
		walk(&b);
	return 0;
}
