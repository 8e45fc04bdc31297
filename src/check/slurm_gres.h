/* SPDX-License-Identifier: MIT
 *
 * GPUs as Slurm's configuration has them. Private to check/slurm*.c.
 */
#ifndef PIT_CHECK_SLURM_GRES_H
#define PIT_CHECK_SLURM_GRES_H

#include "check/slurm.h"

/* GPUs in a Gres value: "gpu:8", "gpu:a100:8(S:0-1),nic:2"; *ret_typed false when one has no type. -EBADMSG. */
int pit_slurm_gres_gpus(const char *gres, uint64_t *ret_count, bool *ret_typed);

/* The set in Cores= or CPUs=: "0-15", "[0-3]", "0,2". -EBADMSG. */
int pit_slurm_gres_cores(const char *text, struct pit_idset *ret);

/* Links=: a comma-separated number for each of `gpus` GPUs, -1 once, for the GPU itself. NULL
 * when it is right, else what is wrong with it. */
const char *pit_slurm_gres_links(const char *text, size_t gpus);

#endif
