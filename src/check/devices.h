/* SPDX-License-Identifier: MIT
 *
 * Words and rules about devices that several areas of rows share.
 */
#ifndef PIT_CHECK_DEVICES_H
#define PIT_CHECK_DEVICES_H

#include "topo/model.h"

/* "eth0", or the PCI address when it has no handle. */
const char *pit_device_label(const struct pit_device *d);

/* A NIC and its InfiniBand function are two devices at one address: the first stands for both. */
bool pit_device_is_repeated(const struct pit_topo *topo, size_t at);

#endif
