/* SPDX-License-Identifier: MIT
 *
 * The machine as a placement sees it: plain data, made from the topology, what this job is allowed, and the GPUs as
 * this job sees them. pit_placement_make() reads nothing else, so tests make sites by hand.
 */
#ifndef PIT_LAUNCH_SITE_H
#define PIT_LAUNCH_SITE_H

#include "launch/visible.h"
#include "topo/model.h"

/* Positions in the arrays below are called `..._at`; -1 is unknown. */

struct pit_site_core {
	struct pit_idset cpus; /* allowed and online threads; never empty */
	unsigned threads;      /* online threads that the core has, allowed or not */
	int node_at, l3_at;
	int package; /* number, not a position; -1 unknown */
	bool irq;    /* interrupts of a busy device are served here. Never set when several instances plan alone */
};

struct pit_site_node {
	int id;
	bool cpus; /* some allowed CPU is in it */
	bool mem;  /* it has memory for programs that this job may use: DRAM or HBM, not a GPU's, CXL or PMEM */
	enum pit_node_kind kind;
	unsigned *distance; /* by position; NULL unknown */
};

struct pit_site_gpu {
	char uuid[64];    /* "GPU-..." or "MIG-..."; "" unknown */
	char visible[64]; /* what CUDA_VISIBLE_DEVICES (or the vendor's variable) must hold to mean it; "" unknown */
	char name[96];
	char pci[24];
	unsigned vendor; /* PCI id: 0x10de NVIDIA, 0x1002 AMD, 0x8086 Intel; 0 unknown */
	int parent;      /* equal for MIG instances of one GPU (or parts of AMD's), and only for these */
	bool mig;
	int node_at; /* -1: nobody knows, and nothing is assumed */
	enum pit_node_source source;
	int nic_at; /* nearest network card that carries jobs (InfiniBand/RoCE first); -1 none */
	char nic_why[96];
};

struct pit_site_nic {
	char handle[64]; /* "mlx5_0", "eth0" */
	char pci[24];
	bool rdma;
	int node_at;
};

struct pit_site {
	struct pit_site_core *core; /* in order of their lowest allowed CPU */
	size_t cores;
	struct pit_site_node *node; /* in order of id */
	size_t nodes;
	size_t l3s;               /* 0 unknown */
	struct pit_site_gpu *gpu; /* as the job numbers them: position i is cuda:i in a job that sees all of them */
	size_t gpus;
	struct pit_site_nic *nic;
	size_t nics;
	struct pit_idset allowed;  /* union of core[].cpus */
	struct pit_idset isolated; /* allowed by affinity yet kept out, because the kernel does not balance them */
	bool no_gpus;              /* --gpus none: those that are there must not be seen by the job */
	bool narrowed;             /* allowed is less than what is online */
	char allowed_why[256];     /* "affinity", "cpuset /sys/fs/cgroup/..." */
	char gpus_why[256];    /* which evidence named the GPUs: "NVML", "CUDA_VISIBLE_DEVICES=2,3", "--gpus", ... */
	struct pit_strv notes; /* what could not be known, a sentence each */
};

struct pit_site_options {
	const char *gpus; /* --gpus: positions among those seen, UUIDs (or a prefix that is unique) and PCI addresses of
			   * any GPU of the host, "none"; NULL: all that are seen */
	bool isolated;    /* use isolated CPUs too */
	bool alone;       /* other instances plan for themselves: nothing that moves with time may enter, but nic_at */
	char **environ;   /* of the job; *_VISIBLE_DEVICES are read from it */
};

/* Looks only. -EINVAL: --gpus or a variable names a GPU that is not there (`err` names which and what there is);
 * -ENODATA: not even the CPUs can be known. */
int pit_site_load(struct pit_root *root, const struct pit_site_options *o, struct pit_site *ret, struct pit_error *err);
void pit_site_free(struct pit_site *s); /* back to all-zero */

#endif
