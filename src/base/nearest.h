/* SPDX-License-Identifier: MIT
 *
 * "Did you mean ...?"
 */
#ifndef PIT_BASE_NEAREST_H
#define PIT_BASE_NEAREST_H

/* The item of `names` (ended by NULL) that is nearest to `word` by edit distance; NULL when none is near. */
const char *pit_nearest(const char *word, const char *const *names);

#endif
