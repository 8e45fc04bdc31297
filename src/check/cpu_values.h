/* SPDX-License-Identifier: MIT
 *
 * One file of every CPU's directory under /sys/devices/system/cpu, grouped by what it holds, so that a row can say
 * which CPUs differ. Private to check/.
 */
#ifndef PIT_CHECK_CPU_VALUES_H
#define PIT_CHECK_CPU_VALUES_H

#include "base/idset.h"
#include "host/root.h"

#define PIT_CPU_VALUES_MAX 16

struct pit_cpu_value {
	char text[64]; /* "..." in the last group: all that found no room */
	struct pit_idset cpus;
};

struct pit_cpu_values {
	struct pit_cpu_value item[PIT_CPU_VALUES_MAX];
	size_t count;
	size_t cpus; /* CPUs that have the file */
};

/* Online CPUs; where the kernel does not list them, those that have a directory. -ENOENT neither. *ret must be empty.
 */
int pit_cpus_online(struct pit_root *root, struct pit_idset *ret);

/* `leaf` such as "cpufreq/scaling_governor". -ENOENT: no CPU has it; another -errno: the first that could not be read.
 * *ret must be all-zero. */
int pit_cpu_values_load(struct pit_root *root, const char *leaf, struct pit_cpu_values *ret);
void pit_cpu_values_free(struct pit_cpu_values *v);
#define pit_auto_cpu_values PIT_CLEANUP(pit_cpu_values_free)

#endif
