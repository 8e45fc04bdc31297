/* SPDX-License-Identifier: MIT
 *
 * One run of nvidia-cuda-mps-control. Private to mps*.c.
 */
#ifndef PIT_LAUNCH_MPS_COMMAND_H
#define PIT_LAUNCH_MPS_COMMAND_H

#include "base/buf.h"
#include "base/strv.h"
#include "pitcrew/error.h"

struct pit_mps_command {
	const char *program;
	char *const *environ;
	const char *option; /* "-d"; NULL none */
	const char *input;  /* "quit\n": what it reads from its standard input; NULL none */
};

/* Runs it until it ends, `until` at most; what it printed (the first 64 KiB) is appended to `out`. -ETIMEDOUT: it was
 * killed; -EIO: it failed, and the text says what it printed. */
int pit_mps_command(const struct pit_mps_command *c, int64_t until, struct pit_buf *out, struct pit_error *err);

/* Process ids, one a line, in `ret`, at most `most`; other lines are none. How many. */
size_t pit_mps_pids(const char *text, pid_t *ret, size_t most);

/* `block` without what is MPS's or names GPUs, and with these; `gpus` NULL: those that `block` names. Ends with
 * NULL (item[count] of *ret). -ENOMEM. */
int pit_mps_environ(char *const *block, const char *dir, const char *log, const char *gpus, struct pit_strv *ret);

#endif
