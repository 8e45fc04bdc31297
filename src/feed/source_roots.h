/* SPDX-License-Identifier: MIT
 *
 * The paths that a source is asked for: patterns expanded, and seen from the directory that they have in common, so
 * that names are the same wherever that lies, and stay right when the process goes to another directory.
 */
#ifndef PIT_FEED_SOURCE_ROOTS_H
#define PIT_FEED_SOURCE_ROOTS_H

#include <stddef.h>

#include "base/strv.h"
#include "pitcrew/error.h"

struct pit_roots {
	int dir;               /* O_PATH */
	char *top;             /* its name, ending in '/', or "" */
	struct pit_strv paths; /* from there; directories end in '/', but the common one itself is "". Sorted by bytes,
				  each once, none below another */
};

/* Errors name the path: -ENOENT for a pattern that nothing fits, too; -EINVAL for what is no file or directory. */
int pit_roots_open(const char *const *paths, size_t count, struct pit_roots *ret, struct pit_error *err);
void pit_roots_close(struct pit_roots *r);
#define pit_auto_roots PIT_CLEANUP(pit_roots_close)

#endif
