/* SPDX-License-Identifier: MIT
 *
 * Rows about the environment of a process: caches, allocators, communication.
 */
#include "check/env.h"

#include "check/catalog.h"

const struct pit_check pit_check_env_frameworks[] = {
	{
		.id = "env.hf-home",
		.title = "Hugging Face cache",
		.why = "Models of tens of GB are fetched and unpacked there, and a full disk ends the job in the "
		       "middle of it. On a network disk all ranks read the same file at start.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_cache_probe,
		.arg = &(const struct pit_env_cache){.names = {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
							       "HF_DATASETS_CACHE", "TRANSFORMERS_CACHE"},
						     .home = ".cache/huggingface"},
		.remedy = "Point HF_HOME at a local disk with room.",
		.source = "Hugging Face Hub documentation",
		.refs = "https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables",
	},
	{
		.id = "env.transformers-cache",
		.title = "Old names of the model cache",
		.why = "Current libraries no longer read these names or warn at each start, and the cache then "
		       "is in the home directory. Quotas there fill up with the first large model.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "TRANSFORMERS_CACHE", .bad = "*", .what = "use HF_HOME"},
				{.name = "PYTORCH_TRANSFORMERS_CACHE", .bad = "*", .what = "use HF_HOME"},
				{.name = "PYTORCH_PRETRAINED_BERT_CACHE", .bad = "*", .what = "use HF_HOME"},
				{.name = "HUGGINGFACE_HUB_CACHE", .bad = "*", .what = "use HF_HUB_CACHE"},
				{.name = NULL}},
		.remedy = "Set HF_HOME in their place.",
		.source = "transformers: TRANSFORMERS_CACHE is deprecated, HF_HOME since 4.36",
		.refs = "https://huggingface.co/docs/transformers/installation",
	},
	{
		.id = "env.torch-home",
		.title = "PyTorch hub cache",
		.why = "Weights from torch.hub are kept there, and a full disk ends the job while it fetches "
		       "them. On a network disk every rank waits for the same file.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_cache_probe,
		.arg = &(const struct pit_env_cache){.names = {"TORCH_HOME"}, .home = ".cache/torch"},
		.remedy = "Point TORCH_HOME at a local disk with room.",
		.source = "PyTorch documentation",
		.refs = "https://docs.pytorch.org/docs/stable/hub.html",
	},
	{
		.id = "env.xdg-cache-home",
		.title = "XDG_CACHE_HOME",
		.why = "Every cache without a variable of its own goes there: pip, Triton, vLLM, matplotlib. A "
		       "full or slow disk is felt by all of them at the start of each process.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_cache_probe,
		.arg = &(const struct pit_env_cache){.names = {"XDG_CACHE_HOME", "VLLM_CACHE_ROOT"}},
		.remedy = "Point XDG_CACHE_HOME at a local disk with room.",
		.source = "XDG base directory specification",
		.refs = "https://specifications.freedesktop.org/basedir-spec/latest/",
	},
	{
		.id = "env.compile-cache",
		.title = "Caches of compiled kernels",
		.why = "Triton, Inductor and CUDA keep compiled kernels in many small files with locks, which is "
		       "slow and breaks on network disks. Hundreds of ranks that start together then wait for "
		       "one server or read half-written files.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_cache_probe,
		.arg = &(const struct pit_env_cache){.names = {"TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR",
							       "TORCH_EXTENSIONS_DIR", "CUDA_CACHE_PATH"},
						     .home = ".triton",
						     .compiles = true},
		.remedy = "Point TRITON_CACHE_DIR, TORCHINDUCTOR_CACHE_DIR, TORCH_EXTENSIONS_DIR and "
			  "CUDA_CACHE_PATH at a local disk.",
		.source = "Triton: cache on NFS; PyTorch Inductor",
		.refs = "https://docs.pytorch.org/tutorials/recipes/torch_compile_caching_tutorial.html",
	},
	{
		.id = "env.pytorch-alloc-conf",
		.title = "Options of PyTorch's allocator",
		.why = "PyTorch stops at an unknown option or a bad value when the first tensor goes to the GPU. "
		       "An option that has no effect with the backend leaves fragmentation, and out-of-memory "
		       "errors, as they were.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_alloc_conf_probe,
		.remedy = "Write key:value pairs with commas, for example expandable_segments:True.",
		.source = "PyTorch CUDA semantics",
		.refs = "https://docs.pytorch.org/docs/stable/notes/cuda.html",
	},
	{
		.id = "env.pytorch-alloc-names",
		.title = "Names of PyTorch's allocator options",
		.why = "PyTorch 2.9 reads PYTORCH_ALLOC_CONF first and keeps PYTORCH_CUDA_ALLOC_CONF as its old "
		       "name. With both set to different values two versions of PyTorch behave differently on "
		       "the same host.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_alloc_names_probe,
		.remedy = "Keep one of the two, or give both the same value.",
		.source = "PyTorch 2.9 release notes",
		.refs = "https://docs.pytorch.org/docs/stable/notes/cuda.html",
	},
	{
		.id = "env.tf-gpu-growth",
		.title = "TF_FORCE_GPU_ALLOW_GROWTH",
		.why = "TensorFlow takes only true and false; 1 is ignored with an error line, and it then takes "
		       "all GPU memory at start. Other processes on that GPU run out of memory.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg = (const struct pit_env_flag[]){{.name = "TF_FORCE_GPU_ALLOW_GROWTH",
						      .good = "true false",
						      .what = "only true and false are read"},
						     {.name = NULL}},
		.remedy = "Set TF_FORCE_GPU_ALLOW_GROWTH=true.",
		.source = "TensorFlow GPU guide",
		.refs = "https://www.tensorflow.org/guide/gpu",
	},
	{
		.id = "env.xla-memory",
		.title = "Memory options of JAX",
		.why = "JAX takes 75 % of GPU memory at start unless a share says otherwise; a share above 1 or "
		       "with a percent sign is refused or means another thing. The allocator platform frees and "
		       "asks for memory at each operation.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_xla_probe,
		.remedy = "Set XLA_PYTHON_CLIENT_MEM_FRACTION to a number such as .75 and unset "
			  "XLA_PYTHON_CLIENT_ALLOCATOR.",
		.source = "JAX GPU memory allocation",
		.refs = "https://docs.jax.dev/en/latest/gpu_memory_allocation.html",
	},
	{
		.id = "env.malloc-conf",
		.title = "MALLOC_CONF",
		.why = "jemalloc prints a line for an unknown option and goes on without it, and other "
		       "allocators do not read the variable. The memory that was to be saved is then still used.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_malloc_conf_probe,
		.remedy = "Correct the options, and preload jemalloc.",
		.source = "jemalloc manual",
		.refs = "https://jemalloc.net/jemalloc.3.html",
	},
	{
		.id = "env.tcmalloc",
		.title = "TCMALLOC_* variables",
		.why = "They have an effect only where tcmalloc is loaded, so the setting is not in force. "
		       "Memory of data loaders grows as before while everybody believes it is limited.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_env_tcmalloc_probe,
		.remedy = "Preload libtcmalloc, or unset the variables.",
		.source = "gperftools documentation",
		.refs = "https://github.com/gperftools/gperftools/blob/master/docs/tcmalloc.adoc",
	},
	{
		.id = "env.malloc-arenas",
		.title = "MALLOC_ARENA_MAX",
		.why = "One arena makes all threads of a process wait for one lock when they allocate. It saves "
		       "memory on small machines and costs data loading time on large ones.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_env_arenas_probe,
		.remedy = "Set MALLOC_ARENA_MAX to 2 or 4, or preload jemalloc.",
		.source = "mallopt(3)",
		.refs = "https://man7.org/linux/man-pages/man3/mallopt.3.html",
	},
	{
		.id = "env.nccl-ifname",
		.title = "Network interfaces of NCCL and Gloo",
		.why = "Ranks find each other over these interfaces, and with a name that does not exist here "
		       "NCCL stops with no socket interface found. Over loopback or a bridge of containers other "
		       "hosts cannot be reached.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_ifname_probe,
		.remedy = "Name an interface of the cluster network (ip -br addr), or exclude with ^lo,docker.",
		.source = "NCCL environment variables",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
	{
		.id = "env.nccl-ib-hca",
		.title = "RDMA devices of NCCL",
		.why = "Devices that are not here are left out silently, and with none left NCCL goes over TCP "
		       "at a tenth of the speed. Names differ between hosts after a kernel or firmware update.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_ib_hca_probe,
		.remedy = "Name devices of /sys/class/infiniband, with = for exact names.",
		.source = "NCCL environment variables; stas00 ml-engineering",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
	{
		.id = "env.nccl-files",
		.title = "Files that NCCL is told to read",
		.why = "A topology or tuner file that is missing is skipped with one line in the log, and the "
		       "algorithm choice is then another. Images for other machine types leave such paths "
		       "behind.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_nccl_files_probe,
		.remedy = "Correct the path or unset the variable.",
		.source = "azurehpc-health-checks#142; NCCL environment variables",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
	{
		.id = "env.nccl-off",
		.title = "Parts of NCCL are switched off",
		.why = "These switches are for finding faults; left on they take away NVLink, RDMA or shared "
		       "memory. NVLS alone is worth about a quarter of all-reduce speed on 8 GPUs, though some "
		       "recipes give it up for memory.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_env_nccl_off_probe,
		.remedy = "Unset the variable, and fix what it was set against.",
		.source = "stas00 ml-engineering network: 480 against 367 GB/s",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
	{
		.id = "env.nccl-debug",
		.title = "NCCL_DEBUG",
		.why = "INFO and TRACE print thousands of lines for each rank at start, and TRACE at each call. "
		       "Logs on network disks and log shippers slow the ranks down.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "NCCL_DEBUG", .good = "WARN VERSION", .what = "each rank logs much"},
				{.name = NULL}},
		.remedy = "Set NCCL_DEBUG=WARN.",
		.source = "awsome-distributed-training p6 templates",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html",
	},
	{
		.id = "env.torch-nccl-names",
		.title = "Old names of PyTorch's NCCL options",
		.why = "PyTorch 2.2 and later read names that begin with TORCH_NCCL_ and print a warning for the "
		       "old names, which later versions drop. The protection against hanging collectives that "
		       "was meant is then not in force.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "NCCL_ASYNC_ERROR_HANDLING",
				 .bad = "*",
				 .what = "now TORCH_NCCL_ASYNC_ERROR_HANDLING"},
				{.name = "NCCL_BLOCKING_WAIT", .bad = "*", .what = "now TORCH_NCCL_BLOCKING_WAIT"},
				{.name = "NCCL_DESYNC_DEBUG", .bad = "*", .what = "now TORCH_NCCL_DESYNC_DEBUG"},
				{.name = "NCCL_ENABLE_TIMING", .bad = "*", .what = "now TORCH_NCCL_ENABLE_TIMING"},
				{.name = "NCCL_AVOID_RECORD_STREAMS",
				 .bad = "*",
				 .what = "now TORCH_NCCL_AVOID_RECORD_STREAMS"},
				{.name = NULL}},
		.remedy = "Put TORCH_ in front of the name.",
		.source = "PyTorch ProcessGroupNCCL environment variables",
		.refs = "https://docs.pytorch.org/docs/stable/torch_nccl_environment_variables.html",
	},
	{
		.id = "env.torch-debug",
		.title = "Debugging of PyTorch left on",
		.why = "These options wait for each collective, check every shape across ranks or allocate GPU "
		       "memory from the driver each time. They cost a large part of the speed, and without error "
		       "handling a lost rank hangs the job.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "TORCH_DISTRIBUTED_DEBUG",
				 .bad = "DETAIL",
				 .what = "collectives are checked across ranks"},
				{.name = "TORCH_NCCL_BLOCKING_WAIT", .bad = "1", .what = "each wait blocks the CPU"},
				{.name = "TORCH_NCCL_ASYNC_ERROR_HANDLING",
				 .bad = "0",
				 .what = "a lost rank hangs the job"},
				{.name = "TORCH_NCCL_ENABLE_MONITORING",
				 .bad = "0",
				 .what = "a stuck watchdog is not noticed"},
				{.name = "TORCH_CPP_LOG_LEVEL", .bad = "INFO", .what = "much output"},
				{.name = "PYTORCH_NO_CUDA_MEMORY_CACHING",
				 .bad = "1",
				 .what = "each tensor is a cudaMalloc"},
				{.name = "JAX_DISABLE_JIT", .bad = "1 true", .what = "nothing is compiled"},
				{.name = NULL}},
		.remedy = "Unset them after the search for the fault.",
		.source = "PyTorch distributed documentation",
		.refs = "https://docs.pytorch.org/docs/stable/distributed.html",
	},
	{
		.id = "env.efa",
		.title = "Variables of EFA",
		.why = "FI_PROVIDER=efa on a host without EFA makes libfabric and the NCCL plugin fail or fall "
		       "back to TCP. Settings for old kernels slow memory registration on newer ones.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_efa_probe,
		.remedy = "Set them only on instances with EFA, and drop FI_EFA_FORK_SAFE on kernels from 5.13.",
		.source = "awsome-distributed-training; libfabric fi_efa(7)",
		.refs = "https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html",
	},
	{
		.id = "env.ucx",
		.title = "UCX_NET_DEVICES",
		.why = "UCX refuses to start with a device that is not here, or uses only the rest. Names with a "
		       "port belong to RDMA devices, names without to network interfaces.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_ucx_probe,
		.remedy = "Name devices that ucx_info -d lists.",
		.command = "ucx_info -d",
		.source = "UCX documentation",
		.refs = "https://openucx.readthedocs.io/en/master/faq.html",
	},
	{
		.id = "env.ranks",
		.title = "Variables of a distributed job",
		.why = "Ranks wait for each other until all have come, so a wrong rank, size or address ends in "
		       "a timeout after 10 to 30 minutes. Values left in a shell from an earlier job are the "
		       "usual cause.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_ranks_probe,
		.remedy = "Start ranks by torchrun or srun, and unset RANK, WORLD_SIZE and MASTER_ADDR in "
			  "interactive shells.",
		.source = "PyTorch distributed: environment variable initialization",
		.refs = "https://docs.pytorch.org/docs/stable/distributed.html",
	},
	{.id = NULL},
};
