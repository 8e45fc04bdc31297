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

#endif
