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
	void *cuda;               /* the driver's unregister call, when it holds this mapping */
	struct pit_touch *behind; /* who touches the rest, or NULL */
};

/* Maps at least `bytes`, puts it on the node, locks it and touches the `first` bytes: the others come when they are
 * used. */
int pit_pages_open(size_t bytes, size_t first, const struct pit_io_want *want, struct pit_ladder *l,
		   struct pit_pages_map *ret, struct pit_error *err);
void pit_pages_close(struct pit_pages_map *m);

/* How a kind of memory is had: shared with other processes, or private. */
struct pit_pages_kind {
	/* At least `bytes` in pages of `page`, of hugetlbfs or not. 0 or -errno with a sentence. */
	int (*map)(size_t bytes, size_t page, bool huge, struct pit_pages_map *ret, struct pit_error *err);
	int (*thp)(const struct pit_pages_map *m, struct pit_ladder *l); /* that rung; 0 when it is taken */
};

/* Maps at least `bytes` in the best pages to be had, or in those that are insisted on: ladder "pages". */
int pit_pages_best(const struct pit_pages_kind *k, size_t bytes, enum pit_pages want, struct pit_ladder *l,
		   struct pit_pages_map *ret, struct pit_error *err);

/* One ladder each; `m` is mapped. Only what `want` insists on can fail. */
int pit_pages_node(const struct pit_pages_map *m, int node_plus_1, struct pit_ladder *l, struct pit_error *err);
int pit_pages_lock(struct pit_pages_map *m, enum pit_lock want, struct pit_ladder *l, struct pit_error *err);

/* Makes the first `bytes` present, by several threads when they are many, without changing what is there. -ENOMEM
 * instead of a signal where the kernel can tell (Linux 5.14). */
int pit_pages_touch(const struct pit_pages_map *m, size_t bytes);

/* The same for what comes behind `from`, in a thread, while the memory is used. NULL when there is no thread: then it
 * is touched by whoever uses it first. The end waits for the thread, which stops soon. */
struct pit_touch *pit_pages_touch_behind(const struct pit_pages_map *m, size_t from);
void pit_pages_touch_end(struct pit_touch *t); /* NULL is fine */

#endif
