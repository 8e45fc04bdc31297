/* SPDX-License-Identifier: MIT
 *
 * Units of ours, and how values stand in the files that others read at boot.
 */
#ifndef PIT_TUNE_PERSIST_H
#define PIT_TUNE_PERSIST_H

#include "tune/knob.h"

/* The program that a unit of ours would start: our own path; "/usr/bin/pitcrew" when the machine does not tell it.
 * Returns `ret`. */
char *pit_persist_program(struct pit_root *root, char *ret, size_t size);

bool pit_persist_has_udev(struct pit_scene *scene); /* somebody reads the rules of udev */

/* A unit that holds /dev/cpu_dma_latency at `us` from the next boot on, until its file is removed. 0 or -ENOMEM. */
int pit_persist_latency(struct pit_scene *scene, uint64_t us, struct pit_wishes *wishes);

/* Appends `text` so that the reader of such a file finds it again, byte by byte: a path of tmpfiles.d (which expands
 * patterns), its last field, a value between quotes in udev rules, the program of ExecStart=. */
void pit_escape_tmpfiles_path(const char *text, struct pit_buf *out);
void pit_escape_tmpfiles_argument(const char *text, struct pit_buf *out);
void pit_escape_udev(const char *text, struct pit_buf *out);
void pit_escape_exec(const char *text, struct pit_buf *out);

#endif
