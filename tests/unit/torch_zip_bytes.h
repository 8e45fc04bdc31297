/* SPDX-License-Identifier: MIT
 *
 * Makes zip archives in memory for tests, right ones and wrong ones.
 */
#ifndef PIT_TESTS_TORCH_ZIP_BYTES_H
#define PIT_TESTS_TORCH_ZIP_BYTES_H

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "feed/torch_zip.h"

struct zip_file {
	const char *name, *data;
	size_t len;
	size_t header; /* where its own header lies: set by zip_files() */
};

static inline void zip_number(struct pit_buf *b, uint64_t n, unsigned bytes)
{
	n = htole64(n);
	pit_buf_add(b, &n, bytes);
}

static inline void zip_set(struct pit_buf *b, size_t at, uint64_t n, unsigned bytes)
{
	n = htole64(n);
	memcpy(b->data + at, &n, bytes);
}

static inline void zip_files(struct pit_buf *b, struct zip_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct zip_file *f = &files[i];

		f->header = b->len;
		zip_number(b, 0x04034b50, 4);
		zip_number(b, 0, 8); /* version, flags, method, time */
		zip_number(b, 0, 2); /* date */
		zip_number(b, pit_zip_crc(0, f->data, f->len), 4);
		zip_number(b, f->len, 4);
		zip_number(b, f->len, 4);
		zip_number(b, strlen(f->name), 2);
		zip_number(b, 8, 2);
		pit_buf_puts(b, f->name);
		pit_buf_add(b, "FB\4\0ZZZZ", 8);
		pit_buf_add(b, f->data, f->len);
	}
}

/* Gives where it begins. */
static inline size_t zip_directory(struct pit_buf *b, const struct zip_file *files, size_t count, bool big)
{
	size_t begin = b->len;

	for (size_t i = 0; i < count; i++) {
		const struct zip_file *f = &files[i];

		zip_number(b, 0x02014b50, 4);
		zip_number(b, 0, 8); /* versions, flags, method */
		zip_number(b, 0, 4); /* time */
		zip_number(b, pit_zip_crc(0, f->data, f->len), 4);
		zip_number(b, big ? UINT32_MAX : f->len, 4);
		zip_number(b, big ? UINT32_MAX : f->len, 4);
		zip_number(b, strlen(f->name), 2);
		zip_number(b, big ? 28 : 0, 2);
		zip_number(b, 0, 8); /* comment, part, attributes */
		zip_number(b, 0, 2);
		zip_number(b, big ? UINT32_MAX : f->header, 4);
		pit_buf_puts(b, f->name);
		if (!big)
			continue;
		zip_number(b, 1 | 24 << 16, 4);
		zip_number(b, f->len, 8);
		zip_number(b, f->len, 8);
		zip_number(b, f->header, 8);
	}
	return begin;
}

static inline void zip_end(struct pit_buf *b, size_t begin, size_t count, bool big)
{
	size_t end = b->len;

	if (big) {
		zip_number(b, 0x06064b50, 4);
		zip_number(b, 44, 8);
		zip_number(b, 0, 8); /* versions; part */
		zip_number(b, 0, 4);
		zip_number(b, count, 8);
		zip_number(b, count, 8);
		zip_number(b, end - begin, 8);
		zip_number(b, begin, 8);
		zip_number(b, 0x07064b50, 4);
		zip_number(b, 0, 4);
		zip_number(b, end, 8);
		zip_number(b, 1, 4);
	}
	zip_number(b, 0x06054b50, 4);
	zip_number(b, 0, 4);
	zip_number(b, big ? UINT16_MAX : count, 2);
	zip_number(b, big ? UINT16_MAX : count, 2);
	zip_number(b, big ? UINT32_MAX : end - begin, 4);
	zip_number(b, big ? UINT32_MAX : begin, 4);
	zip_number(b, 0, 2);
}

/* Gives where the directory begins. */
static inline size_t zip_make(struct pit_buf *b, struct zip_file *files, size_t count, bool big)
{
	size_t begin;

	zip_files(b, files, count);
	begin = zip_directory(b, files, count, big);
	zip_end(b, begin, count, big);
	return begin;
}

/* Of a struct pit_buf; what does not lie in it ends the program. */
static inline int zip_read(void *arg, uint64_t offset, void *data, uint64_t len, struct pit_error *err)
{
	const struct pit_buf *b = arg;

	if (offset > b->len || len > b->len - offset)
		abort();
	memcpy(data, b->data + offset, len);
	return 0;
}

#endif
