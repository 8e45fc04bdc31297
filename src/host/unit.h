/* SPDX-License-Identifier: MIT
 *
 * systemd units as their files say: the unit and its drop-ins in the order in which systemd reads them.
 */
#ifndef PIT_HOST_UNIT_H
#define PIT_HOST_UNIT_H

#include "host/root.h"

/* The last assignment of `key` in `section` ("Service") of unit "slurmd.service" and the file and line that holds it
 * ("/etc/systemd/system/x.service.d/10.conf:3"). -ENOENT: no such unit file, or it does not set the key. */
int pit_unit_get(struct pit_root *root, const char *unit, const char *section, const char *key, char *ret_value,
		 size_t size, char *ret_where, size_t where_size);

/* 1 enabled (a .wants or .requires link exists), 0 there but not enabled, -ENOENT no such unit. */
int pit_unit_is_enabled(struct pit_root *root, const char *unit);

/* Keys of INI-like files (slurm.conf and gres.conf need their own reader): the last `key` in `section` (NULL: any). */
int pit_ini_get(const char *text, const char *section, const char *key, char *ret_value, size_t size, int *ret_line);

#endif
