/* SPDX-License-Identifier: MIT
 *
 * Probes of the numa rows. Private to check/numa*.c.
 */
#ifndef PIT_CHECK_NUMA_H
#define PIT_CHECK_NUMA_H

#include "check/facts.h"

/* numa_traffic.c: what the counters say */
pit_probe pit_numa_balancing, pit_numa_misses, pit_numa_other_node, pit_numa_node_full, pit_numa_demotion;

/* numa_shape.c: how the nodes are made, and what we may use of them */
pit_probe pit_numa_balance_of_memory, pit_numa_memoryless, pit_numa_far_memory, pit_numa_gpu_memory,
	pit_numa_contradictions, pit_numa_allowed, pit_numa_distances, pit_numa_placer;

/* numa_devices.c: where the devices hang */
pit_probe pit_numa_device_unknown, pit_numa_device_cpuless, pit_numa_gpu_nic, pit_numa_gpu_cpus;

#endif
