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

#define PIT_KUBE_PROBE(name)                                                                                           \
	int name(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
PIT_KUBE_PROBE(pit_kube_setting_probe);
PIT_KUBE_PROBE(pit_kube_topology_probe);
PIT_KUBE_PROBE(pit_kube_topology_nodes_probe);
PIT_KUBE_PROBE(pit_kube_memory_manager_probe);
PIT_KUBE_PROBE(pit_kube_reserved_memory_probe);
PIT_KUBE_PROBE(pit_kube_reserved_cpus_probe);
PIT_KUBE_PROBE(pit_kube_reserved_irqs_probe);
PIT_KUBE_PROBE(pit_kube_cfs_quota_probe);
PIT_KUBE_PROBE(pit_kube_cgroup_driver_probe);
PIT_KUBE_PROBE(pit_kube_qos_probe);
PIT_KUBE_PROBE(pit_kube_oom_group_probe);
PIT_KUBE_PROBE(pit_kube_eviction_probe);
PIT_KUBE_PROBE(pit_kube_hugepages_probe);
PIT_KUBE_PROBE(pit_kube_checkpoint_probe);
PIT_KUBE_PROBE(pit_kube_image_gc_probe);
PIT_KUBE_PROBE(pit_kube_swap_probe);
PIT_KUBE_PROBE(pit_kube_pids_probe);
PIT_KUBE_PROBE(pit_kube_spread_probe);

#endif
