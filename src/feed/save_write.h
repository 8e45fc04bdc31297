/* SPDX-License-Identifier: MIT
 *
 * Writes an image to a temporary file: few large writes at once, straight from the tensors where their addresses suit
 * the disk, through buffers that several threads fill where not; checksums are computed meanwhile, and the header,
 * which holds them, is written last.
 */
#ifndef PIT_FEED_SAVE_WRITE_H
#define PIT_FEED_SAVE_WRITE_H

#include "feed/disk.h"
#include "feed/pool.h"
#include "feed/save_image.h"

#define PIT_WRITE_BLOCK ((uint64_t)4 << 20)

struct pit_write_want {
	struct pit_io_want io;
	const struct pit_disk *disk;
	/* Called once, in the writer's thread, when what is not staged is neither written from nor hashed any more. */
	void (*released)(void *arg);
	void *arg;
};

/* `fd` may get O_DIRECT. After that it may be longer than the image by less than a block of the disk. 0, or -errno of
 * the write that failed: what is in the file is then of no use. */
int pit_write_image(int fd, struct pit_image *im, const struct pit_write_want *want, struct pit_ladder *l,
		    uint64_t *ret_header_sum, struct pit_error *err);

#endif
