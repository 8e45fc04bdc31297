/* SPDX-License-Identifier: MIT
 *
 * Finds names among many, and one that is there twice: sorted by hash and then by name, so that no choice of names
 * makes it slow.
 */
#ifndef PIT_FEED_SAFETENSORS_NAMES_H
#define PIT_FEED_SAFETENSORS_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct pit_name {
	uint64_t hash;
	const char *name;
	size_t number; /* the caller's */
};

void pit_name_set(struct pit_name *n, const char *name, size_t number);
void pit_names_sort(struct pit_name *names, size_t count);

/* Of sorted ones: the first of two equal names next to each other (the other one follows), or NULL. */
const struct pit_name *pit_names_twice(const struct pit_name *names, size_t count);
const struct pit_name *pit_names_find(const struct pit_name *names, size_t count, const char *name); /* or NULL */

#endif
