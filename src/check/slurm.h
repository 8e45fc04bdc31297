/* SPDX-License-Identifier: MIT
 *
 * What the rows about Slurm share. Private to check/slurm*.c.
 */
#ifndef PIT_CHECK_SLURM_H
#define PIT_CHECK_SLURM_H

#include "check/facts.h"
#include "check/slurm_conf.h"

/* A row about one setting: `arg` of pit_slurm_setting_probe(). */
struct pit_slurm_setting {
	const char *file;  /* "slurm.conf" */
	const char *key;   /* "TaskPlugin" */
	const char *unset; /* the value that holds when it is not set; NULL: depends on the version, which passes */
	const char *want;  /* words; each in the list of the value when `all`, else one of them */
	bool all;
};
pit_probe pit_slurm_setting_probe;

/* slurm.conf and the NodeName line of this host. -ENOENT: not a compute node by this file. */
struct pit_slurm_host {
	struct pit_slurm_conf conf;
	const struct pit_slurm_line *node;
};
int pit_slurm_host_load(struct pit_facts *f, struct pit_slurm_host *ret, struct pit_error *err);
static inline void pit_slurm_host_free(struct pit_slurm_host *h)
{
	pit_slurm_conf_free(&h->conf);
}
#define pit_auto_slurm_host PIT_CLEANUP(pit_slurm_host_free)

/* Cores by the node's line: Boards, Sockets, SocketsPerBoard, CoresPerSocket; 0 unknown. */
uint64_t pit_slurm_host_cores(const struct pit_slurm_host *h);

/* CPUs by the node's line: CPUs, else cores times ThreadsPerCore; 0 unknown. */
uint64_t pit_slurm_host_cpus(const struct pit_slurm_host *h);

/* slurm_gres.c */
pit_probe pit_slurm_gres_types_probe, pit_slurm_gres_conf_probe, pit_slurm_gres_count_probe, pit_slurm_gres_files_probe,
	pit_slurm_gres_cores_probe, pit_slurm_gres_links_probe, pit_slurm_gres_affinity_probe,
	pit_slurm_gres_type_probe;
/* slurm_node.c */
pit_probe pit_slurm_node_cpus_probe, pit_slurm_real_memory_probe, pit_slurm_mem_spec_probe;
/* slurm_setting.c */
pit_probe pit_slurm_swap_probe, pit_slurm_memlock_probe, pit_slurm_health_probe, pit_slurm_unkillable_probe,
	pit_slurm_prolog_probe, pit_slurm_tmp_probe, pit_slurm_cgroup_version_probe, pit_slurm_overrides_probe;

#endif
