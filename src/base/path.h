/* SPDX-License-Identifier: MIT
 *
 * Parts of paths and of file names, which stay the caller's.
 */
#ifndef PIT_BASE_PATH_H
#define PIT_BASE_PATH_H

#include <stdbool.h>
#include <string.h>

/* What follows the last slash; all of a path without one. */
static inline const char *pit_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* True when there is something before `end`, too: ".conf" is no name of a .conf file. */
static inline bool pit_ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcmp(name + len - n, end);
}

#endif
