/* SPDX-License-Identifier: MIT
 *
 * Variables by which libraries and launchers bind processes and threads once more.
 */
#include <string.h>
#include <strings.h>

#include "launch/environment.h"

enum when {
	WHEN_SET,  /* any value but an empty one */
	WHEN_ON,   /* any value that does not say no */
	WHEN_HAS,  /* a value with `part` in it */
	WHEN_LIST, /* ... and a comma behind it: one entry for each task; a single one is the same for all */
	WHEN_ONLY, /* this value */
};

static const struct {
	const char *name;
	enum when when;
	const char *part;
	const char *says; /* behind "NAME=VALUE: " */
} rebinders[] = {
	{.name = "KMP_AFFINITY",
	 .when = WHEN_ON,
	 .says = "the OpenMP of Intel and LLVM binds its threads again, outside of the rank's CPUs too when it lists CPUs "
		 "or says norespect"},
	{.name = "KMP_HW_SUBSET",
	 .when = WHEN_SET,
	 .says = "the OpenMP of Intel and LLVM counts sockets and cores of the whole host, not of the rank"},
	{.name = "GOMP_CPU_AFFINITY",
	 .when = WHEN_SET,
	 .says = "the OpenMP of GCC binds its threads to these CPUs, whatever the rank has"},
	{.name = "OMP_PLACES",
	 .when = WHEN_HAS,
	 .part = "{",
	 .says = "OpenMP binds its threads to these CPUs; they are the same for all ranks"},
	{.name = "OMP_PROC_BIND",
	 .when = WHEN_ON,
	 .says = "OpenMP binds each thread inside of the rank's CPUs; ranks that share CPUs take the same ones first"},
	{.name = "I_MPI_PIN",
	 .when = WHEN_ON,
	 .says = "Intel MPI binds its ranks again in MPI_Init; I_MPI_PIN=0 leaves that to us"},
	{.name = "I_MPI_PIN_DOMAIN",
	 .when = WHEN_SET,
	 .says = "Intel MPI binds its ranks again in MPI_Init; I_MPI_PIN=0 leaves that to us"},
	{.name = "I_MPI_PIN_PROCESSOR_LIST",
	 .when = WHEN_SET,
	 .says = "Intel MPI binds its ranks again in MPI_Init; I_MPI_PIN=0 leaves that to us"},
	{.name = "MV2_ENABLE_AFFINITY",
	 .when = WHEN_ON,
	 .says = "MVAPICH binds its ranks again in MPI_Init; 0 leaves that to us"},
	{.name = "MV2_CPU_MAPPING", .when = WHEN_SET, .says = "MVAPICH binds its ranks again in MPI_Init"},
	{.name = "MVP_ENABLE_AFFINITY",
	 .when = WHEN_ON,
	 .says = "MVAPICH binds its ranks again in MPI_Init; 0 leaves that to us"},
	{.name = "CCL_WORKER_AFFINITY",
	 .when = WHEN_SET,
	 .says = "oneCCL binds its workers by this, whatever the rank has"},
	{.name = "SLURM_CPU_BIND",
	 .when = WHEN_LIST,
	 .part = "cpu:",
	 .says = "srun has bound this task already, and a task sees only what it got; srun --cpu-bind=none leaves that to us"},
	{.name = "SLURM_MEM_BIND",
	 .when = WHEN_HAS,
	 .part = "mem:",
	 .says = "srun has bound the memory of this task already; srun --mem-bind=none leaves that to us"},
	{.name = "TLLM_NUMA_AWARE_WORKER_AFFINITY",
	 .when = WHEN_ONLY,
	 .part = "1",
	 .says = "TensorRT-LLM binds its workers to the whole node of their GPU; 0 leaves that to us"},
	{.name = "SGLANG_SET_CPU_AFFINITY",
	 .when = WHEN_ON,
	 .says = "SGLang binds its workers by the number of their GPU, whatever the rank has"},
	{.name = "VLLM_CPU_OMP_THREADS_BIND",
	 .when = WHEN_ON,
	 .says = "vLLM on CPUs binds its threads again; nobind leaves that to us"},
	{.name = "SGLANG_CPU_OMP_THREADS_BIND", .when = WHEN_SET, .says = "SGLang on CPUs binds its threads to these"},
	{.name = "ACCELERATE_CPU_AFFINITY",
	 .when = WHEN_ON,
	 .says = "accelerate binds its process to all CPUs near the GPU with the rank's number"},
	{.name = "DALI_AFFINITY_MASK",
	 .when = WHEN_SET,
	 .says = "DALI binds its threads to these CPUs, the same in all ranks"},
	{.name = "HOROVOD_THREAD_AFFINITY",
	 .when = WHEN_SET,
	 .says = "Horovod binds the thread that talks to other ranks to one of these CPUs"},
	{.name = "NCCL_IGNORE_CPU_AFFINITY",
	 .when = WHEN_ON,
	 .says = "NCCL's threads go to any CPU near the GPU, also to those of other ranks"},
};

static bool matters(const char *value, enum when when, const char *part)
{
	static const char *const no[] = {"0", "no", "none", "off", "false", "disable", "disabled", "nobind", "n", "f"};

	if (!*value)
		return false;
	if (when == WHEN_HAS)
		return strstr(value, part);
	if (when == WHEN_LIST)
		return strstr(value, part) && strchr(strstr(value, part), ',');
	if (when == WHEN_ONLY)
		return !strcmp(value, part);
	for (size_t i = 0; i < PIT_COUNT(no) && when == WHEN_ON; i++)
		if (!strcasecmp(value, no[i]))
			return false;
	return true;
}

int pit_env_rebinders(char **variables, struct pit_strv *ret)
{
	for (size_t i = 0; i < PIT_COUNT(rebinders); i++) {
		const char *value = pit_environ_get(variables, rebinders[i].name);

		if (value && matters(value, rebinders[i].when, rebinders[i].part) &&
		    pit_strv_addf(ret, "%s=%.80s: %s", rebinders[i].name, value, rebinders[i].says))
			return -ENOMEM;
	}
	return 0;
}
