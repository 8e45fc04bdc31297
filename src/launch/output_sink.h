/* SPDX-License-Identifier: MIT
 *
 * Our own stdout or stderr, written to without ever waiting for who reads it. The file is shared with other processes,
 * so O_NONBLOCK may not be set on it: pipes and terminals are opened once more, sockets have a flag for each call, and
 * where neither is to be had no more is written than fits. A reader that has gone, or a full disk, drops what there is,
 * and what went wrong is kept.
 */
#ifndef PIT_LAUNCH_OUTPUT_SINK_H
#define PIT_LAUNCH_OUTPUT_SINK_H

#include "base/buf.h"
#include "base/event.h"

#define PIT_SINK_FULL (256u << 10) /* bytes in the queue at which those who fill it should pause, */
#define PIT_SINK_LOW (64u << 10)   /* until there are only so many */

enum pit_sink_way { PIT_SINK_PLAIN, PIT_SINK_OWN, PIT_SINK_SOCKET, PIT_SINK_SHARED };

struct pit_sink {
	struct pit_loop *loop;
	enum pit_sink_way way;
	int fd;     /* a copy of our own; -1: gone */
	bool watch; /* the loop tells when more fits */
	struct pit_buf queue;
	size_t done; /* bytes of the queue that are written */
	int error;   /* of the first write to a file that lost bytes; 0 none */
	bool unread; /* a pipe or socket whose reader has gone */
	void (*drained)(void *arg);
	void *arg;
};

/* What ends the wait for a slow reader: `now` is asked when something can be read from `fd`, reads it, and says whether
 * to wait no longer. Usually our end of whatever tells us to stop. */
struct pit_hurry {
	int fd; /* -1: nothing does */
	bool (*now)(void *arg);
	void *arg;
};

/* `fd` stays the caller's. A file that cannot be written to is no error: the sink then drops everything. `drained` is
 * called in the loop when the queue has fallen below PIT_SINK_LOW. */
void pit_sink_open(struct pit_sink *s, struct pit_loop *loop, int fd, void (*drained)(void *arg), void *arg);
void pit_sink_close(struct pit_sink *s); /* what is not written is lost */

void pit_sink_put(struct pit_sink *s, const void *bytes, size_t len);
void pit_sink_flush(struct pit_sink *s); /* writes what fits; the loop goes on with the rest */
size_t pit_sink_left(const struct pit_sink *s);

/* Writes to a file of ours at once, without a loop: it waits for a slow reader for at most `ms`, and with `hurry` (may
 * be NULL) until that says so, if that is later. Nobody who reads: dropped. */
void pit_sink_say(int fd, const void *bytes, size_t len, int ms, const struct pit_hurry *hurry);

/* Both write to the same pipe, terminal or file: lines must go through one of them to stay whole. */
bool pit_sink_same(int fd_a, int fd_b);

#endif
