/* SPDX-License-Identifier: MIT
 *
 * Where the members of tar shards lie, kept in files so that a shard is looked through once. One file has a section for
 * each of its shards:
 *
 *	 0  8 bytes "PITIDX\0" and the version, 1
 *	 8  bytes of this section
 *	16  XXH3-64 of what follows in this section
 *	24  size of the shard in bytes
 *	32  its time of modification in nanoseconds since 1970
 *	40  number of members, n
 *	48  n times: offset, length, XXH3-64 of the contents (0: none), place of the name among the names
 *	    names, each with a NUL behind it: first the shard's (last component), then the members'
 *
 * Numbers are of 64 bits, little endian. A section that is damaged, of another version, or of another size or time than
 * the shard, is not used.
 */
#ifndef PIT_FEED_INDEX_H
#define PIT_FEED_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pitcrew/error.h"

#define PIT_INDEX_SUFFIX ".pitidx"

struct pit_member {
	uint64_t offset, len;
	uint64_t sum;  /* XXH3-64 of its bytes; 0: none */
	uint64_t name; /* where in `names` */
};

struct pit_shard_index { /* of one shard; all-zero but for `names` = PIT_BUF_INIT is empty */
	struct pit_member *members;
	size_t count, room;
	struct pit_buf names;
	bool sums; /* every member that is not empty has one */
};

void pit_shard_index_free(struct pit_shard_index *x);
int pit_shard_index_add(struct pit_shard_index *x, const char *name, uint64_t offset, uint64_t len); /* 0 or -ENOMEM */
static inline const char *pit_shard_index_name(const struct pit_shard_index *x, size_t i)
{
	return x->names.data + x->members[i].name;
}

struct pit_shard_index_stamp { /* the shard as it is */
	const char *name;      /* its last component */
	uint64_t size;
	int64_t mtime_ns;
};

/* Appends a section. */
void pit_shard_index_format(const struct pit_shard_index *x, const struct pit_shard_index_stamp *stamp,
			    struct pit_buf *out);

/* How long the section at the start of `bytes` says it is; 0 when there is none of this version. */
size_t pit_shard_index_section(const void *bytes, size_t len);

/* Reads the section at the start of `bytes`. 0; -EBADMSG when it is damaged or of another version, -ESTALE when it is
 * of another state of the shard or of another shard; -ENOMEM. */
int pit_shard_index_parse(const void *bytes, size_t len, const struct pit_shard_index_stamp *stamp,
			  struct pit_shard_index *ret);

/* An index is never larger than its shard and this: what a member takes here it takes there, too. */
#define PIT_INDEX_SLACK 4096

/* The bytes of a file below `dir`, which the caller frees; -errno; -EFBIG when they are more than `most`. */
int pit_shard_index_read(int dir, const char *path, uint64_t most, struct pit_buf *ret);

/* Writes the file at once or not at all: under another name, which then replaces it. */
int pit_shard_index_write(int dir, const char *path, const struct pit_buf *bytes, struct pit_error *err);

#endif
