/* SPDX-License-Identifier: MIT
 *
 * Where the members of an uncompressed tar archive lie: ustar, GNU long names and sizes, pax headers (path, size).
 * Foreign bytes: every number is checked against the file. Contents are not read.
 */
#ifndef PIT_FEED_TAR_H
#define PIT_FEED_TAR_H

#include <stdint.h>

#include "pitcrew/error.h"

struct pit_tar_member {
	const char *name;     /* valid during the call */
	uint64_t offset, len; /* of its contents */
};

/* Gives bytes of the archive: reads exactly `len` at `offset` or fails. */
typedef int (*pit_tar_read)(void *arg, uint64_t offset, void *buf, uint64_t len);
typedef int (*pit_tar_found)(void *arg, const struct pit_tar_member *m); /* a return other than 0 ends the scan */

/* Calls `found` for each regular file, up to the end-of-archive mark; a missing one is fine when the archive ends
 * behind a member: pit_tar_ending() tells. -EBADMSG names the offset and what is wrong there; -ENOTSUP is an archive
 * that may be whole, but is compressed (by what is named), has sparse files, or goes on in another volume. `ret_end`:
 * the offset of the mark, or `size`. */
int pit_tar_scan(uint64_t size, pit_tar_read read, void *read_arg, pit_tar_found found, void *found_arg,
		 uint64_t *ret_end, struct pit_error *err);

/* What is unusual from `end` on, into `ret`; "" is nothing. Reads up to the first byte that is not zero. */
int pit_tar_ending(uint64_t size, uint64_t end, pit_tar_read read, void *read_arg, char ret[120]);

#endif
