/* SPDX-License-Identifier: MIT
 *
 * Sockets, queues and tables of the network.
 */
#include "tune/harm.h"
#include "tune/knobs.h"

#define DOC_NET "kernel documentation of sysctl/net"
#define DOC_IP "kernel documentation of ip-sysctl"

const struct pit_knob pit_knobs_network[] = {
	{
		.id = "net.core.rmem_max",
		.title = "Largest receive buffer that a socket may ask for, in bytes",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 212992, /* kernel default */
		.most = INT32_MAX,
		.blast = "sockets that ask for a size",
		.checks = "network.udp-buffers network.rmem-max",
		.source = DOC_NET,
	},
	{
		.id = "net.core.wmem_max",
		.title = "Largest send buffer that a socket may ask for, in bytes",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 212992, /* kernel default */
		.most = INT32_MAX,
		.blast = "sockets that ask for a size",
		.checks = "network.wmem-max",
		.source = DOC_NET,
	},
	{
		.id = "net.core.rmem_default",
		.title = "Receive buffer of a socket that asks for no size, in bytes",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 212992, /* kernel default */
		.most = INT32_MAX,
		.blast = "sockets that are opened later, other than TCP",
		.checks = "network.rmem-default",
		.source = DOC_NET,
	},
	{
		.id = "net.core.netdev_max_backlog",
		.title = "Packets that may wait for a CPU",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 1000, /* kernel default */
		.most = INT32_MAX,
		.blast = "received packets",
		.checks = "irq.softnet-drops network.backlog",
		.source = DOC_NET,
	},
	{
		.id = "net.core.netdev_budget",
		.title = "Packets that one round of receiving handles",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 300,  /* kernel default */
		.most = 65536, /* tasks on the same CPU wait as long */
		.blast = "received packets, and tasks on the same CPU",
		.checks = "irq.softnet-squeezed",
		.source = DOC_NET,
	},
	{
		.id = "net.core.netdev_budget_usecs",
		.title = "Time that one round of receiving may take, in us",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 2000,  /* kernel default */
		.most = 100000, /* tasks on the same CPU wait as long */
		.blast = "received packets, and tasks on the same CPU",
		.checks = "irq.softnet-squeezed",
		.source = DOC_NET,
	},
	{
		.id = "net.core.somaxconn",
		.title = "Connections that may wait for accept()",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 128, /* kernel default before 5.4 */
		.most = INT32_MAX,
		.blast = "servers that start listening later",
		.in_container = PIT_OWN_NETWORK,
		.checks = "network.listen-overflows network.somaxconn",
		.source = DOC_NET,
	},
	{
		.id = "net.core.busy_poll",
		.title = "Time that poll() spins for packets, in us",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.most = 10000, /* it spins; the documentation advises 50 */
		.blast = PIT_BLAST_ALL " that wait for sockets: CPU time",
		.checks = "network.busy-poll",
		.source = DOC_NET,
	},
	{
		.id = "net.core.busy_read",
		.title = "Time that a read of a socket spins for packets, in us",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.most = 10000, /* it spins; the documentation advises 50 */
		.blast = "sockets that are opened later: CPU time",
		.checks = "network.busy-poll",
		.source = DOC_NET,
	},
	{
		.id = "net.core.default_qdisc",
		.title = "Queue discipline of new network interfaces",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_CHOICE,
		.values = "fq fq_codel pfifo_fast cake fq_pie pie sfq codel pfifo bfifo",
		.blast = "interfaces that appear later",
		.checks = "network.qdisc",
		.source = DOC_NET,
	},
	{
		.id = "net.netfilter.nf_conntrack_max",
		.title = "Connections that the firewall follows",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 65536, /* kernel default from 1 GiB of memory on */
		.most = INT32_MAX,
		.judge = pit_judge_conntrack,
		.lasts = PIT_LASTS_UDEV, /* the key appears with the module */
		.udev = "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"nf_conntrack\", "
			"SYSCTL{net/netfilter/nf_conntrack_max}=\"%s\"",
		.blast = "all connections through the firewall; about 300 bytes of kernel memory each",
		.checks = "network.conntrack network.conntrack-max",
		.source = "kernel documentation of nf_conntrack-sysctl",
	},
	{
		.id = "net.ipv4.neigh.default.gc_thresh1",
		.title = "Neighbours that are kept without cleaning up",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 128, /* kernel default */
		.most = INT32_MAX,
		.blast = "the table of neighbours of all interfaces",
		.checks = "network.neighbours",
		.source = DOC_IP,
	},
	{
		.id = "net.ipv4.neigh.default.gc_thresh2",
		.title = "Neighbours above which old ones go after five seconds",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 512, /* kernel default */
		.most = INT32_MAX,
		.blast = "the table of neighbours of all interfaces",
		.checks = "network.neighbours",
		.source = DOC_IP,
	},
	{
		.id = "net.ipv4.neigh.default.gc_thresh3",
		.title = "Most neighbours",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 1024, /* kernel default; with 0 there is no network */
		.most = INT32_MAX,
		.blast = "the table of neighbours of all interfaces",
		.checks = "network.neighbours",
		.source = DOC_IP,
	},
	{
		.id = "sunrpc.tcp_max_slot_table_entries",
		.title = "Parallel requests of an NFS mount to its server",
		.target = PIT_TARGET_SYSCTL,
		.value = PIT_VALUE_INT,
		.least = 2,
		.most = 65536,
		.lasts = PIT_LASTS_UDEV, /* the key appears with the module */
		.udev = "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"sunrpc\", "
			"SYSCTL{sunrpc/tcp_max_slot_table_entries}=\"%s\"",
		.blast = "NFS mounts that are made later",
		.checks = "storage.nfs-slots",
		.source = "Azure HPC images: 128; nfs(5)",
	},
	{.id = NULL},
};
