/* SPDX-License-Identifier: MIT
 *
 * What the parts of a placement share while it is made. Each part reads what the parts before it wrote:
 *
 *	seats     the ranks and their GPUs (placement_gpus.c)
 *	units     the cores that may be used, without the reserved ones (placement_units.c)
 *	members   who is at home where (placement_homes.c)
 *	seats     CPUs: divided (placement_divide.c) or shared (placement_shared.c)
 *	seats     memory, NIC, threads, distance (placement_near.c); what is idle (placement_idle.c)
 */
#ifndef PIT_LAUNCH_PLACEMENT_DRAFT_H
#define PIT_LAUNCH_PLACEMENT_DRAFT_H

#include "launch/placement.h"

struct pit_unit {              /* a core as ranks may use it */
	struct pit_idset cpus; /* its allowed threads; with one_thread the lowest of them */
	unsigned threads;      /* in cpus; at least 1 */
	int cpu;               /* the lowest */
	int group, l3_at, package;
	bool irq;
};

struct pit_group {
	size_t first, count; /* its units */
	unsigned threads;
	int package; /* of its first core, usable or not; -1 unknown */
};

struct pit_member { /* a rank and a group whose cores it takes part in */
	int rank, group;
	unsigned weight; /* its GPUs there; 1 without any */
	bool guest;      /* not at home there: its home is unknown, or has fewer CPUs than ranks */
};

struct pit_draft {
	const struct pit_site *site;
	const struct pit_placement_request *request;
	struct pit_placement *p;
	struct pit_unit *unit; /* in order of group, L3, lowest CPU */
	size_t units;
	struct pit_group *group;   /* by position of the site's nodes; the last one: cores whose node is unknown */
	size_t groups;             /* nodes and one */
	struct pit_member *member; /* in order of rank; the first of a rank is its home */
	size_t members;
};

/* All of these return 0 or -errno; only those with `err` refuse a request. */
int pit_draft_seats(struct pit_draft *d, struct pit_error *err); /* ranks, view, GPUs */
int pit_draft_units(struct pit_draft *d, struct pit_error *err); /* reserved cores, units, groups */
int pit_draft_homes(struct pit_draft *d);
int pit_draft_divide(struct pit_draft *d); /* exclusive */
int pit_draft_share(struct pit_draft *d);  /* node, l3, socket */
int pit_draft_memory(struct pit_draft *d);
int pit_draft_near(struct pit_draft *d); /* NIC, threads, cores, distance */
int pit_draft_idle(struct pit_draft *d);

/* How far group `to` is from group `from`: less is nearer; at equal or unknown distance the same package is nearer. */
uint64_t pit_draft_way(const struct pit_draft *d, int from, int to);

/* The group with units that is nearest to node `at` (itself when it has some); -1 when none has. */
int pit_draft_nearest(const struct pit_draft *d, int at);

unsigned pit_draft_distance(const struct pit_draft *d, int from, int to); /* 0 unknown */

/* The node of a GPU; -1 unknown. */
int pit_draft_gpu_node(const struct pit_draft *d, int gpu);

/* Members of a group, of which `ret_home` (may be NULL) are at home. */
size_t pit_draft_members(const struct pit_draft *d, int group, size_t *ret_home);

/* "node 3", "GPU 0000:65:00.0", ...; these return `out`. */
char *pit_draft_group_name(const struct pit_draft *d, int group, char *out, size_t size);
char *pit_draft_gpu_name(const struct pit_draft *d, int gpu, char *out, size_t size);

#endif
