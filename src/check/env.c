/* SPDX-License-Identifier: MIT
 *
 * Rows about the environment of a process: paths, GPUs, threads. Their probes are in env_*.c.
 */
#include "check/env.h"

#include "check/catalog.h"

const struct pit_check pit_check_env[] = {
	{
		.id = "env.path",
		.title = "PATH",
		.why = "An empty or relative entry runs programs from whatever directory a job starts in, and "
		       "one that everybody may write lets others decide what runs. Entries of tools that are "
		       "gone make a job fall back to another version without a word.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_path_probe,
		.remedy = "Remove the entry from PATH in the shell start-up file or the module that adds it.",
		.source = "this program",
	},
	{
		.id = "env.nvcc",
		.title = "CUDA compiler on PATH",
		.why = "With several toolkits on PATH extensions are compiled by the first, and then fail to "
		       "load into a framework built for another. It shows as undefined symbols or an unsupported "
		       "GPU at the first kernel.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_nvcc_probe,
		.remedy = "Leave one toolkit on PATH, the one that CUDA_HOME names.",
		.source = "this program",
	},
	{
		.id = "env.ld-library-path",
		.title = "LD_LIBRARY_PATH",
		.why = "An empty entry, as a colon at the end makes one, lets programs load libraries from the "
		       "current directory. Directories that are gone are searched at each start for each "
		       "library, slowly on network disks.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_library_path_probe,
		.remedy = "Remove the entry, and write ${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} where it is extended.",
		.source = "ld.so(8)",
		.refs = "https://man7.org/linux/man-pages/man8/ld.so.8.html",
	},
	{
		.id = "env.libcuda-stub",
		.title = "CUDA stub library is not used",
		.why = "The stub libcuda in lib64/stubs is for linking only, and every call of it fails. A "
		       "program that loads it finds no GPU although the driver works.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_stub_probe,
		.remedy = "Remove the stubs directory from LD_LIBRARY_PATH; use it with -L at link time only.",
		.source = "NVIDIA CUDA installation guide",
		.refs = "https://docs.nvidia.com/cuda/cuda-installation-guide-linux/",
	},
	{
		.id = "env.libcuda-version",
		.title = "libcuda fits the kernel driver",
		.why = "libcuda must be of the version of the loaded kernel module, but for newer ones of the "
		       "compatibility package. Another one ends in CUDA error 803 or a GPU that is not found, "
		       "often in containers after a driver update on the host.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = pit_env_libcuda_probe,
		.remedy = "Remove the directory from LD_LIBRARY_PATH, or install the compatibility package that is "
			  "newer than the driver.",
		.source = "NVIDIA CUDA compatibility",
		.refs = "https://docs.nvidia.com/deploy/cuda-compatibility/",
	},
	{
		.id = "env.cuda-home",
		.title = "CUDA_HOME and CUDA_PATH",
		.why = "Builds of extensions take compiler and headers from there, and a toolkit of a newer "
		       "major version than the driver serves makes programs that do not start. It shows hours "
		       "later, when the extension is first used.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_cuda_home_probe,
		.remedy = "Point CUDA_HOME at a toolkit that exists and that the driver serves, and unset "
			  "CUDA_PATH.",
		.source = "NVIDIA CUDA compatibility: minor versions within a major one",
		.refs = "https://docs.nvidia.com/deploy/cuda-compatibility/",
	},
	{
		.id = "env.pythonpath",
		.title = "PYTHONPATH",
		.why = "Entries of another Python version or of the current directory replace packages of the "
		       "environment by others. The job then runs code or versions that nobody installed for it.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_pythonpath_probe,
		.remedy = "Unset PYTHONPATH and install packages into the environment.",
		.source = "Python manual",
		.refs = "https://docs.python.org/3/using/cmdline.html",
	},
	{
		.id = "env.ld-preload",
		.title = "LD_PRELOAD",
		.why = "The loader prints an error for a missing file at each program start and goes on without "
		       "it. The allocator or the tracer that was meant to be used is then not there.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_preload_probe,
		.remedy = "Correct the path or unset LD_PRELOAD.",
		.source = "ld.so(8)",
		.refs = "https://man7.org/linux/man-pages/man8/ld.so.8.html",
	},
	{
		.id = "env.tmpdir",
		.title = "TMPDIR",
		.why = "Compilers of kernels, DataLoader and pip write there; a missing or full directory ends "
		       "the job, and one mounted noexec keeps compiled code from loading. On a network disk each "
		       "of these steps waits for the server.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_tmpdir_probe,
		.remedy = "Point TMPDIR at a local directory with room.",
		.source = "this program: 5 % and 2 GiB free",
	},
	{
		.id = "env.cuda-visible-devices",
		.title = "CUDA_VISIBLE_DEVICES",
		.why = "CUDA cuts the list at its first bad entry without a message, so a job runs with fewer "
		       "GPUs or with none. Several jobs on one GPU, or ranks that find no device, are the "
		       "result.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA,
		.probe = pit_env_visible_probe,
		.remedy = "Give each device once, by UUID, or let the scheduler set the variable.",
		.source = "CUDA programming guide",
		.refs = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html",
	},
	{
		.id = "env.rocm-visible-devices",
		.title = "ROCR_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES",
		.why = "The two apply one after the other, and the second counts within what the first leaves. "
		       "Set to the same list both leave fewer GPUs than were asked for.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_env_rocm_visible_probe,
		.remedy = "Set only one of them, ROCR_VISIBLE_DEVICES in containers and under schedulers.",
		.source = "ROCm documentation: GPU isolation",
		.refs = "https://rocm.docs.amd.com/en/latest/conceptual/gpu-isolation.html",
	},
	{
		.id = "env.cuda-device-order",
		.title = "CUDA_DEVICE_ORDER",
		.why = "CUDA puts the fastest GPU first, nvidia-smi orders by PCI address. On hosts with "
		       "different models index 0 is then not the same GPU for both, and jobs land on the wrong "
		       "one.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA,
		.probe = pit_env_device_order_probe,
		.remedy = "Set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name GPUs by UUID.",
		.source = "CUDA programming guide",
		.refs = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html",
	},
	{
		.id = "env.nvidia-visible-devices",
		.title = "NVIDIA_VISIBLE_DEVICES",
		.why = "The container toolkit reads it when a container is made: none and the empty value give "
		       "no GPU, all gives every one. In a pod all can mean GPUs that belong to others.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_env_nvidia_visible_probe,
		.remedy = "Leave it to the device plugin; remove it from the image.",
		.source = "NVIDIA container toolkit",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html",
	},
	{
		.id = "env.nvidia-driver-capabilities",
		.title = "NVIDIA_DRIVER_CAPABILITIES",
		.why = "It chooses which libraries of the driver come into a container. Without compute there is "
		       "no libcuda, and without utility no NVML for monitoring and for NCCL.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_CONTAINER,
		.probe = pit_env_capabilities_probe,
		.remedy = "Set NVIDIA_DRIVER_CAPABILITIES=compute,utility.",
		.source = "NVIDIA container toolkit",
		.refs = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html",
	},
	{
		.id = "env.cuda-launch-blocking",
		.title = "CUDA_LAUNCH_BLOCKING",
		.why = "With 1 each kernel launch waits until the kernel is done, so CPU and GPU never overlap. "
		       "It is for finding errors, and left on it costs a large part of the speed.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "CUDA_LAUNCH_BLOCKING", .bad = "1", .what = "every launch waits"},
				{.name = NULL}},
		.remedy = "Unset CUDA_LAUNCH_BLOCKING.",
		.command = "unset CUDA_LAUNCH_BLOCKING",
		.source = "CUDA programming guide",
		.refs = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html",
	},
	{
		.id = "env.gpu-debug",
		.title = "Debugging and profiling of GPUs",
		.why = "These variables load debuggers and profilers into each process or stop it at an "
		       "exception. Left over from a session they slow every later run.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg =
			(const struct pit_env_flag[]){
				{.name = "NSIGHT_CUDA_DEBUGGER", .bad = "*", .what = "a debugger is attached"},
				{.name = "CUDA_INJECTION32_PATH", .bad = "*", .what = "a library is loaded into CUDA"},
				{.name = "CUDA_INJECTION64_PATH", .bad = "*", .what = "a library is loaded into CUDA"},
				{.name = "CUDA_AUTO_BOOST", .bad = "*", .what = "clocks are not the default"},
				{.name = "CUDA_COREDUMP_FILE", .bad = "*", .what = "GPU core dumps"},
				{.name = "COMPUTE_PROFILE", .bad = "*", .what = "the profiler is on"},
				{.name = "OPENCL_PROFILE", .bad = "*", .what = "the profiler is on"},
				{.name = "CUDA_ENABLE_COREDUMP_ON_EXCEPTION", .bad = "1", .what = "GPU core dumps"},
				{.name = "CUDA_DEVICE_WAITS_ON_EXCEPTION",
				 .bad = "1",
				 .what = "the GPU waits for a debugger"},
				{.name = "CUDA_PROFILE", .bad = "1", .what = "the profiler is on"},
				{.name = NULL}},
		.remedy = "Unset them.",
		.source = "dcgm nvvs/src/Software.cpp",
		.refs = "https://docs.nvidia.com/datacenter/dcgm/latest/user-guide/dcgm-diagnostics.html",
	},
	{
		.id = "env.cuda-module-loading",
		.title = "CUDA_MODULE_LOADING",
		.why = "EAGER loads every kernel of every library at start: seconds and hundreds of MiB of GPU "
		       "memory for each process. In training LAZY, the default since CUDA 12.2, loses nothing; "
		       "servers may want EAGER against a slow first request.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.probe = pit_env_flags_probe,
		.arg = (const struct pit_env_flag[]){{.name = "CUDA_MODULE_LOADING",
						      .good = "LAZY DEFAULT",
						      .what = "all kernels are loaded at start"},
						     {.name = NULL}},
		.remedy = "Unset CUDA_MODULE_LOADING or set it to LAZY.",
		.source = "CUDA programming guide: lazy loading",
		.refs = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html",
	},
	{
		.id = "env.cuda-cache",
		.title = "CUDA cache of compiled kernels",
		.why = "With the cache switched off each start compiles kernels again for GPUs that the binary "
		       "was not built for. That takes minutes for each process, and all ranks do it at once.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_flags_probe,
		.arg = (const struct pit_env_flag[]){{.name = "CUDA_CACHE_DISABLE",
						      .bad = "1",
						      .what = "kernels are compiled at each start"},
						     {.name = NULL}},
		.remedy = "Unset CUDA_CACHE_DISABLE.",
		.source = "CUDA programming guide: environment variables",
		.refs = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html",
	},
	{
		.id = "env.mps",
		.title = "Variables of MPS",
		.why = "With CUDA_MPS_PIPE_DIRECTORY pointing nowhere CUDA runs without MPS, and processes that "
		       "share a GPU take turns in place of running together. A wrong share is refused at start.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVIDIA,
		.probe = pit_env_mps_probe,
		.remedy = "Start nvidia-cuda-mps-control with the same CUDA_MPS_PIPE_DIRECTORY, or unset it.",
		.source = "NVIDIA MPS documentation",
		.refs = "https://docs.nvidia.com/deploy/mps/index.html",
	},
	{
		.id = "env.omp-threads",
		.title = "OMP_NUM_THREADS",
		.why = "Threads of all ranks together should fit the CPUs: more make them wait for each other, 1 "
		       "(which torchrun sets) leaves CPU operators on one core. It hurts most in data "
		       "preparation and CPU offload.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_omp_threads_probe,
		.remedy = "Set OMP_NUM_THREADS to the CPUs of a rank, less those for its DataLoader workers.",
		.source = "PyTorch performance tuning guide",
		.refs = "https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html",
	},
	{
		.id = "env.blas-threads",
		.title = "Threads of MKL, OpenBLAS and NumExpr",
		.why = "Each library starts its own threads in each rank and worker, and these variables win "
		       "over OMP_NUM_THREADS. More threads than CPUs make NumPy code in data loading slower than "
		       "one thread would.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_blas_threads_probe,
		.remedy = "Set them to the CPUs of a rank, or to 1 in DataLoader workers.",
		.source = "oneMKL and OpenBLAS documentation",
	},
	{
		.id = "env.omp-affinity",
		.title = "Binding by OpenMP",
		.why = "CPUs outside of the allowed set are refused or ignored, and the threads of several ranks "
		       "pile up on the same cores. It happens when a setting for a whole host is used inside of "
		       "a job.",
		.area = PIT_AREA_ENV,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_env_omp_affinity_probe,
		.remedy = "Unset the variable and bind ranks by the launcher, or name CPUs of the allowed set.",
		.source = "libgomp and Intel OpenMP documentation",
		.refs = "https://gcc.gnu.org/onlinedocs/libgomp/Environment-Variables.html",
	},
	{
		.id = "env.tokenizers",
		.title = "TOKENIZERS_PARALLELISM",
		.why = "With true the tokenizer uses threads in processes that DataLoader forks afterwards, "
		       "which can hang. Left alone it switches itself off there.",
		.area = PIT_AREA_ENV,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.probe = pit_env_flags_probe,
		.arg = (const struct pit_env_flag[]){{.name = "TOKENIZERS_PARALLELISM",
						      .bad = "true 1 on yes y",
						      .what = "threads before a fork can hang"},
						     {.name = NULL}},
		.remedy = "Unset it, or set it to false in training with DataLoader workers.",
		.source = "huggingface/tokenizers: fork warning",
		.refs = "https://github.com/huggingface/transformers/issues/5486",
	},
	{.id = NULL},
};
