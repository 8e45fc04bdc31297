/* SPDX-License-Identifier: MIT
 *
 * One place that sets a kernel setting. Shared by the readers behind sysctl_origin.h.
 */
#ifndef PIT_HOST_ORIGIN_H
#define PIT_HOST_ORIGIN_H

#include "host/root.h"

struct pit_origin {
	char file[256]; /* "" nothing sets it */
	int line;
	char value[256];
	char profile[64]; /* tuned's, when that is the setter */
};

/* What tuned's active profile (with the profiles it includes) sets `key` in `section` to. An empty `file` when no
 * profile is active or it says nothing. `matches` tells whether a key of the profile is meant; NULL: the same text. */
void pit_tuned_find(struct pit_root *root, const char *section, const char *key,
		    bool (*matches)(const char *pattern, const char *key), struct pit_origin *ret);

/* The same for a sysctl ("vm.swappiness") and for a file under /sys, under the names that tuned has for them. */
void pit_tuned_sysctl(struct pit_root *root, const char *key, struct pit_origin *ret);
void pit_tuned_sysfs(struct pit_root *root, const char *path, struct pit_origin *ret);

/* The line that sets a sysctl at boot; with `after` only lines that name the key in full, in files of sysctl.d whose
 * names sort behind "NAME.conf". An empty `file`: there is none. */
void pit_sysctl_file(struct pit_root *root, const char *key, const char *after, struct pit_origin *ret);

/* The line of udev, sysfsutils, modprobe or tmpfiles.d that sets a file under /sys. */
void pit_sysfs_file(struct pit_root *root, const char *path, struct pit_origin *ret);

/* The text of a report from what was found; -ENOENT when nothing was. */
int pit_origin_print(const struct pit_origin *file, const struct pit_origin *tuned, const char *cmdline,
		     const char *live, char *ret, size_t size);

#endif
