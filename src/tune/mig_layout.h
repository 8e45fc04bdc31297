/* SPDX-License-Identifier: MIT
 *
 * Where MIG instances can lie: a GPU's memory slices are cut only at the places that its profiles allow.
 */
#ifndef PIT_TUNE_MIG_LAYOUT_H
#define PIT_TUNE_MIG_LAYOUT_H

#include <jansson.h>

#include "base/buf.h"
#include "pitcrew/error.h"

/* Places the profiles of `wanted` ("3g.40gb 2g.20gb 2g.20gb"; a word may name its place: "3g.40gb@4") on an empty GPU
 * whose "mig" object is `mig` (host/nvml.c), the biggest first, and appends the layout by place: "3g.40gb@0 2g.20gb@4
 * ...". A `current` layout of the same profiles is kept as it is. -EINVAL: a profile that the GPU does not have (its
 * profiles are in `err`), or they do not fit together. */
int pit_mig_place(const json_t *mig, const char *wanted, const char *current, struct pit_buf *out,
		  struct pit_error *err);

#endif
