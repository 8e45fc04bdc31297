/* SPDX-License-Identifier: MIT
 *
 * A loop whose rounds are independent of each other, by several threads.
 */
#ifndef PIT_FEED_EACH_H
#define PIT_FEED_EACH_H

#include <stddef.h>

#include "pitcrew/error.h"

/* Does [from, to); 0 or -errno with a sentence. */
typedef int (*pit_each_fn)(void *arg, size_t from, size_t to, struct pit_error *err);

/* Calls `fn` for pieces of [from, to), of `piece` rounds each, by at most `threads` threads. The caller's is one of
 * them, so that none at all can be had is no error. After a failure no piece is begun any more; gives the first one. */
int pit_each(size_t from, size_t to, size_t piece, unsigned threads, pit_each_fn fn, void *arg, struct pit_error *err);

#endif
