/* SPDX-License-Identifier: MIT
 *
 * The ways in which ranks can be bound, as the command line, --explain, JSON and the manual name them.
 */
#ifndef PIT_LAUNCH_POLICY_H
#define PIT_LAUNCH_POLICY_H

enum pit_bind {
	PIT_BIND_AUTO,      /* node for one rank with GPUs of one node at most, else exclusive */
	PIT_BIND_NODE,      /* all allowed CPUs of the home node, shared with the ranks there */
	PIT_BIND_EXCLUSIVE, /* the node's cores divided: no CPU is given twice */
	PIT_BIND_L3,        /* the CPUs of one L3 cache of the home node */
	PIT_BIND_SOCKET,    /* all allowed CPUs of the home node's package */
	PIT_BIND_NONE,      /* CPUs as inherited */
};
enum pit_mem {
	PIT_MEM_AUTO,       /* prefer when CPUs are bound, else none */
	PIT_MEM_PREFER,     /* the rank's nodes first, others when they are full (MPOL_PREFERRED_MANY) */
	PIT_MEM_BIND,       /* the rank's nodes only (MPOL_BIND) */
	PIT_MEM_INTERLEAVE, /* page by page over all nodes allowed */
	PIT_MEM_LOCAL,      /* the node of the CPU that touches first (MPOL_LOCAL), whatever was inherited */
	PIT_MEM_NONE,       /* as inherited */
};
enum pit_spill { PIT_SPILL_NEAREST, PIT_SPILL_NONE };
enum pit_gpu_view {
	PIT_GPU_VIEW_AUTO, /* all when each rank has a whole GPU of its own or there is one rank, else own */
	PIT_GPU_VIEW_ALL,  /* each rank sees all GPUs of the job, in order: rank r uses cuda:r */
	PIT_GPU_VIEW_OWN,  /* each rank sees its own GPUs alone, from cuda:0 on */
};

/* NULL-terminated, in the order of the enum; for help, JSON and pit_cli_choice(). */
extern const char *const pit_bind_names[], *const pit_mem_names[], *const pit_spill_names[],
									   *const pit_gpu_view_names[];

#endif
