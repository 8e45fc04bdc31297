/* SPDX-License-Identifier: MIT */
#include "check/irq.h"
#include "check/catalog.h"

#define AFFINITY "https://docs.kernel.org/core-api/irq/irq-affinity.html"
#define SCALING "https://docs.kernel.org/networking/scaling.html"

static const struct pit_irq_devices nics = {.first = PIT_DEVICE_NIC, .last = PIT_DEVICE_IB, .share = 2.0 / 3};
static const struct pit_irq_devices gpus = {.first = PIT_DEVICE_GPU, .last = PIT_DEVICE_GPU, .share = 2.0 / 3};

const struct pit_check pit_check_irq[] = {
	{
		.id = "irq.nic-node",
		.title = "Interrupts of network adapters on their node",
		.why = "Packets that are handled on another socket cross the link between the sockets twice. It costs "
		       "bandwidth of fast adapters and adds to the tail of collectives over TCP; idle adapters lose nothing.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_irq_device_node,
		.arg = &nics,
		.knob = "irq.affinity",
		.remedy =
			"Point the interrupts of the adapter at CPUs of its node, and tell irqbalance to leave them there.",
		.source =
			"adapter vendors' tuning guides; two thirds: inference (queues on all CPUs put half of them away)",
		.refs = AFFINITY,
	},
	{
		.id = "irq.gpu-node",
		.title = "Interrupts of GPUs on their node",
		.why = "A completion that wakes a thread on another socket reaches it late. It adds to the launch gaps of small "
		       "kernels, most of all in inference.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES | PIT_NEED_GPU,
		.probe = pit_irq_device_node,
		.arg = &gpus,
		.knob = "irq.affinity",
		.remedy = "Point the interrupts of the GPU at CPUs of its node.",
		.source = "inference from the kernel's locality rules",
		.refs = AFFINITY,
	},
	{
		.id = "irq.nvme-node",
		.title = "Queue interrupts of NVMe on their node",
		.why = "The kernel spreads the queues of an NVMe over all CPUs, so every node should have its own. When none "
		       "lands on the device's node the device has too few queues and all local reads complete on another socket.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = pit_irq_nvme_node,
		.remedy =
			"Look for a limit on the number of interrupts or queues (nvme module parameters, the hypervisor).",
		.source = "kernel: managed interrupts are spread over all CPUs",
		.refs = AFFINITY,
	},
	{
		.id = "irq.isolated",
		.title = "Busy interrupts on isolated CPUs",
		.why = "CPUs were taken from ordinary work so that one thread runs undisturbed, and interrupts disturb it "
		       "anyway. It costs latency peaks exactly where they were to be avoided.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_on_isolated,
		.knob = "irq.affinity",
		.remedy =
			"Move these interrupts to the other CPUs, or boot with isolcpus=managed_irq,domain and the list of CPUs.",
		.source = "tuned cpu-partitioning, realtime",
		.refs = AFFINITY,
	},
	{
		.id = "irq.one-cpu",
		.title = "Queues of a busy adapter all on one CPU",
		.why = "One CPU then handles all packets and is the limit long before the link is. It shows as one CPU busy with "
		       "softirq while the others idle.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_one_cpu,
		.knob = "irq.affinity irqbalance",
		.remedy = "Start irqbalance or spread the queue interrupts over the CPUs of the adapter's node.",
		.source = "kernel scaling documentation",
		.refs = SCALING,
	},
	{
		.id = "irq.irqbalance",
		.title = "Something spreads the interrupts",
		.why = "Without irqbalance and without pinning by hand all interrupts stay on the CPU where they began. It costs "
		       "once several busy devices share that CPU with a rank.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_irq_balance_running,
		.knob = "irqbalance",
		.remedy = "Install and start irqbalance, or pin the interrupts by node.",
		.command = "systemctl enable --now irqbalance",
		.source = "tuned; adapter vendors' guides; 8 CPUs and 4 busy interrupts: inference",
	},
	{
		.id = "irq.irqbalance-ban",
		.title = "irqbalance spares the isolated CPUs",
		.why = "A ban list of one's own replaces the one that irqbalance takes from the isolated CPUs. Interrupts then "
		       "come back to CPUs that were isolated, as soon as it rebalances.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = pit_irq_banned,
		.remedy = "Put the isolated CPUs into IRQBALANCE_BANNED_CPULIST, or remove the setting.",
		.source = "tuned cpu-partitioning, realtime",
		.refs = "https://github.com/openshift/cluster-node-tuning-operator/issues/396",
	},
	{
		.id = "irq.default-affinity",
		.title = "Default mask of new interrupts",
		.why = "Interrupts of devices that appear later start with this mask. A mask with isolated CPUs disturbs them "
		       "after a hotplug or a driver reload.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_default_mask,
		.knob = "irq.default-affinity",
		.remedy = "Write a mask without the isolated CPUs to /proc/irq/default_smp_affinity.",
		.source = "tuned cpu-partitioning",
		.refs = AFFINITY,
	},
	{
		.id = "irq.workqueues",
		.title = "Kernel workqueues off the isolated CPUs",
		.why = "Unbound kernel work, writeback among it, runs on any CPU of this mask. On isolated CPUs it shows as "
		       "pauses of milliseconds.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_workqueues,
		.knob = "workqueue.cpumask workqueue.writeback",
		.remedy = "Write a mask without the isolated CPUs to /sys/devices/virtual/workqueue/cpumask.",
		.source = "tuned cpu-partitioning, realtime",
		.refs = "https://docs.kernel.org/core-api/workqueue.html",
	},
	{
		.id = "irq.rps",
		.title = "Receive packet steering off the isolated CPUs",
		.why = "Steering hands packets to every CPU in its mask by an interrupt between CPUs. Isolated CPUs in it handle "
		       "network traffic after all.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_rps,
		.knob = "irq.rps",
		.remedy = "Take the isolated CPUs out of rps_cpus.",
		.source = "kernel scaling documentation",
		.refs = SCALING,
	},
	{
		.id = "irq.nic-queues",
		.title = "Receive queues of fast adapters",
		.why = "One queue is one CPU, and one CPU handles some 5 to 10 Gb/s of ordinary packets. With fewer queues than "
		       "needed a fast link for storage or TCP collectives stays slow.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_queues,
		.remedy = "Raise the number of queues of the adapter, or switch on receive packet steering.",
		.source = "kernel scaling documentation; 4 queues: inference",
		.refs = SCALING,
	},
	{
		.id = "irq.softnet-drops",
		.title = "Packets dropped before the network stack",
		.why = "The backlog of a CPU was full and packets were thrown away, which TCP pays for with retransmissions. It "
		       "happens when too few CPUs handle the packets of a fast link.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_softnet_drops,
		.knob = "net.core.netdev_max_backlog",
		.remedy = "Spread the queues over more CPUs and raise net.core.netdev_max_backlog.",
		.source = "kernel: column 2 of softnet_stat; the share: inference",
		.refs = SCALING,
	},
	{
		.id = "irq.softnet-squeezed",
		.title = "Packet handling that ran out of its budget",
		.why = "The kernel stopped with packets left to handle because its time slice was over, so they wait. At high "
		       "rates it adds latency to every message on that CPU.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_softnet_squeezed,
		.knob = "net.core.netdev_budget net.core.netdev_budget_usecs",
		.remedy = "Spread the queues over more CPUs, or raise net.core.netdev_budget and netdev_budget_usecs.",
		.source = "kernel: column 3 of softnet_stat; thresholds: inference",
		.refs = "https://docs.kernel.org/admin-guide/sysctl/net.html",
	},
	{
		.id = "irq.storm",
		.title = "Interrupt storm",
		.why = "One interrupt that fires without pause takes a whole CPU from the rank that runs there. It means a broken "
		       "device, a broken driver, or an adapter without coalescing.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = pit_irq_storm,
		.remedy = "Find the device by its name, update its driver or firmware, and switch its coalescing on.",
		.source = "100,000 per second on one line: inference",
	},
	{
		.id = "irq.unhandled",
		.title = "Interrupts that nobody handles",
		.why = "The kernel switched the interrupt line off and polls it ten times a second from then on. The device "
		       "behind it is slow or dead until the next boot.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = pit_irq_unhandled,
		.remedy =
			"Find the handlers named in the message, update firmware and driver of that device, and reboot.",
		.reboot = true,
		.source = "kernel/irq/spurious.c",
	},
	{
		.id = "irq.threadirqs",
		.title = "Interrupts forced into threads",
		.why = "threadirqs makes a thread switch out of each interrupt. It costs throughput of fast adapters and NVMe on "
		       "every kernel that is not a real-time one.",
		.area = PIT_AREA_IRQ,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = pit_irq_threaded,
		.knob = "cmdline.threadirqs",
		.remedy = "Remove threadirqs from the kernel command line.",
		.reboot = true,
		.source = "inference from the kernel's documentation",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{.id = NULL},
};
