/* SPDX-License-Identifier: MIT
 *
 * What ranks write. One rank: our own files, untouched (terminals stay terminals). Several: pipes, whole lines with
 * "[rank] " in front, or files rank-N.out and rank-N.err in a directory. The last lines of each rank's stderr are kept
 * for the report. When whoever reads us is slow, ranks wait, the supervisor does not; when that reader is gone, our
 * ends of the pipes are closed, so that the next rank that writes gets SIGPIPE, as a member of a pipe does. What does
 * not fit on a disk is lost, and told. A line that is written anew with CR (a progress bar) comes out at most every
 * PIT_LINES_UPDATE, its last state always (output_lines.h).
 */
#ifndef PIT_LAUNCH_OUTPUT_H
#define PIT_LAUNCH_OUTPUT_H

#include "base/buf.h"
#include "base/event.h"
#include "launch/output_sink.h"
#include "pitcrew/error.h"

enum pit_output_mode { PIT_OUTPUT_INHERIT, PIT_OUTPUT_LABELLED, PIT_OUTPUT_FILES };

#define PIT_OUTPUT_TAIL 20          /* lines of stderr that are kept, */
#define PIT_OUTPUT_TAIL_BYTES 16384 /* of the last so many bytes */

struct pit_output;

/* `dir`: of the files, made with its parents when it is not there; NULL for the other modes. `attempt`: 0, or the
 * restart's number, which is part of the files' names then ("rank-3.1.err"). -errno: the directory, and why. */
int pit_output_open(struct pit_loop *loop, enum pit_output_mode mode, const char *dir, int ranks, int attempt,
		    struct pit_output **ret, struct pit_error *err);

/* The files for stdio[1] and stdio[2] of a rank, once; -1: ours. They are closed by pit_output_started(), which is
 * called also when the start failed. Files are appended to; a name that is a link or no plain file is refused. */
int pit_output_files(struct pit_output *o, int rank, int ret_fd[2], struct pit_error *err);
void pit_output_started(struct pit_output *o, int rank);

/* Reads what is still in the ranks' pipes, to their ends or for at most `ms`: somebody who was left behind may hold one
 * open. They are closed then. */
void pit_output_drain(struct pit_output *o, int ms);

/* Appends the last lines of a rank's stderr, without its label. Nothing in mode INHERIT. */
void pit_output_tail(struct pit_output *o, int rank, struct pit_buf *out);

/* Told once for each of our files, from whatever writes to it: `error` is EPIPE when nobody reads `fd` (1, 2) any more,
 * else why it cannot be written. */
struct pit_output_lost {
	void (*fn)(void *arg, int fd, int error);
	void *arg;
};
void pit_output_on_lost(struct pit_output *o, const struct pit_output_lost *lost);

/* pit_output_close() then gives a slow reader of ours all the time it needs, until `hurry` says that it is enough.
 * Without it waits for `ms` only, and the rest is lost. */
void pit_output_hurry(struct pit_output *o, const struct pit_hurry *hurry);

/* Drains, writes what is still in buffers, and frees. */
void pit_output_close(struct pit_output *o, int ms);

#endif
