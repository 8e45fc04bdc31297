/* SPDX-License-Identifier: MIT
 *
 * The mapping below a pool: which pages it is of, whether they are locked, and on which node. pool.c deals it out.
 */
#ifndef PIT_FEED_POOL_PAGES_H
#define PIT_FEED_POOL_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "pitcrew/io.h"

struct pit_pages_map {
	void *base;
	size_t size, page; /* bytes; of one page of the kind taken */
	int fd;
	void *cuda; /* the driver's unregister call, when it holds this mapping */
};

/* Maps at least `bytes`, puts it on the node, touches and locks it. */
int pit_pages_open(size_t bytes, const struct pit_io_want *want, struct pit_ladder *l, struct pit_pages_map *ret,
		   struct pit_error *err);
void pit_pages_close(struct pit_pages_map *m);

/* One ladder each; `m` is mapped and, for the lock, touched. Only what `want` insists on can fail. */
int pit_pages_node(const struct pit_pages_map *m, int node_plus_1, struct pit_ladder *l, struct pit_error *err);
int pit_pages_lock(struct pit_pages_map *m, enum pit_lock want, struct pit_ladder *l, struct pit_error *err);

/* Makes each page present, by several threads when there are many. -ENOMEM instead of a signal where the kernel can
 * tell (Linux 5.14). */
int pit_pages_touch(const struct pit_pages_map *m);

#endif
