/* SPDX-License-Identifier: MIT
 *
 * Which rank of this host runs where. A pure function of (site, request): no reads, no clock, no chance. N instances
 * that are given the same two compute the same answer without talking.
 */
#ifndef PIT_LAUNCH_PLACEMENT_H
#define PIT_LAUNCH_PLACEMENT_H

#include "launch/policy.h"
#include "launch/site.h"

#define PIT_RANKS_MAX 4096 /* of one host */

struct pit_placement_request {
	int ranks;   /* of this host; 0: by per_gpu, or 1 */
	int per_gpu; /* ranks for each GPU; 0 not asked for. -EINVAL together with `ranks` when they disagree */
	enum pit_bind bind;
	enum pit_mem mem;
	enum pit_spill spill; /* exclusive: who gets cores of nodes that no rank is at home on */
	enum pit_gpu_view view;
	bool one_thread; /* --smt 1: only the lowest allowed thread of each core */
	int reserve;     /* CPUs kept free for housekeeping, as whole cores: interrupts' cores first, then the lowest */
};

struct pit_seat {              /* of one rank */
	struct pit_idset cpus; /* empty: not bound */
	struct pit_idset mems; /* node ids; empty: memory is not bound */
	int home_at;           /* node (position in the site); -1 none */
	unsigned threads;      /* for OMP_NUM_THREADS: cores that are its own, or its share of the shared; at least 1 */
	unsigned cores;        /* physical cores with a thread in cpus */
	bool shared;           /* other ranks have some of these CPUs too */
	int gpu_first;         /* its GPUs are gpu_first ... gpu_first + gpus - 1 of the site */
	int gpus;              /* 0 none */
	int gpu_sharers;       /* ranks on the same GPU (or MIG instance), itself included; 0 without GPU */
	int nic_at;            /* -1 none */
	unsigned distance;     /* from its GPU's node to its farthest CPU's node; 10 local; 0 unknown */
	struct pit_strv why;   /* sentences: the decision and the evidence */
};

struct pit_placement {
	struct pit_seat *seat;
	int ranks;
	enum pit_bind bind; /* never AUTO */
	enum pit_mem mem;
	enum pit_gpu_view view;
	struct pit_idset reserved; /* housekeeping */
	struct pit_idset idle;     /* allowed, and nobody's; `idle_why` says why */
	struct pit_strv idle_why;
	struct pit_strv warnings; /* sentences: fewer cores than ranks, a GPU without rank, unknown nodes, ... */
};

/* -EINVAL: the request contradicts itself or the site (more reserved than there is, --per-gpu without GPUs); `err`
 * says what to do. Fewer cores than ranks is no error: threads are shared, then cores, with a warning. */
int pit_placement_make(const struct pit_site *site, const struct pit_placement_request *request,
		       struct pit_placement *ret, struct pit_error *err);
void pit_placement_free(struct pit_placement *p); /* back to all-zero */

#endif
