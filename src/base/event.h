/* SPDX-License-Identifier: MIT
 *
 * One epoll loop for what a program waits for: files, points in time, signals, ends of processes. Single-threaded.
 */
#ifndef PIT_BASE_EVENT_H
#define PIT_BASE_EVENT_H

#include <signal.h>
#include <stdint.h>

#include "base/cleanup.h"

struct pit_loop;

/* 0 or -errno. */
int pit_loop_open(struct pit_loop **ret);
void pit_loop_close(struct pit_loop *l); /* NULL is fine; watched files stay open; keeps errno */

/* Called with what epoll said (EPOLLIN, ...; 0 for a timer). A return that is not 0 ends pit_loop_run(), which returns
 * it. Any function of the loop may be called inside. */
typedef int (*pit_loop_fn)(void *arg, uint32_t events);

/* Watches `fd` (a pipe, a signalfd, a pidfd, ...) for `events`, or changes what it is watched for. 0 or -errno. A plain
 * file, which epoll refuses with EPERM, counts as always ready. */
int pit_loop_watch(struct pit_loop *l, int fd, uint32_t events, pit_loop_fn fn, void *arg);
void pit_loop_unwatch(struct pit_loop *l, int fd); /* before it is closed; an unknown fd is fine */

/* Calls `fn` once when pit_now() reaches `at`. Gives an id above 0 for pit_loop_cancel(), or -ENOMEM. */
int pit_loop_at(struct pit_loop *l, int64_t at, pit_loop_fn fn, void *arg);
void pit_loop_cancel(struct pit_loop *l, int id); /* 0, past or unknown ids are fine */

/* Serves until a callback returns not 0, which it returns; -errno when waiting itself fails. EINTR is not an end. With
 * nothing watched and no timer: 0. */
int pit_loop_run(struct pit_loop *l);

#endif
