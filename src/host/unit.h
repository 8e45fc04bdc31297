/* SPDX-License-Identifier: MIT
 *
 * systemd units as their files say: the unit and its drop-ins in the order in which systemd reads them.
 */
#ifndef PIT_HOST_UNIT_H
#define PIT_HOST_UNIT_H

#include "host/root.h"

/* The last assignment of `key` in `section` ("Service") of unit "slurmd.service" and the file and line that holds it
 * ("/etc/systemd/system/x.service.d/10.conf:3"). -ENOENT: no such unit file, it is masked, or it does not set the key
 * (an empty assignment takes back what was set before). */
int pit_unit_get(struct pit_root *root, const char *unit, const char *section, const char *key, char *ret_value,
		 size_t size, char *ret_where, size_t where_size);

/* The same for a file of systemd itself, such as "system.conf" (section "Manager"), with its drop-ins. */
int pit_systemd_conf_get(struct pit_root *root, const char *name, const char *section, const char *key, char *ret_value,
			 size_t size, char *ret_where, size_t where_size);

/* 1 enabled (a .wants or .requires link exists), 0 there but not enabled, -ENOENT no such unit. */
int pit_unit_is_enabled(struct pit_root *root, const char *unit);

/* The name of its own of a unit that may be an alias: "sshd.service" is a link to "ssh.service". -ENOENT no such unit,
 * or it is masked. */
int pit_unit_name(struct pit_root *root, const char *unit, char *ret, size_t size);

bool pit_unit_is_masked(struct pit_root *root, const char *unit); /* by a link to /dev/null */

/* 1 active (it was started and did not end), 0 not, -EOPNOTSUPP systemd is not process 1 here. `unit` is its own name.
 * Services leave a link under /run; of others systemctl is asked, for at most five seconds. */
int pit_unit_is_active(struct pit_root *root, const char *unit);

/* Keys of INI-like files (slurm.conf and gres.conf need their own reader): the last `key` in `section` (NULL: any).
 * A backslash at the end of a line continues it; values too long for `ret_value` are cut. -ENOENT: no such key. */
int pit_ini_get(const char *text, const char *section, const char *key, char *ret_value, size_t size, int *ret_line);

#endif
