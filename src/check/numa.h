/* SPDX-License-Identifier: MIT
 *
 * Probes of the numa rows. Private to check/numa*.c.
 */
#ifndef PIT_CHECK_NUMA_H
#define PIT_CHECK_NUMA_H

#include "check/facts.h"

#define PIT_NUMA_PROBE(name)                                                                                           \
	int name(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)

/* numa_traffic.c: what the counters say */
PIT_NUMA_PROBE(pit_numa_balancing);
PIT_NUMA_PROBE(pit_numa_misses);
PIT_NUMA_PROBE(pit_numa_other_node);
PIT_NUMA_PROBE(pit_numa_node_full);
PIT_NUMA_PROBE(pit_numa_demotion);

/* numa_shape.c: how the nodes are made, and what we may use of them */
PIT_NUMA_PROBE(pit_numa_balance_of_memory);
PIT_NUMA_PROBE(pit_numa_memoryless);
PIT_NUMA_PROBE(pit_numa_far_memory);
PIT_NUMA_PROBE(pit_numa_gpu_memory);
PIT_NUMA_PROBE(pit_numa_contradictions);
PIT_NUMA_PROBE(pit_numa_allowed);
PIT_NUMA_PROBE(pit_numa_distances);
PIT_NUMA_PROBE(pit_numa_placer);

/* numa_devices.c: where the devices hang */
PIT_NUMA_PROBE(pit_numa_device_unknown);
PIT_NUMA_PROBE(pit_numa_device_cpuless);
PIT_NUMA_PROBE(pit_numa_gpu_nic);
PIT_NUMA_PROBE(pit_numa_gpu_cpus);

#endif
