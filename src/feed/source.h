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

/* Like the fingerprint, but another one when a file was written since: for what is kept of its contents. */
uint64_t pit_source_version(const struct pit_source *s);

unsigned pit_source_parts(const struct pit_source *s, uint64_t sample); /* at least 1 */
void pit_source_extent(const struct pit_source *s, uint64_t sample, unsigned part, struct pit_extent *ret);

uint32_t pit_source_files(const struct pit_source *s);
/* The path as the caller of pit_source_open() would name the file, for a person. Returns `out`. */
const char *pit_source_show(const struct pit_source *s, uint32_t file, char *out, size_t size);
const char *pit_source_file(const struct pit_source *s,
			    uint32_t file);     /* path, for open() relative to pit_source_dir() */
int pit_source_dir(const struct pit_source *s); /* a directory descriptor, or AT_FDCWD */
bool pit_source_whole(
	const struct pit_source *s); /* each file is one sample: files are opened for it and closed again */
const char *pit_source_key(const struct pit_source *s, uint32_t key);

/* ---- for `pitcrew feed` ---- */

struct pit_source_extra {
	bool checksums; /* tar: the index shall have them, so everything is read when it has not */
	bool rescan; /* tar: look through each shard, compare with its index, take checksums from there; write none */
	/* All by threads of the source, one at a time; NULL is fine. `done` and `all` are bytes of shards. With `bad` a
	 * shard that is damaged is told of and has no samples; without it is an error. */
	void (*progress)(void *arg, uint64_t done, uint64_t all);
	void (*bad)(void *arg, const char *name, const char *why);
	/* What is no damage: a shard of an `unsupported` form (without this an error), and, with `rescan`, what is
	 * unusual about one. */
	void (*odd)(void *arg, bool unsupported, const char *name, const char *what);
	void *arg;
};

int pit_source_open_with(const struct pit_source_want *want, const struct pit_source_extra *extra,
			 struct pit_source **ret, struct pit_error *err);

struct pit_shard_index_report {
	uint64_t used, made; /* shards whose index held, and those that were looked through */
	uint64_t unkept;     /* shards whose new index could not be written */
	char why[256];       /* of the first of them */
};
const struct pit_shard_index_report *pit_source_index(const struct pit_source *s);

#endif
