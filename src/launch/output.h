/* SPDX-License-Identifier: MIT
 *
 * What ranks write. One rank: our own files, untouched (terminals stay terminals). Several: pipes, whole lines with
 * "[rank] " in front, or files rank-N.out and rank-N.err in a directory. The last lines of each rank's stderr are kept
 * for the report. When whoever reads us is slow, ranks wait, the supervisor does not.
 */
#ifndef PIT_LAUNCH_OUTPUT_H
#define PIT_LAUNCH_OUTPUT_H

#include "base/buf.h"
#include "base/event.h"
#include "pitcrew/error.h"

enum pit_output_mode { PIT_OUTPUT_INHERIT, PIT_OUTPUT_LABELLED, PIT_OUTPUT_FILES };

#define PIT_OUTPUT_LINE 8192 /* a longer line comes in parts */
#define PIT_OUTPUT_TAIL 20   /* lines of stderr that are kept */

struct pit_output;

/* `dir`: of the files, made when it is not there; NULL for the other modes. `attempt`: 0, or the restart's number,
 * which is part of the files' names then ("rank-3.1.err"). */
int pit_output_open(struct pit_loop *loop, enum pit_output_mode mode, const char *dir, int ranks, int attempt,
		    struct pit_output **ret, struct pit_error *err);

/* The files for stdio[1] and stdio[2] of a rank; -1: ours. They are closed by pit_output_started(). */
int pit_output_files(struct pit_output *o, int rank, int ret_fd[2], struct pit_error *err);
void pit_output_started(struct pit_output *o, int rank);

/* Appends the last lines of a rank's stderr, without its label. Nothing in mode INHERIT. */
void pit_output_tail(struct pit_output *o, int rank, struct pit_buf *out);

/* Writes what is still in pipes and buffers, for at most `ms` (somebody who left may hold a pipe open), and frees. */
void pit_output_close(struct pit_output *o, int ms);

#endif
