/* SPDX-License-Identifier: MIT
 *
 * The way of a path through the machine, step by step as the kernel takes it, links included.
 */
#ifndef PIT_CHECK_WALK_H
#define PIT_CHECK_WALK_H

#include "host/root.h"

#define PIT_WALK_LINKS_MAX 40 /* MAXSYMLINKS of the kernel */

/* One step: `path` has no link before its last component; `target` is NULL unless it is a link itself. What is not 0
 * ends the walk. */
typedef int (*pit_walk_fn)(const char *path, const char *target, void *arg);

/* Walks from "/" (a relative path: from the working directory) to the end and calls fn (may be NULL) at each step. What
 * cannot be read counts as no link, so a path that is not there is walked to its end. `ret` (may be NULL) gets the path
 * without links. -ELOOP, -ENAMETOOLONG, or what fn returned. */
int pit_walk(struct pit_root *root, const char *path, pit_walk_fn fn, void *arg, char *ret, size_t size);

#endif
