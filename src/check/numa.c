/* SPDX-License-Identifier: MIT */
#include "check/numa.h"
#include "check/catalog.h"

#define NUMASTAT "https://docs.kernel.org/admin-guide/numastat.html"

const struct pit_check pit_check_numa[] = {
	{
		.id = "numa.balancing",
		.title = "Automatic NUMA balancing",
		.why = "The kernel unmaps pages again and again to see who touches them, and moves them under ranks that "
		       "are already bound to their node. It costs steps of training and tail latency of inference on hosts "
		       "with GPUs; work on CPUs that nobody pins can gain from it, which is why PerfSpect wants it on and "
		       "NVIDIA, AMD and the MLPerf submissions off.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_balancing,
		.knob = "kernel.numa_balancing cmdline.numa_balancing",
		.remedy = "Turn automatic NUMA balancing off and bind each rank to the node of its GPU.",
		.command = "sysctl -w kernel.numa_balancing=0",
		.source =
			"tuned hpc-compute, NVIDIA gb200 and Grace guide, ROCm, MLPerf v5.0 AMD and Dell: 0; PerfSpect: 1",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/kernel.html",
	},
	{
		.id = "numa.misses",
		.title = "Allocations that missed their node",
		.why = "A page that was wanted on one node and came from another is remote for as long as it lives. It costs "
		       "bandwidth and latency on each access when a node runs out of memory before the others.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_misses,
		.remedy =
			"Free or reserve memory on the full node: spread the jobs over the nodes, or drop its page cache.",
		.source = "share above 5 %: inference; counters: kernel numastat",
		.refs = NUMASTAT,
	},
	{
		.id = "numa.remote-allocations",
		.title = "Memory allocated for processes on other nodes",
		.why = "numa_other counts pages that a process got from a node on which it did not run, and each "
		       "copy from them to a GPU or a NIC crosses the link between the sockets, as happens when "
		       "ranks are not bound or wander. Interleaving over all nodes (numactl --interleave) raises it "
		       "on purpose: that helps work on CPUs alone and slows staging buffers of GPUs many times "
		       "over.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_other_node,
		.remedy = "Bind CPUs and memory of each rank to one node (numactl --cpunodebind and --membind).",
		.source = "share above 20 %: inference; counters: kernel numastat",
		.refs = NUMASTAT,
	},
	{
		.id = "numa.node-full",
		.title = "A node nearly full while another has room",
		.why = "A process that is bound strictly to the full node is killed for lack of memory although the host has "
		       "plenty, and others get remote pages. It strikes when one rank or the page cache fills its node.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_node_full,
		.remedy =
			"Move ranks or their buffers to the other nodes, or bind with --preferred instead of --membind.",
		.source = "below 5 % beside above 25 %: inference",
		.refs = "https://docs.kernel.org/admin-guide/mm/numa_memory_policy.html",
	},
	{
		.id = "numa.demotion",
		.title = "Demotion of cold pages to memory-only nodes",
		.why = "Under pressure the kernel moves pages that look cold to slower memory, or into the memory of a GPU "
		       "that is a node. A rank that comes back to them waits, which shows as uneven steps.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_demotion,
		.knob = "numa.demotion",
		.remedy = "Turn demotion off unless the host is meant to tier its memory.",
		.command = "echo false > /sys/kernel/mm/numa/demotion_enabled",
		.source = "inference from the kernel's documentation",
		.refs = "https://docs.kernel.org/admin-guide/mm/numaperf.html",
	},
	{
		.id = "numa.memory-balance",
		.title = "Nodes with much less memory than others",
		.why = "Ranks that are placed evenly run out on the small node first, and interleaving stops being even. It "
		       "usually means a failed, missing or misplaced memory module.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_balance_of_memory,
		.remedy =
			"Compare the memory modules of the sockets (dmidecode -t memory) with the vendor's population rules.",
		.source = "channels populated alike: PerfSpect, gcm; 75 %: inference",
	},
	{
		.id = "numa.memoryless",
		.title = "Nodes with CPUs and no memory",
		.why = "Everything that runs on these CPUs works on remote memory. It means unpopulated sockets, or a virtual "
		       "machine whose shape does not match its host.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_memoryless,
		.remedy = "Populate the memory of the socket, or give the virtual machine memory on each of its nodes.",
		.source = "kernel documentation of memoryless nodes",
		.refs = "https://docs.kernel.org/mm/numa.html",
	},
	{
		.id = "numa.cpuless-device",
		.title = "Devices on nodes without CPUs",
		.why = "No CPU is local to the device, so its interrupts and its threads always cross to another node. It "
		       "costs latency on each transfer, and binding by node number fails outright.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_device_cpuless,
		.remedy = "Bind the ranks that use the device to the nearest node with CPUs, or give its node CPUs.",
		.source = "inference from hwloc's and the kernel's locality rules",
	},
	{
		.id = "numa.device-node",
		.title = "Devices whose node is unknown",
		.why = "Neither the kernel nor NCCL nor Slurm can place work near a device of unknown node, and they take node "
		       "0 or any. On a host with several nodes half of the ranks then copy across the sockets.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_device_unknown,
		.remedy =
			"Update the firmware; in a virtual machine attach the device behind a root port (pxb-pcie) with its node.",
		.source = "kernel: numa_node is -1 when the firmware does not say",
		.refs = "https://docs.kernel.org/PCI/sysfs-pci.html",
	},
	{
		.id = "numa.gpu-nic",
		.title = "GPUs without a fast network port on their socket",
		.why = "Traffic of such a GPU crosses the link between the sockets and shares it with everything else. It "
		       "costs training over several hosts a part of its collective bandwidth, and one host alone nothing.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES | PIT_NEED_GPU,
		.probe = pit_numa_gpu_nic,
		.remedy =
			"Move a network adapter to the GPU's socket, or keep jobs over several hosts on the other GPUs.",
		.source = "NCCL documentation: NIC and GPU on one PCI switch or node; distance 20: ACPI SLIT practice",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html",
	},
	{
		.id = "numa.gpu-cpus",
		.title = "GPUs without a local CPU among the allowed ones",
		.why = "The ranks of these GPUs can only run on other sockets, so each launch and each copy goes the long way. "
		       "It happens when a batch system or a container hands out CPUs and GPUs apart from each other.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES | PIT_NEED_GPU,
		.probe = pit_numa_gpu_cpus,
		.remedy =
			"Ask for CPUs next to the GPUs: Slurm --gpu-bind=closest with gres core ranges, kubelet topology manager.",
		.source = "NCCL and Slurm documentation",
		.refs = "https://slurm.schedmd.com/gres.html",
	},
	{
		.id = "numa.allowed-mems",
		.title = "Memory allowed where the allowed CPUs are",
		.why = "A cpuset that gives CPUs of one node and memory of another makes every access remote. It costs up to "
		       "half of the memory bandwidth for as long as the job runs.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_allowed,
		.remedy = "Give the cpuset the memory nodes of its CPUs (cpuset.mems).",
		.source = "kernel documentation of cpusets",
		.refs = "https://docs.kernel.org/admin-guide/cgroup-v2.html",
	},
	{
		.id = "numa.far-memory",
		.title = "CXL or persistent memory among the usable nodes",
		.why = "When the near nodes are full, new pages silently land in memory with two to four times the latency. "
		       "Data loading and offloaded optimizer states then run at the speed of that memory.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_far_memory,
		.remedy = "Bind jobs to the near nodes, or use the far nodes on purpose with weighted interleaving.",
		.source = "kernel documentation of memory tiers",
		.refs = "https://docs.kernel.org/admin-guide/mm/numaperf.html",
	},
	{
		.id = "numa.gpu-memory",
		.title = "GPU memory that CPU allocations can take",
		.why = "On Grace the memory of the GPU is a node of the kernel, so page cache and ordinary allocations can fill "
		       "it. CUDA then finds less memory free than the job needs, long after the culprit has gone.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_gpu_memory,
		.remedy =
			"Use coherent driver-based memory management (NVreg_CoherentGPUMemoryMode=driver, driver 580 or later), "
			"or bind CPU work to the nodes with CPUs.",
		.source = "NVIDIA CDMM; Amazon EKS image for GB200",
		.refs = "https://docs.nvidia.com/grace-perf-tuning-guide/",
	},
	{
		.id = "numa.distances",
		.title = "Distances between nodes",
		.why = "Without distances the kernel cannot prefer the nearer of two nodes when memory runs out, and placement "
		       "cannot tell a neighbour from the far socket. It happens in virtual machines and with broken firmware.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_distances,
		.remedy = "Update the firmware, or give the virtual machine a distance table.",
		.source = "ACPI SLIT: 10 is local, others are larger",
	},
	{
		.id = "numa.contradictions",
		.title = "Sources agree about the topology",
		.why = "Tools that believe different sources place the ranks of one job differently. It costs remote traffic "
		       "that nobody ordered, and hours to find.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_contradictions,
		.remedy = "Update firmware or hypervisor configuration, and bind by explicit CPU lists until then.",
		.source = "comparison of cpu, node, cache and PCI directories of sysfs",
	},
	{
		.id = "numa.numad",
		.title = "No second placer (numad)",
		.why = "numad rebinds processes by its own sampling and undoes what the launcher decided. It moves ranks and "
		       "their memory in the middle of a run.",
		.area = PIT_AREA_NUMA,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_numa_placer,
		.knob = "service.numad",
		.remedy = "Stop numad on hosts whose jobs are bound by their launcher.",
		.command = "systemctl disable --now numad",
		.source = "inference: two placers undo each other",
	},
	{.id = NULL},
};
