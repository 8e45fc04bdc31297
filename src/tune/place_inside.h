/* SPDX-License-Identifier: MIT
 *
 * The body of a place. Private to tune/place*.c.
 */
#ifndef PIT_TUNE_PLACE_INSIDE_H
#define PIT_TUNE_PLACE_INSIDE_H

#include "tune/place.h"

struct pit_place {
	bool live;
	int fd; /* the directory that stands for "/" */
	struct pit_root *root;
};

/* Opens `path` with all links resolved inside the place; the file descriptor or -errno. */
int pit_place_inside(const struct pit_place *p, const char *path, int flags);

#endif
