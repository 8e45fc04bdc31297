/* SPDX-License-Identifier: MIT
 *
 * Sets of small ids (CPUs, NUMA nodes) and the kernel's two texts for them: lists "0-3,8" and masks "ff,00000000".
 * All-zero is the empty set. Ids go from 0 to PIT_IDSET_MAX - 1; the kernel's own limits are 8192 CPUs and 1024 nodes.
 */
#ifndef PIT_BASE_IDSET_H
#define PIT_BASE_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pitcrew/error.h"

#define PIT_IDSET_MAX 65536

struct pit_idset {
	uint64_t *word;
	size_t words;
};

void pit_idset_free(struct pit_idset *s); /* back to empty; keeps errno */
#define pit_auto_idset PIT_CLEANUP(pit_idset_free)

/* Reads a list as lib/bitmap.c does: commas, blanks, ranges, and "first-last:used/group"; an empty text is the empty
 * set, and NUL bytes never appear in it. -EINVAL (not a list) and -ERANGE (id too big) leave *ret alone, which must be
 * an empty set before the call. */
int pit_idset_parse(const char *text, struct pit_idset *ret, struct pit_error *err);

/* Reads a mask in hexadecimal words of 32 bits, the lowest last. Errors as above. */
int pit_idset_parse_mask(const char *text, struct pit_idset *ret, struct pit_error *err);

int pit_idset_add(struct pit_idset *s, size_t id); /* 0, -ERANGE, -ENOMEM */
void pit_idset_remove(struct pit_idset *s, size_t id);
bool pit_idset_has(const struct pit_idset *s, size_t id);
size_t pit_idset_count(const struct pit_idset *s);
bool pit_idset_is_empty(const struct pit_idset *s);

/* The lowest id that is `from` or more; -1 when there is none. */
int pit_idset_next(const struct pit_idset *s, size_t from);
#define PIT_IDSET_FOREACH(id, set)                                                                                     \
	for (int id = pit_idset_next(set, 0); id >= 0; id = pit_idset_next(set, (size_t)id + 1))

int pit_idset_copy(struct pit_idset *to, const struct pit_idset *from);  /* replaces; 0 or -ENOMEM */
int pit_idset_unite(struct pit_idset *to, const struct pit_idset *with); /* to |= with */
void pit_idset_intersect(struct pit_idset *to, const struct pit_idset *with);
void pit_idset_subtract(struct pit_idset *to, const struct pit_idset *with);
bool pit_idset_equal(const struct pit_idset *a, const struct pit_idset *b);
bool pit_idset_intersects(const struct pit_idset *a, const struct pit_idset *b);
bool pit_idset_is_subset(const struct pit_idset *inner, const struct pit_idset *outer);

/* "0-3,8" in `out` of `size` bytes, ended by "..." when it does not fit; returns `out`. */
char *pit_idset_format(const struct pit_idset *s, char *out, size_t size);
void pit_idset_print(const struct pit_idset *s, struct pit_buf *out); /* the same, never cut */

#endif
