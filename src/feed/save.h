/* SPDX-License-Identifier: MIT
 *
 * Saves an image as a file, durably.
 */
#ifndef PIT_FEED_SAVE_H
#define PIT_FEED_SAVE_H

#include "feed/save_image.h"

struct pit_save_place {
	int dirfd;
	const char *name;  /* in it */
	const char *shown; /* path for messages */
};

struct pit_save_how {
	struct pit_io_want io;
	bool name_later;             /* the directory is not in use yet: its names are made durable by others */
	void (*released)(void *arg); /* as struct pit_write_want */
	void *arg;
};

struct pit_saved {
	uint64_t bytes; /* of the file */
	uint64_t header_sum;
	uint64_t tensors;
};

/* `l` may be NULL. On any error what was there stays. */
int pit_save_image(const struct pit_save_place *place, struct pit_image *im, const struct pit_save_how *how,
		   struct pit_ladder *l, struct pit_saved *ret, struct pit_error *err);

#endif
