/* SPDX-License-Identifier: MIT
 *
 * Tar archives made byte by byte, also such as no program writes.
 */
#ifndef PIT_TESTS_TAR_BYTES_H
#define PIT_TESTS_TAR_BYTES_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct tar_header {
	const char *name, *size; /* `size`: octal; NULL: that of the contents */
	char type;
	const char *magic, *prefix;
};

/* The checksum, over the header as it is. */
static inline void tar_sum(unsigned char *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static inline void tar_add(struct pit_buf *out, const struct tar_header *t, const void *bytes, size_t len)
{
	unsigned char h[512] = {0};
	static const char zero[512];

	memcpy(h, t->name, strlen(t->name) < 100 ? strlen(t->name) : 100);
	if (t->size)
		memcpy(h + 124, t->size, strlen(t->size));
	else
		snprintf((char *)h + 124, 12, "%011" PRIo64, (uint64_t)len);
	h[156] = (unsigned char)t->type;
	memcpy(h + 257, t->magic ? t->magic : "ustar\00000", 8);
	if (t->prefix)
		memcpy(h + 345, t->prefix, strlen(t->prefix));
	tar_sum(h);
	pit_buf_add(out, h, sizeof(h));
	pit_buf_add(out, bytes, len);
	pit_buf_add(out, zero, (512 - len % 512) % 512);
}

static inline void tar_file(struct pit_buf *out, const char *name, const char *text)
{
	const struct tar_header h = {.name = name, .type = '0'};

	tar_add(out, &h, text, strlen(text));
}

static inline void tar_end(struct pit_buf *out)
{
	static const char zero[1024];

	pit_buf_add(out, zero, sizeof(zero));
}

#endif
