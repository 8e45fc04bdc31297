/* SPDX-License-Identifier: MIT */
#ifndef PIT_BASE_PATTERN_H
#define PIT_BASE_PATTERN_H

#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

/* Whether `text` fits a pattern as a shell has it ("net.*"). Most words are plain, and fnmatch() takes a hundred times
 * as long to find out. */
static inline bool pit_fits(const char *pattern, const char *text)
{
	return strpbrk(pattern, "*?[\\") ? !fnmatch(pattern, text, 0) : !strcmp(pattern, text);
}

#endif
