/* SPDX-License-Identifier: MIT
 *
 * Configuration that is spread over directories, as systemd, udev and modprobe keep it.
 */
#ifndef PIT_HOST_CONF_FILES_H
#define PIT_HOST_CONF_FILES_H

#include "host/root.h"

/* The files of `dirs` (ends with NULL, the most important first) whose names end with `suffix`: of files with the same
 * name the first directory's, sorted by name. A file that is masked by a link to /dev/null is listed and cannot be
 * read. 0 or -ENOMEM. */
int pit_conf_files(struct pit_root *root, const char *const *dirs, const char *suffix, struct pit_strv *ret);

/* Copies the next line of *text without white space around it into `line`, cut to `size`, and moves *text on; false at
 * the end. */
bool pit_conf_line(const char **text, char *line, size_t size);

#endif
