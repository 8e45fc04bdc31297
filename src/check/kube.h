/* SPDX-License-Identifier: MIT
 *
 * What the rows about the kubelet share. Private to check/kube*.c.
 */
#ifndef PIT_CHECK_KUBE_H
#define PIT_CHECK_KUBE_H

#include "check/kube_conf.h"

/* A row about one setting: `arg` of pit_kube_setting_probe(). */
struct pit_kube_setting {
	const char *key;
	const char *unset; /* the default */
	const char *want;  /* words, one of which it must be */
};

/* The setting or its default, with evidence and origin in `out`. */
const char *pit_kube_value(const struct pit_kube *k, const char *key, const char *unset, struct pit_finding *out);

/* kube_numa.c */
pit_probe pit_kube_topology_probe, pit_kube_topology_nodes_probe, pit_kube_memory_manager_probe,
	pit_kube_reserved_memory_probe, pit_kube_reserved_cpus_probe, pit_kube_reserved_irqs_probe,
	pit_kube_checkpoint_probe, pit_kube_spread_probe;
/* kube_pod.c */
pit_probe pit_kube_qos_probe, pit_kube_oom_group_probe;
/* kube_setting.c */
pit_probe pit_kube_setting_probe, pit_kube_cfs_quota_probe, pit_kube_cgroup_driver_probe, pit_kube_eviction_probe,
	pit_kube_hugepages_probe, pit_kube_image_gc_probe, pit_kube_swap_probe, pit_kube_pids_probe;

#endif
