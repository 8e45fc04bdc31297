/* SPDX-License-Identifier: MIT
 *
 * A source as the loader sees it: files, and for each sample the parts of files that it consists of (pitcrew/feed.h).
 */
#ifndef PIT_FEED_SOURCE_H
#define PIT_FEED_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/feed.h"

struct pit_extent {
	uint32_t file; /* number, for pit_source_file() */
	uint32_t key;  /* number, for pit_source_key(); 0 is "" */
	uint64_t offset, len;
	uint64_t sum; /* XXH3-64 of the bytes, when `has_sum` */
	bool has_sum;
};

struct pit_source *
pit_source_ref(struct pit_source *s); /* pit_source_close() drops a reference. Immutable: any thread may read it */

unsigned pit_source_parts(const struct pit_source *s, uint64_t sample); /* at least 1 */
void pit_source_extent(const struct pit_source *s, uint64_t sample, unsigned part, struct pit_extent *ret);

uint32_t pit_source_files(const struct pit_source *s);
const char *pit_source_file(const struct pit_source *s,
			    uint32_t file);     /* path, for open() relative to pit_source_dir() */
int pit_source_dir(const struct pit_source *s); /* a directory descriptor, or AT_FDCWD */
bool pit_source_whole(
	const struct pit_source *s); /* each file is one sample: files are opened for it and closed again */
const char *pit_source_key(const struct pit_source *s, uint32_t key);

#endif
