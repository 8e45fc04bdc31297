/* SPDX-License-Identifier: MIT
 *
 * One thread that does things in order behind the caller's back. The first error stays until it is asked for; what
 * comes after it is told so.
 */
#ifndef PIT_FEED_CHECKPOINT_BEHIND_H
#define PIT_FEED_CHECKPOINT_BEHIND_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/error.h"

struct pit_behind;

/* `failed`: something before it has failed; only what it holds is to be freed. */
typedef int (*pit_behind_fn)(void *arg, bool failed, struct pit_error *err);

struct pit_behind *pit_behind_open(void);    /* NULL: out of memory */
void pit_behind_close(struct pit_behind *b); /* when nothing is under way; NULL is fine */

/* -EAGAIN or -ENOMEM: there is no thread, nothing was taken. */
int pit_behind_do(struct pit_behind *b, pit_behind_fn fn, void *arg);

/* Waits until everything is done; gives the error, once. */
int pit_behind_wait(struct pit_behind *b, struct pit_error *err);

/* The error, once, when nothing is under way any more; 0 while something is. */
int pit_behind_failed(struct pit_behind *b, struct pit_error *err);
bool pit_behind_busy(struct pit_behind *b);     /* from any thread */
uint64_t pit_behind_time(struct pit_behind *b); /* nanoseconds that it worked, in all */

#endif
