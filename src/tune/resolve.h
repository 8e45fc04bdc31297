/* SPDX-License-Identifier: MIT
 *
 * Knobs whose cells and values need more than a pattern: what a setting of them means on this machine. Each is the
 * `resolve` of one row or of several (see knob.h); it looks, and chooses nothing that cannot be read off the machine.
 */
#ifndef PIT_TUNE_RESOLVE_H
#define PIT_TUNE_RESOLVE_H

#include "tune/knob.h"

pit_knob_resolve pit_resolve_irq;           /* "local": interrupts of devices on CPUs of their node */
pit_knob_resolve pit_resolve_hugepages;     /* which "2M": a number of pages, or "25% memory", spread over the nodes */
pit_knob_resolve pit_resolve_limits;        /* "unlimited", a number or a size: limits.d and systemd drop-ins */
pit_knob_resolve pit_resolve_service;       /* "running" or "stopped", with --persist also at boot */
pit_knob_resolve pit_resolve_cstates;       /* "N us": idle states that take longer to leave are off */
pit_knob_resolve pit_resolve_turbo;         /* "on", "off": one switch, spelled in two ways that mean the opposite */
pit_knob_resolve pit_resolve_swap;          /* "off" */
pit_knob_resolve pit_resolve_mount;         /* which a mount point, a value such as "noatime" */
pit_knob_resolve pit_resolve_shm;           /* "50% memory" or a size of /dev/shm */
pit_knob_resolve pit_resolve_cmdline;       /* a value of the argument that the row names, "present" or "absent" */
pit_knob_resolve pit_resolve_nfs_readahead; /* read-ahead of NFS mounts in kB */
pit_knob_resolve pit_resolve_gpu;           /* items of host/nvml_set.h, of all GPUs or one */
pit_knob_resolve pit_resolve_mps;           /* the MPS daemon: "running" or "stopped" */

/* Is the value of a setting one that its row allows anywhere? -EINVAL with what would be right. */
int pit_setting_check(const struct pit_setting *s, uint64_t memory, struct pit_error *err);

#endif
