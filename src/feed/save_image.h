/* SPDX-License-Identifier: MIT
 *
 * What is to become one safetensors file: its header, ready but for the checksums, and where the bytes behind it lie in
 * memory, which are seen as one stream that begins at a multiple of 4 KiB of the file.
 *
 * Checksums are texts of `__metadata__`: "pitcrew.xxh3.NAME" has XXH3-64 of the bytes of tensor NAME, "pitcrew.header"
 * that of the 8 length bytes and the JSON with its own digits as '0'; 16 lower-case hexadecimal digits each.
 * "pitcrew.format" is "1", so that one flipped bit cannot make a file look like one that was never checked.
 */
#ifndef PIT_FEED_SAVE_IMAGE_H
#define PIT_FEED_SAVE_IMAGE_H

#include "base/buf.h"
#include "pitcrew/checkpoint.h"

#define PIT_IMAGE_ALIGN 4096

struct pit_image {
	struct pit_buf header; /* 8 bytes, JSON, padding */
	size_t count;          /* tensors */
	const void **data;     /* of tensor i */
	uint64_t *begin;       /* of tensor i in the stream; [count] is its length */
	size_t *digits;        /* in the header: [0] of its own checksum, [1 + i] of tensor i */
	bool checksums;        /* of tensors; the header always has its own */
	const char *staged;    /* what the stream has from `staged_from` on was copied here */
	uint64_t staged_from;  /* UINT64_MAX: nothing */
};

/* Keeps pointers to the tensors' data, but to nothing else of the caller's. -EINVAL names the tensor that is wrong. */
int pit_image_make(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
		   size_t text_count, bool checksums, struct pit_image *ret, struct pit_error *err);
void pit_image_free(struct pit_image *im);
#define pit_auto_image PIT_CLEANUP(pit_image_free)

static inline uint64_t pit_image_bytes(const struct pit_image *im) /* of the stream */
{
	return im->begin[im->count];
}

/* Where byte `at` of the stream lies, and how many lie there in a row. `at` is less than pit_image_bytes(). */
const char *pit_image_at(const struct pit_image *im, uint64_t at, uint64_t *ret_len);
void pit_image_copy(const struct pit_image *im, uint64_t at, void *to, uint64_t len);

/* Writes the checksums into the header; `sums` is of `count` numbers and not looked at without checksums. */
void pit_image_seal(struct pit_image *im, const uint64_t *sums, uint64_t *ret_header_sum);

/* Exactly 16 lower-case hexadecimal digits at `text`. */
bool pit_sum_parse(const char *text, uint64_t *ret);

#endif
