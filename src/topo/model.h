/* SPDX-License-Identifier: MIT
 *
 * An immutable model of one host: CPUs, NUMA nodes, caches, devices and who is near whom. Loaded once, over hwloc and
 * sysfs. What no source says is unknown: -1, 0 or an empty set as stated at each field, and never a guess.
 */
#ifndef PIT_TOPO_MODEL_H
#define PIT_TOPO_MODEL_H

#include "base/idset.h"
#include "base/strv.h"
#include "host/root.h"

enum pit_node_kind {
	PIT_NODE_UNKNOWN,
	PIT_NODE_DRAM,
	PIT_NODE_GPU, /* memory of a GPU that the kernel manages (Grace Hopper, Grace Blackwell) */
	PIT_NODE_CXL,
	PIT_NODE_HBM,
	PIT_NODE_PMEM,
};
const char *pit_node_kind_name(enum pit_node_kind kind); /* "dram", ..., "unknown" */

struct pit_node {
	int id;                /* as the kernel numbers it; ids may be sparse */
	struct pit_idset cpus; /* online CPUs; empty: a node without CPUs */
	int64_t mem_kb;        /* -1 unknown; 0: a node without memory */
	enum pit_node_kind kind;
	bool mem_only;      /* memory and no CPU */
	unsigned *distance; /* by position in pit_topo.nodes (not by id); NULL unknown; 10 = local */
};

struct pit_cache {
	int level;
	struct pit_idset cpus;
	uint64_t kb;
};

enum pit_device_class { PIT_DEVICE_GPU, PIT_DEVICE_NIC, PIT_DEVICE_IB, PIT_DEVICE_NVME };
const char *pit_device_class_name(enum pit_device_class cls);

enum pit_node_source {
	PIT_NODE_FROM_NOTHING, /* unknown */
	PIT_NODE_FROM_SYSFS,   /* the device's numa_node */
	PIT_NODE_FROM_CPUS,    /* its local_cpulist lies in one node */
	PIT_NODE_FROM_BRIDGE,  /* numa_node of the nearest bridge above it */
	PIT_NODE_FROM_NVML,
};
const char *pit_node_source_name(enum pit_node_source source);

struct pit_device {
	enum pit_device_class cls;
	char pci[24];    /* "0000:65:00.0"; "" no PCI device (virtual NIC) */
	unsigned vendor; /* PCI ids; 0 unknown */
	unsigned device;
	unsigned pci_class; /* 24 bits */
	char name[96];      /* from NVML, else built from what sysfs says; "" unknown */
	char handle[64];    /* "eth0", "mlx5_0", "nvme0", "card0"; "" none */
	char uuid[48];      /* GPU's, from NVML; "" unknown */
	char driver[32];    /* bound kernel driver; "" none */
	char sysfs[160];    /* directory: "/sys/bus/pci/devices/0000:65:00.0" */
	char bridges[256];  /* what lies between it and the root: "pci0000:64/0000:64:00.0"; "" unknown */
	int node;           /* -1 unknown */
	enum pit_node_source node_source;
	struct pit_idset cpus; /* local CPUs; empty unknown */
};

struct pit_topo {
	struct {
		int count; /* online */
		struct pit_idset online;
		struct pit_idset possible; /* empty unknown */
		struct pit_idset offline;
		struct pit_idset isolated; /* by the kernel: isolcpus= or an isolated cpuset */
		int smt;                   /* 1 on, 0 off, -1 unknown */
	} cpus;
	int packages, cores;              /* -1 unknown */
	struct pit_idset *package, *core; /* online CPUs of each, in order of the lowest; none: unknown */
	size_t package_sets, core_sets;
	int64_t mem_kb;        /* MemTotal, else the sum over the nodes; -1 unknown */
	bool nodes_known;      /* false: the machine does not say; `node` is empty then */
	struct pit_node *node; /* those with CPUs, or memory, or unknown memory; in order of id */
	size_t nodes;
	struct {
		struct pit_idset cpus, mems;
		char source[256]; /* "affinity", "cpuset /sys/fs/cgroup/..."; "" unknown: sets are empty then */
	} allowed;
	struct pit_cache *cache;
	size_t caches;
	bool pci_known; /* false: no PCI list could be read; the number of GPUs is unknown then, not 0 */
	struct pit_device *device;
	size_t devices;
	struct pit_strv contradictions; /* sentences */
};

/* Never fails for what a machine lacks; -errno when nothing at all can be said. */
int pit_topo_load(struct pit_root *root, struct pit_topo **ret, struct pit_error *err);
void pit_topo_free(struct pit_topo *t); /* NULL is fine */

const struct pit_node *pit_topo_node(const struct pit_topo *t, int id);         /* NULL none */
const struct pit_node *pit_topo_node_of_cpu(const struct pit_topo *t, int cpu); /* NULL unknown */
size_t pit_topo_count(const struct pit_topo *t, enum pit_device_class cls);

/* The node with CPUs nearest to node `id` (itself when it has some); NULL when none is known. */
const struct pit_node *pit_topo_nearest_cpus(const struct pit_topo *t, int id);

/* PCI bridges that two devices share from the root on, by their sysfs paths: more is nearer; -1 unknown. */
int pit_topo_shared_bridges(const struct pit_topo *t, const struct pit_device *a, const struct pit_device *b);

#endif
