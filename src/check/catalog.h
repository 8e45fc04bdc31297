/* SPDX-License-Identifier: MIT
 *
 * The tables of rows, one or more per area, each in the file of its name. Private to check/.
 */
#ifndef PIT_CHECK_CATALOG_H
#define PIT_CHECK_CATALOG_H

#include "check/check.h"

extern const struct pit_check pit_check_cpu[];
extern const struct pit_check pit_check_cpu_idle[];
extern const struct pit_check pit_check_cpu_isolation[];
extern const struct pit_check pit_check_sched[];
extern const struct pit_check pit_check_cpu_faults[];
extern const struct pit_check pit_check_memory[];
extern const struct pit_check pit_check_memory_swap[];
extern const struct pit_check pit_check_memory_thp[];
extern const struct pit_check pit_check_memory_hugepages[];
extern const struct pit_check pit_check_memory_reclaim[];
extern const struct pit_check pit_check_memory_use[];
extern const struct pit_check pit_check_memory_shm[];
extern const struct pit_check pit_check_memory_oom[];
extern const struct pit_check pit_check_memory_health[];
extern const struct pit_check pit_check_numa[];
extern const struct pit_check pit_check_irq[];
extern const struct pit_check pit_check_process[];
extern const struct pit_check pit_check_limits[];
extern const struct pit_check pit_check_storage[];
extern const struct pit_check pit_check_security[];
extern const struct pit_check pit_check_env[];
extern const struct pit_check pit_check_env_frameworks[];
extern const struct pit_check pit_check_gpu[];
extern const struct pit_check pit_check_gpu_driver[];
extern const struct pit_check pit_check_gpu_health[];
extern const struct pit_check pit_check_gpu_speed[];
extern const struct pit_check pit_check_gpu_share[];
extern const struct pit_check pit_check_gpu_mig[];
extern const struct pit_check pit_check_gpu_fabric[];
extern const struct pit_check pit_check_gpu_cuda[];
extern const struct pit_check pit_check_gpu_xid[];
extern const struct pit_check pit_check_gpu_amd[];
extern const struct pit_check pit_check_pci[];
extern const struct pit_check pit_check_pci_link[];
extern const struct pit_check pit_check_container[];
extern const struct pit_check pit_check_kube[];
extern const struct pit_check pit_check_slurm[];
extern const struct pit_check pit_check_network[];
extern const struct pit_check pit_check_kernel[];

#endif
