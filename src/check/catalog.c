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
	pit_check_numa,
	pit_check_irq,
	pit_check_process,
	pit_check_limits,
	pit_check_storage,
	pit_check_security,
	pit_check_env,
	pit_check_env_frameworks,
	pit_check_gpu,
	pit_check_pci,
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
