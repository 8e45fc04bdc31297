/* SPDX-License-Identifier: MIT
 *
 * The manifest of a checkpoint: which files it has, how long they are, the checksum of each one's header (which holds
 * those of its tensors), and what the caller gave along. JSON whose last member is XXH3-64 of the whole text with its
 * own 16 digits as '0'. What a rank tells of its shard until the checkpoint is committed has the same form.
 */
#ifndef PIT_FEED_MANIFEST_H
#define PIT_FEED_MANIFEST_H

#include "base/buf.h"
#include "pitcrew/checkpoint.h"

#define PIT_MANIFEST_NAME "manifest.json"
#define PIT_MANIFEST_MOST ((size_t)64 << 20) /* bytes of text */

struct pit_manifest {
	char *path; /* of the directory; NULL when it was not read from one */
	uint64_t step, world;
	size_t count;
	struct pit_manifest_file {
		char *name;
		uint64_t bytes, tensors;
		uint64_t header_sum;
	} * files;
	char *state, *extra; /* NULL: none */
};

/* `ret` gets the text. -EINVAL when state or extra are not UTF-8, -E2BIG. */
int pit_manifest_format(const struct pit_manifest *m, struct pit_buf *ret, struct pit_error *err);

/* Foreign bytes. -EBADMSG says what is wrong, -ENOMEM. */
int pit_manifest_parse(const char *text, size_t len, struct pit_manifest **ret, struct pit_error *err);

/* Reads and parses `name` in directory `dirfd`. -ENOENT when it is not there. */
int pit_manifest_read(int dirfd, const char *name, struct pit_manifest **ret, struct pit_error *err);

/* Whether each file is there and as long as it should be; -EBADMSG names the one that is not. */
int pit_manifest_check_files(int dirfd, const struct pit_manifest *m, struct pit_error *err);

#define pit_auto_manifest PIT_CLEANUP(pit_cleanup_manifest)
static inline void pit_cleanup_manifest(struct pit_manifest **m)
{
	pit_manifest_close(*m);
}

#endif
