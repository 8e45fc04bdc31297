/* SPDX-License-Identifier: MIT
 *
 * One question to systemd without starting systemctl, which costs ten times as much. For helper processes only: it may
 * wait for an answer.
 */
#ifndef PIT_HOST_UNIT_BUS_H
#define PIT_HOST_UNIT_BUS_H

#include <stddef.h>

/* The unit's ActiveState in `ret`: "active", "inactive", "failed", ...; "inactive" when there is no such unit. -ENOENT:
 * libsystemd is not installed; another -errno: nobody answers there. */
int pit_unit_bus_state(const char *unit, char *ret, size_t size);

#endif
