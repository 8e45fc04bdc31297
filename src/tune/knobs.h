/* SPDX-License-Identifier: MIT
 *
 * The tables of knobs, a file each, for the list in knobs.c; and words that many rows share.
 */
#ifndef PIT_TUNE_KNOBS_H
#define PIT_TUNE_KNOBS_H

#include "tune/knob.h"
#include "tune/resolve.h"

extern const struct pit_knob pit_knobs_services[], pit_knobs_cpu[], pit_knobs_memory[], pit_knobs_hugepages[],
	pit_knobs_kernel[], pit_knobs_limits[], pit_knobs_network[], pit_knobs_tcp[], pit_knobs_storage[],
	pit_knobs_irq[], pit_knobs_pci[], pit_knobs_gpu[], pit_knobs_boot[];

#define PIT_BLAST_ALL "all processes of this host"

#endif
