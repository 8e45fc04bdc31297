/* SPDX-License-Identifier: MIT
 *
 * Files below a directory that stands for "/": a recorded machine, a place to be tuned.
 */
#ifndef PIT_BASE_INSIDE_H
#define PIT_BASE_INSIDE_H

/* Opens `path` below `dir`, close-on-exec; links and ".." are resolved as if `dir` were "/", so that
 * nothing leads out. The file descriptor or -errno. */
int pit_open_inside(int dir, const char *path, int flags);

#endif
