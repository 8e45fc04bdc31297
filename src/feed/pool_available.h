/* SPDX-License-Identifier: MIT
 *
 * What of the machine's memory a process may take, and what limits it.
 */
#ifndef PIT_FEED_POOL_AVAILABLE_H
#define PIT_FEED_POOL_AVAILABLE_H

#include <stdint.h>

struct pit_available {
	uint64_t bytes; /* 0: unknown */
	char what[192]; /* "the machine has it available", "cgroup /a/b allows it", "" when unknown */
};

/* `root` stands before /proc and /sys: "" for this machine. */
void pit_available_at(const char *root, struct pit_available *ret);

/* The number behind `key` and white space at the start of a line of the file. -ENOENT when there is none. */
int pit_available_field(const char *path, const char *key, uint64_t *ret);

#endif
