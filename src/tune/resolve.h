/* SPDX-License-Identifier: MIT
 *
 * The `resolve` functions that rows of the table of knobs name.
 */
#ifndef PIT_TUNE_RESOLVE_H
#define PIT_TUNE_RESOLVE_H

#include "tune/knob.h"

pit_knob_resolve pit_resolve_irq, pit_resolve_hugepages, pit_resolve_limits, pit_resolve_service, pit_resolve_cstates,
	pit_resolve_swap, pit_resolve_mount, pit_resolve_shm, pit_resolve_cmdline, pit_resolve_nfs_readahead,
	pit_resolve_gpu, pit_resolve_mps;

/* One switch whose two spellings mean the opposite: intel_pstate's no_turbo, others' boost. */
pit_knob_resolve pit_resolve_turbo;

#endif
