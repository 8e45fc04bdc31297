/* SPDX-License-Identifier: MIT
 *
 * A child process that works for us: for calls that may hang in the kernel, crash, or be punished by a filter. It keeps
 * none of our files open (whoever waits for the end of our output must not wait for it), leaves no core file and dies
 * with us. One that is stuck in the kernel cannot be ended, so it is left behind.
 */
#ifndef PIT_HOST_CHILD_H
#define PIT_HOST_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct pit_child {
	pid_t pid; /* 0 none */
	int fd;    /* our end of its pipe or socket; -1 none */
};
#define PIT_CHILD_INIT                                                                                                 \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

struct pit_child_job {
	const char *name; /* as `ps` shows it, at most 15 bytes */
	bool talks;       /* `fd` is a socket for both directions, else a pipe to us */
	/* Works in the child, which ends when it returns. `fd` is its only open file but /dev/null at 0, 1, 2. */
	void (*run)(int fd, const void *arg);
	const void *arg;
};

/* 0 or -errno. */
int pit_child_start(const struct pit_child_job *job, struct pit_child *ret);

/* Waits until `until` (of pit_now()) for some bytes and appends them to `out`: 1 some came, 0 the child closed its end,
 * -ETIMEDOUT, -EFBIG `out` has `most` bytes already, or another -errno. */
int pit_child_read(const struct pit_child *c, int64_t until, size_t most, struct pit_buf *out);

/* For a child that becomes a program: waits until it has ended, `until` at most, and not for its output, which a daemon
 * that it started may keep open. What came is given to `heard`. 0, -ETIMEDOUT (the child is there still), or -errno. */
typedef void (*pit_child_heard_fn)(void *arg, const char *bytes, size_t len);
int pit_child_attend(const struct pit_child *c, int64_t until, pit_child_heard_fn heard, void *arg);

/* Writes all bytes to the other side, from either side; 0 or -errno. */
int pit_child_write(int fd, const void *bytes, size_t len);

/* Kills the child, takes its remains and goes back to PIT_CHILD_INIT. Returns its wait status, which is its own when it
 * had closed its end by exiting; -1 when there was none or it was left behind. Keeps errno. */
int pit_child_stop(struct pit_child *c);
#define pit_auto_child PIT_CLEANUP(pit_child_stop)

#endif
