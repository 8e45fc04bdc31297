/* SPDX-License-Identifier: MIT
 *
 * One directory of a version 2 hierarchy, through its fd: exact writes, strict reads, what is below it. Private to
 * leaf*.c.
 */
#ifndef PIT_LAUNCH_LEAF_GROUP_H
#define PIT_LAUNCH_LEAF_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define PIT_GROUP_FILE_MAX (4u << 20) /* bytes of one file: cgroup.procs of a group with 500,000 processes */

int pit_group_open(int dir, const char *path); /* directory; fd or -errno */

/* One write(2) of the whole text, or -errno; no file is made. */
int pit_group_write(int dir, const char *file, const char *text);
int pit_group_read(int dir, const char *file, struct pit_buf *out);
int pit_group_u64(int dir, const char *file, uint64_t *ret); /* "max" is UINT64_MAX; -EBADMSG */

/* The number behind `key` in lines of "key number"; UINT64_MAX when it is not there or no number. */
uint64_t pit_group_key(const char *text, const char *key);

bool pit_group_lists(int dir, const char *file, const char *word); /* among the blank-separated words of a file */

/* Calls `fn` with each process of the group and of those below it until it returns not 0, and returns that. A process
 * that the PID namespace hides is 0. -errno. */
typedef int (*pit_group_fn)(void *arg, pid_t pid);
int pit_group_each(int dir, pit_group_fn fn, void *arg);
int pit_group_each_own(int dir, pit_group_fn fn, void *arg); /* without those below */
int pit_group_count(int dir);                                /* of pit_group_each() */

/* SIGKILL for all below, too. The second is what the first does before Linux 5.14: freezes, kills one by one, thaws,
 * again until nobody is left; -EBUSY after `ms`. */
int pit_group_kill(int dir);
int pit_group_kill_slowly(int dir, int ms);

int pit_group_wait_empty(int dir, int ms); /* until no process lives in it or below; -EBUSY after `ms` */

/* Removes the group and all below it, which must be empty. 0 also when it is gone; -EBUSY. */
int pit_group_remove(int dir, const char *name);

#endif
