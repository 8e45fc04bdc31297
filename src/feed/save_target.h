/* SPDX-License-Identifier: MIT
 *
 * A file that appears under its name all at once: written under another name in the same directory
 * (.NAME.PID-RANDOM.tmp, locked with flock() while its writer lives), made durable, and renamed. What is there under
 * the name stays untouched until then.
 */
#ifndef PIT_FEED_SAVE_TARGET_H
#define PIT_FEED_SAVE_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "pitcrew/error.h"

struct pit_target {
	int dirfd; /* borrowed */
	int fd;    /* -1: none */
	char name[NAME_MAX + 1], tmp[NAME_MAX + 1];
	const char *shown; /* borrowed: the path for messages */
	uint64_t need;     /* bytes that the file takes */
	bool lies;         /* fsync does nothing here (pit_disk.volatile_overlay); for messages */
};

/* Makes the temporary file with room for `need` bytes where the file system can promise that, with permissions and
 * owner of a regular file that is there under the name. Left ones of writers that are dead are removed. */
int pit_target_open(int dirfd, const char *name, const char *shown, uint64_t need, struct pit_target *ret,
		    struct pit_error *err);

/* Cuts the file to `bytes`, makes it durable, gives it its name, and makes that durable (not with `name_later`, for
 * directories that are not in use yet). Closes it in any case. */
int pit_target_publish(struct pit_target *t, uint64_t bytes, bool name_later, struct pit_error *err);

/* Removes the temporary file unless it was published. */
void pit_target_drop(struct pit_target *t);
#define pit_auto_target PIT_CLEANUP(pit_target_drop)
#define PIT_TARGET_INIT                                                                                                \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* "PATH: STEP: what errno `code` means here and what to do". */
int pit_target_fail(const struct pit_target *t, int code, const char *step, struct pit_error *err);

/* All of `len` bytes at `offset`, by plain writes. 0 or -errno. */
int pit_write_all(int fd, const void *data, size_t len, uint64_t offset);

/* A small file as a whole: open, write, publish. */
int pit_target_text(int dirfd, const char *name, const char *shown, const void *text, size_t len, bool name_later,
		    struct pit_error *err);

/* Makes names in a directory durable. File systems that cannot sync a directory (EINVAL) are fine: 0 or -errno. */
int pit_sync_dir(int dirfd);

/* Whether nobody holds the flock() on `fd` (which is taken then). On file systems where locks do not reach other
 * machines nothing changed in the last day must be true as well. */
bool pit_is_abandoned(int fd);

#endif
