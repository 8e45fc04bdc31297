/* SPDX-License-Identifier: MIT
 *
 * What the engines of pit_emit() share. Private to launch/emit*.c.
 */
#ifndef PIT_LAUNCH_EMIT_PARTS_H
#define PIT_LAUNCH_EMIT_PARTS_H

#include "launch/emit.h"

int pit_emit_numactl(const struct pit_job *j, struct pit_buf *out, struct pit_error *err);
int pit_emit_torchrun(const struct pit_job *j, struct pit_buf *out, struct pit_error *err);
int pit_emit_slurm(const struct pit_job *j, struct pit_buf *out, struct pit_error *err);
int pit_emit_systemd(const struct pit_job *j, struct pit_buf *out, struct pit_error *err);
int pit_emit_docker(const struct pit_job *j, struct pit_buf *out, struct pit_error *err);

/* One word for a POSIX shell, quoted where it must be. */
void pit_emit_word(struct pit_buf *out, const char *word);
void pit_emit_words(struct pit_buf *out, char *const *words); /* each with a blank in front */

/* The rest of a shell script: ranks that run side by side, of which `put` prints the command with a blank in front.
 * When one fails or the script is to stop, the others are stopped, each with all processes of its session. One rank
 * alone takes the place of the script. */
void pit_emit_run(const struct pit_job *j, void (*put)(const struct pit_job *j, int at, struct pit_buf *out),
		  struct pit_buf *out);

/* "# " and what this text is, and what of the request is lost in it. */
void pit_emit_header(const struct pit_job *j, enum pit_emit engine, struct pit_buf *out);

/* The options of `pitcrew run` that mean this job, but for those that say how many ranks there are. 0 or -ENOMEM. */
int pit_emit_options(const struct pit_job *j, struct pit_strv *ret);

/* A name for the job that any engine takes: letters, digits, "_", "-" and "." of the command's last part. */
char *pit_emit_name(const struct pit_job *j, char *out, size_t size);

/* "SIGTERM", or the number of one without a name. */
char *pit_emit_signal(int signal, char *out, size_t size);
int pit_emit_stop_signal(const struct pit_job *j);
unsigned pit_emit_grace(const struct pit_job *j); /* whole seconds */
#define PIT_EMIT_NEVER INT32_MAX                  /* of these: no end */

/* What open files are raised to; NULL they are not. */
const struct rlimit64 *pit_emit_files(const struct pit_job *j);

/* Nodes that a seat's policy names, as the engine may want only one: its home, else the lowest; -1 none. */
int pit_emit_home(const struct pit_job *j, int seat);

#endif
