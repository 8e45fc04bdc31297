/* SPDX-License-Identifier: MIT
 *
 * The rows about Kubernetes; their probes are in kube_setting.c, kube_numa.c and kube_pod.c.
 */
#include "check/kube.h"

#include "check/catalog.h"

const struct pit_check pit_check_kube[] = {
	{
		.id = "kube.cpu-manager",
		.title = "CPU manager gives exclusive CPUs",
		.why = "Without the static policy the threads that feed a GPU share their CPUs with every other "
		       "pod of the node. It costs most in inference, where one late thread delays a whole batch.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_GPU,
		.probe = pit_kube_setting_probe,
		.arg = &(const struct pit_kube_setting){.key = "cpuManagerPolicy", .unset = "none", .want = "static"},
		.remedy = "Set cpuManagerPolicy: static with reservedSystemCPUs, drain the node, delete "
			  "cpu_manager_state and restart the kubelet.",
		.source = "nebius-solutions-library#996; kubernetes CPU manager",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies/",
	},
	{
		.id = "kube.topology-manager",
		.title = "Topology manager aligns CPUs and GPUs",
		.why = "With policy none a pod gets CPUs on one socket and a GPU on the other, so each copy "
		       "crosses the socket link. Without the static CPU manager the policy aligns devices only, "
		       "and threads still roam.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_GPU | PIT_NEED_NODES,
		.probe = pit_kube_topology_probe,
		.remedy = "Set topologyManagerPolicy to restricted (whole-node jobs) or best-effort, and "
			  "cpuManagerPolicy: static.",
		.source = "nebius-solutions-library#996; kubernetes topology manager",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/topology-manager/",
	},
	{
		.id = "kube.topology-nodes",
		.title = "NUMA nodes suit the topology manager",
		.why = "The kubelet does not start with a topology policy on more than 8 NUMA nodes, and its "
		       "search grows with 2 to the power of nodes. Grace Hopper and Grace Blackwell hosts show "
		       "many nodes without CPUs, one for each GPU or MIG slice.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_NODES,
		.probe = pit_kube_topology_nodes_probe,
		.remedy = "Set the option max-allowable-numa-nodes, or run the GPU memory in driver mode "
			  "(NVreg_CoherentGPUMemoryMode=driver) to hide its nodes.",
		.source = "kubernetes#138172; kubernetes topology manager",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/topology-manager/",
	},
	{
		.id = "kube.memory-manager",
		.title = "Memory manager aligns memory",
		.why = "With CPUs and GPUs aligned but memoryManagerPolicy None, a pod may still get its memory "
		       "from the other socket. That shows as remote allocations once the near node is full.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_GPU | PIT_NEED_NODES,
		.probe = pit_kube_memory_manager_probe,
		.remedy = "Set memoryManagerPolicy: Static with reservedMemory for each node.",
		.source = "nebius-solutions-library#996",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/memory-manager/",
	},
	{
		.id = "kube.reserved-memory",
		.title = "Reserved memory adds up",
		.why = "With memoryManagerPolicy Static the kubelet refuses to start unless reservedMemory over "
		       "all nodes equals kubeReserved, systemReserved and the hard eviction threshold together. "
		       "A change of one of the four takes the node out of the cluster at the next restart.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_reserved_memory_probe,
		.remedy = "Make the sum of reservedMemory equal kubeReserved + systemReserved + evictionHard "
			  "memory.available.",
		.source = "kubernetes memory manager",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/memory-manager/",
	},
	{
		.id = "kube.reserved-cpus",
		.title = "Reserved CPUs are valid",
		.why = "The static CPU manager needs a reservation above zero, of CPUs that are online. "
		       "Otherwise the kubelet exits at start, or system daemons and exclusive pods share cores.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_reserved_cpus_probe,
		.remedy = "Set reservedSystemCPUs to some online CPUs of each NUMA node.",
		.source = "kubernetes reserve compute resources; kubernetes#132187",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/",
	},
	{
		.id = "kube.reserved-irqs",
		.title = "Interrupts stay on reserved CPUs",
		.why = "Interrupts that are confined to CPUs which the kubelet hands to pods steal time from "
		       "exactly those. It happens when reservedSystemCPUs was changed and the interrupt mask was "
		       "not.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_reserved_irqs_probe,
		.remedy = "Make /proc/irq/default_smp_affinity and irqbalance use the CPUs of reservedSystemCPUs.",
		.source = "kubernetes reserve compute resources",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/",
	},
	{
		.id = "kube.cpu-cfs-quota",
		.title = "CPU limits do not throttle GPU pods",
		.why = "With CFS quota and no exclusive CPUs a pod with a CPU limit stops for the rest of each "
		       "100 ms once its threads used it up. Data loaders and inference servers start many "
		       "threads and hit that long before the CPUs are busy.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_GPU,
		.probe = pit_kube_cfs_quota_probe,
		.remedy = "Use cpuManagerPolicy: static with whole CPUs, leave out CPU limits, or set cpuCFSQuota: "
			  "false.",
		.source = "kubernetes CPU management policies",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies/",
	},
	{
		.id = "kube.cgroup-driver",
		.title = "One manager of control groups",
		.why = "When kubelet and container runtime use different drivers, pods do not start or escape their "
		       "limits. On hosts with systemd both should use systemd, because two managers of one tree make "
		       "a node unstable when memory runs short.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_cgroup_driver_probe,
		.remedy = "Set cgroupDriver: systemd for the kubelet and SystemdCgroup = true for containerd.",
		.source = "kubernetes container runtimes",
		.refs = "https://kubernetes.io/docs/setup/production-environment/container-runtimes/",
	},
	{
		.id = "kube.qos",
		.title = "GPU pods are of class Guaranteed",
		.why = "Only Guaranteed pods get exclusive CPUs and aligned memory, and they are killed last "
		       "when memory runs out. A GPU pod of another class is first in line for both.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = pit_kube_qos_probe,
		.remedy = "Set requests equal to limits for CPU (whole numbers) and memory in every container of "
			  "the pod.",
		.source = "kubernetes pod quality of service",
		.refs = "https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/",
	},
	{
		.id = "kube.oom-group",
		.title = "Running out of memory ends the whole container",
		.why = "When only one process of a training container is killed, the other ranks wait for it in "
		       "a collective until their timeout. In inference with independent workers the opposite can "
		       "be right, so this is judged for training only.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_oom_group_probe,
		.remedy = "Use cgroup v2 and leave singleProcessOOMKill at false.",
		.source = "kubernetes 1.28 memory.oom.group; KubeletConfiguration singleProcessOOMKill",
		.refs = "https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/",
	},
	{
		.id = "kube.eviction",
		.title = "Eviction thresholds are set",
		.why = "A hard threshold that is 0 or left out of evictionHard is switched off, since one entry "
		       "replaces all defaults. The node then runs into the kernel's OOM killer or a full disk, "
		       "which takes more than one pod.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_eviction_probe,
		.remedy = "Name memory.available, nodefs.available and imagefs.available in evictionHard, or set "
			  "mergeDefaultEvictionSettings: true.",
		.source = "kubernetes node-pressure eviction",
		.refs = "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
	},
	{
		.id = "kube.hugepages",
		.title = "Huge pages are seen by eviction",
		.why = "The kubelet counts memory reserved for huge pages as available, so eviction comes too "
		       "late or never. With more than a tenth of memory reserved the kernel kills first.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_hugepages_probe,
		.remedy = "Raise evictionHard memory.available above the reservation, or reserve fewer huge pages.",
		.source = "kubernetes#137984",
		.refs = "https://github.com/kubernetes/kubernetes/issues/137984",
	},
	{
		.id = "kube.checkpoint",
		.title = "State files fit the configuration",
		.why = "A kubelet whose policy or CPUs differ from its state files exits at start. It waits for "
		       "the next restart, often the next reboot of a node that worked for months.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_checkpoint_probe,
		.remedy = "Drain the node, delete the state file and restart the kubelet.",
		.command =
			"systemctl stop kubelet && rm /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state; systemctl start kubelet",
		.source = "kubernetes control CPU management policies",
		.refs = "https://kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies/",
	},
	{
		.id = "kube.image-gc",
		.title = "Images are collected before pods are evicted",
		.why = "Images for GPU work are 10 to 30 GB each, and a disk that fills up with them evicts "
		       "running pods. Collection must start before the eviction threshold of the image file "
		       "system.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_image_gc_probe,
		.remedy = "Lower imageGCHighThresholdPercent below 100 minus imagefs.available.",
		.source = "KubeletConfiguration: 85/80 and imagefs.available 15%",
		.refs = "https://kubernetes.io/docs/concepts/architecture/garbage-collection/",
	},
	{
		.id = "kube.swap",
		.title = "Swap and the kubelet agree",
		.why = "With swap on the kubelet does not start unless failSwapOn is false. With LimitedSwap "
		       "pods may page, which stalls ranks and latency alike.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_swap_probe,
		.remedy = "Turn swap off on GPU nodes, or set failSwapOn: false with swapBehavior: NoSwap.",
		.source = "kubernetes swap memory management",
		.refs = "https://kubernetes.io/docs/concepts/architecture/nodes/",
	},
	{
		.id = "kube.pids",
		.title = "Pods may start enough processes",
		.why = "Data loaders, NCCL and compilers of one GPU pod start thousands of threads, and each "
		       "counts. A limit below that ends in Resource temporarily unavailable, and none lets one "
		       "pod exhaust the node.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET,
		.probe = pit_kube_pids_probe,
		.remedy = "Set podPidsLimit to 4096 or more.",
		.source = "kubernetes PID limiting; 4096 is OpenShift's default",
		.refs = "https://kubernetes.io/docs/concepts/policy/pid-limiting/",
	},
	{
		.id = "kube.cpu-spread",
		.title = "Spreading CPUs fits the choice of nodes",
		.why = "distribute-cpus-across-numa with prefer-closest-numa-nodes gives a pod CPUs on fewer "
		       "nodes than its GPUs are on. In a known case 8 GPUs on 4 nodes got CPUs of 3.",
		.area = PIT_AREA_KUBE,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_KUBELET | PIT_NEED_GPU | PIT_NEED_NODES,
		.probe = pit_kube_spread_probe,
		.remedy = "Use one of the two options, not both.",
		.source = "kubernetes#139430",
		.refs = "https://github.com/kubernetes/kubernetes/issues/139430",
	},
	{.id = NULL},
};
