/* SPDX-License-Identifier: MIT
 *
 * Where the memory of a process lies. Private to after*.c and their tests.
 */
#ifndef PIT_LAUNCH_AFTER_PARTS_H
#define PIT_LAUNCH_AFTER_PARTS_H

#include "launch/after.h"

/* By numa_maps, of which at most `most` bytes are read; -ETIMEDOUT after 300 ms. */
int pit_after_walk(pid_t pid, size_t most, const struct pit_idset *mems, struct pit_after *a);

/* By asking about some pages; `a` gets their share of `bytes`. -ENODATA: too few are there to say. */
int pit_after_ask(struct pit_root *root, pid_t pid, uint64_t bytes, const struct pit_idset *mems, struct pit_after *a);

/* Up to `most` addresses, spread evenly over the writable memory of a text of /proc/PID/maps that is no file. How many.
 */
size_t pit_after_spread(const char *maps, uint64_t page, uint64_t *ret, size_t most);

#endif
