/* SPDX-License-Identifier: MIT
 *
 * Memory for reading into: one shared mapping (a memfd), so that other processes can map it and that fork() while
 * O_DIRECT is under way cannot corrupt it; of huge pages, locked and on the wanted node where that is allowed.
 * Thread-safe.
 */
#ifndef PIT_FEED_POOL_H
#define PIT_FEED_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "pitcrew/io.h"

#define PIT_POOL_ALIGN 4096

struct pit_pool;

/* `bytes` are rounded up to whole pages of the kind taken. Ladders "pages", "lock", "node". All pages are touched, by
 * several threads when it is large. -ENOMEM says how much was asked for and what limits it (cgroup, /dev/shm does not
 * matter for a memfd). */
int pit_pool_open(size_t bytes, const struct pit_io_want *want, struct pit_ladder *l, struct pit_pool **ret,
		  struct pit_error *err);

/* The same, but only `first` bytes are touched. Pieces are dealt out from the beginning on, so that a pool of which
 * little is in use at a time stays small: each page costs about 2 us once (Linux 6.18, shared memory of 4 KiB pages).
 */
int pit_pool_open_soon(size_t bytes, size_t first, const struct pit_io_want *want, struct pit_ladder *l,
		       struct pit_pool **ret, struct pit_error *err);

/* A pool lives as long as somebody holds it: opened with one reference. */
struct pit_pool *pit_pool_ref(struct pit_pool *p);
void pit_pool_unref(struct pit_pool *p); /* NULL is fine */

/* `bytes` of it, aligned to PIT_POOL_ALIGN; NULL when there is no such piece now. */
void *pit_pool_get(struct pit_pool *p, size_t bytes);
void pit_pool_put(struct pit_pool *p, void *piece); /* NULL is fine */

void *pit_pool_base(const struct pit_pool *p);
size_t pit_pool_size(const struct pit_pool *p);
int pit_pool_fd(const struct pit_pool *p); /* of the mapping; offset 0 is pit_pool_base() */

/* How much memory this process may take now without harm: MemAvailable and the limits of its cgroups, the smallest. 0:
 * unknown. */
uint64_t pit_pool_available(void);

#endif
