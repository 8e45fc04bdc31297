/* SPDX-License-Identifier: MIT */
#ifndef PIT_FEED_SOURCE_SIZES_H
#define PIT_FEED_SOURCE_SIZES_H

#include "feed/source.h"

struct pit_source_sizes {                   /* of samples, in bytes */
	uint64_t smallest, median, largest; /* median: of an even number the lower of the two */
};

/* 0 or -ENOMEM: 16 bytes a sample, but of rows 16 a file. */
int pit_source_sizes(const struct pit_source *s, struct pit_source_sizes *ret);

#endif
