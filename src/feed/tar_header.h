/* SPDX-License-Identifier: MIT
 *
 * One header of a tar archive, and what long names (GNU) and extended headers (pax) say about the next member.
 */
#ifndef PIT_FEED_TAR_HEADER_H
#define PIT_FEED_TAR_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum pit_tar_kind {
	PIT_TAR_FILE,
	PIT_TAR_EMPTY,     /* a link, directory or device: nothing follows, whatever its size says */
	PIT_TAR_SPARSE,    /* a file that is not stored as it is */
	PIT_TAR_VOLUME,    /* the rest of a file that began in another volume */
	PIT_TAR_OTHER,     /* `size` bytes follow that are not ours */
	PIT_TAR_LONG_NAME, /* `size` bytes follow, for the next member */
	PIT_TAR_LONG_LINK, /* likewise: a name that no file of ours has */
	PIT_TAR_PAX,
	PIT_TAR_PAX_ALL, /* for all members behind it */
};

struct pit_tar_header {
	enum pit_tar_kind kind;
	uint64_t size;
	char name[257]; /* 155 + '/' + 100 */
};

struct pit_tar_extra {
	struct pit_buf name; /* "": nothing was said */
	uint64_t size;
	bool has_size, sparse;
};

/* All give NULL, or what is wrong with it. `text` has a NUL behind its `len` bytes; pit_tar_pax() cuts it up. */
const char *pit_tar_header_parse(const unsigned char block[512], struct pit_tar_header *ret);
const char *pit_tar_long_name(const char *text, uint64_t len, struct pit_tar_extra *next);
const char *pit_tar_pax(char *text, uint64_t len, bool all, struct pit_tar_extra *next);

void pit_tar_extra_clear(struct pit_tar_extra *x);

#endif
