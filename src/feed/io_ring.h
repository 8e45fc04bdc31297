/* SPDX-License-Identifier: MIT
 *
 * Setting up a ring, and finding out whether it works: kernels, sandboxes and limits refuse in many ways.
 */
#ifndef PIT_FEED_IO_RING_H
#define PIT_FEED_IO_RING_H

#include <liburing.h>
#include <stdbool.h>

#include "pitcrew/error.h"

/* A ring for `depth` requests at once, with the cheapest way of completing that the kernel has. It is not enabled yet
 * when ring->flags have IORING_SETUP_R_DISABLED: IORING_REGISTER_ENABLE_RINGS makes it the calling thread's. `fixed`:
 * the kernel must know opening into slots. Done is a real read by such a ring; -errno and, also after success, a
 * sentence in `err`. */
int pit_ring_open(struct io_uring *ring, unsigned depth, bool fixed, struct pit_error *err);

#endif
