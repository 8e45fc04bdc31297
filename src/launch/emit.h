/* SPDX-License-Identifier: MIT
 *
 * The same plan for other engines, as text that runs as it is: numactl (a shell script with a line per rank), torchrun
 * (the command that starts pitcrew run for each rank), slurm (a batch script with srun and its masks), systemd (a
 * template unit and a target), docker (one `docker run` per rank). All words are quoted for the reader that they are
 * for. Pure.
 */
#ifndef PIT_LAUNCH_EMIT_H
#define PIT_LAUNCH_EMIT_H

#include "launch/job.h"

enum pit_emit { PIT_EMIT_NUMACTL, PIT_EMIT_TORCHRUN, PIT_EMIT_SLURM, PIT_EMIT_SYSTEMD, PIT_EMIT_DOCKER };
extern const char *const pit_emit_names[]; /* NULL-terminated */

/* -EOPNOTSUPP: that engine cannot express something that was asked for, named in `err`; lesser losses are comments in
 * the text. */
int pit_emit(const struct pit_job *j, enum pit_emit engine, struct pit_buf *out, struct pit_error *err);

#endif
