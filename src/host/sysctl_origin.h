/* SPDX-License-Identifier: MIT
 *
 * Who set a kernel setting: the last file that wins at boot (sysctl.d in the order that systemd-sysctl uses, then
 * sysctl.conf), a tuned profile that is active, the kernel command line, tmpfiles.d or a udev rule.
 */
#ifndef PIT_HOST_SYSCTL_ORIGIN_H
#define PIT_HOST_SYSCTL_ORIGIN_H

#include "host/root.h"

/* The winner for sysctl `key` ("vm.swappiness" or "vm/swappiness") as "FILE:LINE (value)", with the active tuned
 * profile named behind it when that sets the key too, in `ret`. When a file sets another value than `live` (may be
 * NULL) the text says so. -ENOENT: nobody sets it, so it is the kernel's default or was written since. */
int pit_sysctl_origin(struct pit_root *root, const char *key, const char *live, char *ret, size_t size);

/* The same for a file under /sys (THP, read-ahead, governor, ...): tmpfiles.d lines, tuned, and the kernel command line
 * argument `cmdline_name` (may be NULL). */
int pit_sysfs_origin(struct pit_root *root, const char *path, const char *cmdline_name, char *ret, size_t size);

#endif
