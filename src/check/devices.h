/* SPDX-License-Identifier: MIT
 *
 * Words and rules about devices that several areas of rows share.
 */
#ifndef PIT_CHECK_DEVICES_H
#define PIT_CHECK_DEVICES_H

#include "check/facts.h"

/* "eth0", or the PCI address when it has no handle. */
const char *pit_device_label(const struct pit_device *d);

/* A NIC and its InfiniBand function are two devices at one address: the first stands for both. */
bool pit_device_is_repeated(const struct pit_topo *topo, size_t at);

/* A link of this speed or more is one from which host settings for fast networks matter. */
#define PIT_FAST_MBIT 10000

/* True for the graphics of a CPU that shares its memory and is no use to a job: Intel's at 00:02.0, AMD's with less
 * than 4 GiB of its own. */
bool pit_gpu_is_integrated(struct pit_facts *f, const struct pit_device *d);

/* GPUs on this machine by PCI and NVML, without integrated ones; -1 unknown. */
int pit_gpu_count(struct pit_facts *f);

#endif
