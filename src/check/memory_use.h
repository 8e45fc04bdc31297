/* SPDX-License-Identifier: MIT
 *
 * GPU memory of the whole host. Private to check/.
 */
#ifndef PIT_CHECK_MEMORY_USE_H
#define PIT_CHECK_MEMORY_USE_H

#include "check/facts.h"

/* Bytes over all GPUs: from NVML, and from sysfs for AMD ones. -ENOENT: nobody says. */
int pit_gpu_memory(struct pit_facts *f, uint64_t *ret_bytes, struct pit_error *err);

#endif
