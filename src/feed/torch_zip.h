/* SPDX-License-Identifier: MIT
 *
 * The directory of a zip archive, as torch.save() writes it: foreign bytes, parsed strictly. Any
 * two readers must see the same files in it: so the end record is the last 22 bytes, both headers of a file agree, and
 * no files overlap, have the same name, or lie beyond the directory.
 */
#ifndef PIT_FEED_TORCH_ZIP_H
#define PIT_FEED_TORCH_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"

#define PIT_ZIP_DIRECTORY_MAX (UINT64_C(256) << 20) /* bytes */

/* Reads exactly `len` bytes at `offset`, which lie in the archive; 0 or -errno with a sentence. */
typedef int (*pit_zip_read_fn)(void *arg, uint64_t offset, void *data, uint64_t len, struct pit_error *err);

struct pit_zip {
	struct pit_zip_entry {
		const char *name;       /* UTF-8, not empty */
		uint64_t offset, bytes; /* of the data in the archive */
		bool packed;            /* compressed: `bytes` as it lies there */
		uint32_t crc;           /* of the data; 0: that of no bytes, or it was not computed */
	} * entries;                    /* sorted by offset */
	size_t count;
	char *names;
	struct pit_name *sorted;
};

/* -EBADMSG: it breaks the format; -ENOTSUP: encrypted files, or an archive in several parts. */
int pit_zip_open(pit_zip_read_fn read, void *arg, uint64_t size, struct pit_zip *ret, struct pit_error *err);
void pit_zip_free(struct pit_zip *z);

const struct pit_zip_entry *pit_zip_find(const struct pit_zip *z, const char *name); /* NULL: none */

/* The CRC-32 of zip, of further bytes; begins with 0. */
uint32_t pit_zip_crc(uint32_t crc, const void *data, size_t len);

#endif
