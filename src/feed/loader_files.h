/* SPDX-License-Identifier: MIT
 *
 * Big files that are kept open while many samples are read from them: as many as RLIMIT_NOFILE leaves room for. One
 * thread.
 */
#ifndef PIT_FEED_LOADER_FILES_H
#define PIT_FEED_LOADER_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/disk.h"
#include "feed/source.h"

struct pit_files;

struct pit_file {
	uint32_t file; /* of the source; UINT32_MAX: none */
	int fd;
	bool direct;
	unsigned users;
	uint64_t used; /* a count that grows */
};

/* `most` 0: a quarter of what RLIMIT_NOFILE allows, at most 1024. */
int pit_files_open(const struct pit_source *s, unsigned most, struct pit_files **ret);
void pit_files_close(struct pit_files *f); /* NULL is fine */

/* The file, opened when it is not: the way `d` says. -EBUSY when all that may be open are in use: some have to be given
 * back first. Else -errno of open(). */
int pit_files_get(struct pit_files *f, const struct pit_disk *d, uint32_t file, struct pit_file **ret);
void pit_files_put(struct pit_files *f, struct pit_file *file);

#endif
