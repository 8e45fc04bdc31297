/* SPDX-License-Identifier: MIT
 *
 * Reads everything that a source consists of, many requests at once, to see that it is there and as it was.
 */
#ifndef PIT_FEED_SOURCE_READ_H
#define PIT_FEED_SOURCE_READ_H

#include "feed/source.h"

struct pit_source_read {
	struct pit_io_want io;
	/* All by the calling thread; NULL is fine. `name` is for a person: the file, and what in it. */
	void (*bad)(void *arg, const char *name, const char *why);
	void (*sum)(void *arg, uint64_t sample, unsigned part, uint64_t sum); /* XXH3-64 of what was read */
	void (*progress)(void *arg, uint64_t done, uint64_t all);             /* bytes */
	void *arg;

	/* out */
	uint64_t bytes, checked, damaged; /* read; parts with a checksum; parts that differ or cannot be read */
};

/* Rows (records) have no checksums and are read file by file. 0 also when something is damaged. Fails when memory or
 * descriptors run out. */
int pit_source_read_all(struct pit_source *s, struct pit_source_read *r, struct pit_error *err);

#endif
