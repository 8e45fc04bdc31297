/* SPDX-License-Identifier: MIT
 *
 * A hash table from text to a pointer of the caller's. All-zero is the empty table.
 */
#ifndef PIT_BASE_STRMAP_H
#define PIT_BASE_STRMAP_H

#include <stddef.h>

struct pit_strmap_slot {
	char *key; /* owned; NULL = free slot */
	void *value;
};

struct pit_strmap {
	struct pit_strmap_slot *slot;
	size_t slots; /* a power of two or 0 */
	size_t count;
};

/* Frees keys and table; `drop` (may be NULL) gets each value. */
void pit_strmap_free(struct pit_strmap *m, void (*drop)(void *value));

void *pit_strmap_get(const struct pit_strmap *m, const char *key); /* NULL when absent */

/* Adds or replaces; the key is copied. 0 or -ENOMEM. */
int pit_strmap_put(struct pit_strmap *m, const char *key, void *value);

#endif
