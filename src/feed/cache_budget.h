/* SPDX-License-Identifier: MIT
 *
 * What all processes that share a cache directory have written there together. Two files in it: `users`, which each of
 * them holds a shared lock of, and `used`, a counter of bytes (8 bytes, little endian) that is changed under a lock.
 * Who finds no other counts anew, so what a crash left wrong does not last. Where the file system has no locks the
 * counter may go wrong for a while. One thread, but for pit_cache_budget_used().
 */
#ifndef PIT_FEED_CACHE_BUDGET_H
#define PIT_FEED_CACHE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct pit_cache_budget {
	int users, used; /* files; -1 */
	bool lockless;
};

int pit_cache_budget_open(struct pit_cache_budget *b, int dir); /* -errno: the directory cannot be written */
void pit_cache_budget_close(struct pit_cache_budget *b);

/* Never waits. 1: count, then call pit_cache_budget_share(); until then nobody else can come, unless `lockless`. 0:
 * others were there before. -EAGAIN: somebody counts; try again later. */
int pit_cache_budget_join(struct pit_cache_budget *b);
int pit_cache_budget_share(struct pit_cache_budget *b); /* -EAGAIN: another came between; join again */

int pit_cache_budget_set(struct pit_cache_budget *b, uint64_t bytes);

/* Takes `bytes` of `limit`: 1, or 0 when there are not so many left; `ret_left` is what is left then. -errno. */
int pit_cache_budget_take(struct pit_cache_budget *b, uint64_t bytes, uint64_t limit, uint64_t *ret_left);
void pit_cache_budget_give(struct pit_cache_budget *b, uint64_t bytes);

uint64_t pit_cache_budget_used(const struct pit_cache_budget *b); /* from any thread */

#endif
