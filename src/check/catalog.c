/* SPDX-License-Identifier: MIT */
#include "check/catalog.h"

#include <string.h>

const struct pit_check *const pit_catalog[] = {
	pit_check_cpu,
	pit_check_cpu_idle,
	pit_check_cpu_isolation,
	pit_check_sched,
	pit_check_cpu_faults,
	pit_check_memory,
	pit_check_memory_swap,
	pit_check_memory_thp,
	pit_check_memory_hugepages,
	pit_check_memory_reclaim,
	pit_check_memory_use,
	pit_check_memory_shm,
	pit_check_memory_oom,
	pit_check_memory_health,
	pit_check_numa,
	pit_check_irq,
	pit_check_process,
	pit_check_limits,
	pit_check_storage,
	pit_check_security,
	pit_check_env,
	pit_check_env_frameworks,
	pit_check_gpu_driver,
	pit_check_gpu_health,
	pit_check_gpu_speed,
	pit_check_gpu_share,
	pit_check_gpu_mig,
	pit_check_gpu_fabric,
	pit_check_gpu_cuda,
	pit_check_gpu_xid,
	pit_check_gpu_amd,
	pit_check_pci,
	pit_check_pci_link,
	pit_check_container,
	pit_check_kube,
	pit_check_slurm,
	pit_check_network,
	pit_check_kernel,
	NULL,
};

size_t pit_catalog_count(void)
{
	size_t n = 0;

	PIT_CATALOG_FOREACH (row)
		n++;
	return n;
}

const struct pit_check *pit_catalog_find(const char *id)
{
	PIT_CATALOG_FOREACH (row)
		if (!strcmp(row->id, id))
			return row;
	return NULL;
}
