/* SPDX-License-Identifier: MIT */
#include "check/env_names.h"

#include <string.h>

static const char *const kept[] = {
	"PATH",
	"LD_LIBRARY_PATH",
	"LD_PRELOAD",
	"PYTHONPATH",
	"PYTHONHASHSEED",
	"SHELL",
	"HOME",
	"TMPDIR",
	"LANG",
	"CUDA_*",
	"NVIDIA_*",
	"NCCL_*",
	"NVSHMEM_*",
	"UCX_*",
	"FI_*",
	"ROCR_VISIBLE_DEVICES",
	"HIP_VISIBLE_DEVICES",
	"ZE_AFFINITY_MASK",
	"OMP_*",
	"GOMP_*",
	"KMP_*",
	"MKL_NUM_THREADS",
	"MKL_DYNAMIC",
	"OPENBLAS_NUM_THREADS",
	"NUMEXPR_NUM_THREADS",
	"VECLIB_MAXIMUM_THREADS",
	"TOKENIZERS_PARALLELISM",
	"HF_HOME",
	"HF_DATASETS_CACHE",
	"HUGGINGFACE_HUB_CACHE",
	"TRANSFORMERS_CACHE",
	"TORCH_HOME",
	"TORCH_EXTENSIONS_DIR",
	"TRITON_CACHE_DIR",
	"XDG_CACHE_HOME",
	"PYTORCH_ALLOC_CONF",
	"PYTORCH_CUDA_ALLOC_CONF",
	"PYTORCH_HIP_ALLOC_CONF",
	"TORCH_NCCL_*",
	"TORCH_DISTRIBUTED_DEBUG",
	"TF_FORCE_GPU_ALLOW_GROWTH",
	"TF_GPU_ALLOCATOR",
	"XLA_PYTHON_CLIENT_*",
	"MALLOC_CONF",
	"MALLOC_ARENA_MAX",
	"TCMALLOC_*",
	"COMPUTE_PROFILE",
	"OPENCL_PROFILE",
	"NSIGHT_CUDA_DEBUGGER",
	"RANK",
	"WORLD_SIZE",
	"LOCAL_RANK",
	"LOCAL_WORLD_SIZE",
	"MASTER_PORT",
	"SLURM_JOB_ID",
	"SLURM_CPUS_PER_TASK",
	"SLURM_CPUS_ON_NODE",
	"SLURM_MEM_PER_NODE",
	"SLURM_GPUS_ON_NODE",
	"KUBERNETES_PORT",
	"container",
};

bool pit_env_is_kept(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		size_t n = strlen(kept[i]);
		bool prefix = kept[i][n - 1] == '*';

		if (prefix ? len >= n - 1 && !strncmp(name, kept[i], n - 1) : len == n && !strncmp(name, kept[i], n))
			return true;
	}
	return false;
}
