/* SPDX-License-Identifier: MIT
 *
 * What a cache policy remembers: entries found by key, each in at most one queue. Entries are numbered (1 and up) and
 * keep their number; 0 is no entry. About 55 bytes an entry, in two arrays. One thread.
 */
#ifndef PIT_FEED_POLICY_INDEX_H
#define PIT_FEED_POLICY_INDEX_H

#include <stdint.h>

#define PIT_ENTRIES_MAX (UINT32_C(1) << 31)

struct pit_entry {
	uint64_t key, bytes, value;
	uint32_t older, newer; /* in its queue */
	uint32_t uses;         /* the policy's */
	uint32_t place;        /* the policy's: which queue */
};

struct pit_index {
	struct pit_entry *entries;
	uint32_t room, unused; /* entries allocated; the first of a chain (by `newer`) that are not in use */
	uint64_t count;
	struct pit_slot {
		uint32_t entry; /* 0: empty */
		uint32_t tag;   /* of the key's hash */
	} * slots;
	uint64_t mask; /* slots less 1 */
};

void pit_index_free(struct pit_index *x);
uint32_t pit_index_find(const struct pit_index *x, uint64_t key); /* 0: not there */

/* A new entry for a key that is not there; -ENOMEM leaves everything as it is. */
int pit_index_add(struct pit_index *x, uint64_t key, uint32_t *ret);
void pit_index_remove(struct pit_index *x, uint32_t entry);

struct pit_queue {
	uint32_t oldest, newest;
	uint64_t bytes;
};

void pit_queue_push(struct pit_queue *q, struct pit_entry *entries, uint32_t e); /* as the newest */
void pit_queue_remove(struct pit_queue *q, struct pit_entry *entries, uint32_t e);

#endif
