/* SPDX-License-Identifier: MIT
 *
 * Made-up machines for tests of placements: packages, nodes, L3 caches, cores and threads in the numberings that real
 * firmware uses, with what a job may have of them taken away afterwards. Nothing of it is read from anywhere.
 */
#ifndef PIT_TESTS_LAUNCH_SITE_H
#define PIT_TESTS_LAUNCH_SITE_H

#include <stdlib.h>
#include <string.h>

#include "launch/placement.h"

enum numbering {
	BLOCKED,  /* first threads of all cores, then the second ones (usual on x86) */
	EVEN_ODD, /* as BLOCKED, but cores go round the packages (some Dell machines) */
	ADJACENT, /* the threads of a core follow one another (POWER, some Arm and virtual machines) */
};

struct machine {
	int packages, nodes; /* of each package */
	int l3s;             /* of each node; 0 unknown */
	int cores;           /* of each L3 (of each node when L3s are unknown) */
	int smt;
	enum numbering numbering;
};

static inline void site_add_node(struct pit_site *s, struct pit_site_node node)
{
	s->node = reallocarray(s->node, s->nodes + 1, sizeof(*s->node));
	if (!s->node)
		abort();
	s->node[s->nodes++] = node;
}

/* 10 on a node, 12 in a package, 32 across. */
static inline void site_set_distances(struct pit_site *s, int nodes_of_package)
{
	for (size_t a = 0; a < s->nodes; a++) {
		s->node[a].distance = calloc(s->nodes + 8, sizeof(*s->node[a].distance));
		if (!s->node[a].distance)
			abort();
		for (size_t b = 0; b < s->nodes; b++)
			s->node[a].distance[b] = a == b ? 10 : a / nodes_of_package == b / nodes_of_package ? 12 : 32;
	}
}

static inline int machine_cpu(const struct machine *m, int core, int thread)
{
	int of_package = m->nodes * (m->l3s ? m->l3s : 1) * m->cores, all = m->packages * of_package;

	if (m->numbering == ADJACENT)
		return core * m->smt + thread;
	if (m->numbering == EVEN_ODD)
		core = core % of_package * m->packages + core / of_package;
	return thread * all + core;
}

static inline int site_by_cpu(const void *a, const void *b)
{
	const struct pit_site_core *x = a, *y = b;

	return pit_idset_next(&x->cpus, 0) - pit_idset_next(&y->cpus, 0);
}

static inline struct pit_site site_make(struct machine m)
{
	int of_node = (m.l3s ? m.l3s : 1) * m.cores, all = m.packages * m.nodes * of_node;
	struct pit_site s = {.core = calloc((size_t)all, sizeof(*s.core)), .cores = (size_t)all};

	s.l3s = (size_t)(m.packages * m.nodes * m.l3s);
	for (int i = 0; i < m.packages * m.nodes; i++)
		site_add_node(&s, (struct pit_site_node){.id = i, .cpus = true, .mem = true, .kind = PIT_NODE_DRAM});
	site_set_distances(&s, m.nodes);
	for (int c = 0; c < all; c++) {
		struct pit_site_core *core = &s.core[c];

		core->threads = (unsigned)m.smt;
		core->node_at = c / of_node;
		core->l3_at = m.l3s ? c / m.cores : -1;
		core->package = c / of_node / m.nodes;
		for (int t = 0; t < m.smt; t++)
			if (pit_idset_add(&core->cpus, (size_t)machine_cpu(&m, c, t)) ||
			    pit_idset_add(&s.allowed, (size_t)machine_cpu(&m, c, t)))
				abort();
	}
	qsort(s.core, s.cores, sizeof(*s.core), site_by_cpu);
	return s;
}

static inline struct pit_site_gpu *site_add_gpu(struct pit_site *s, int node_at)
{
	struct pit_site_gpu *g;

	s->gpu = reallocarray(s->gpu, s->gpus + 1, sizeof(*s->gpu));
	if (!s->gpu)
		abort();
	g = &s->gpu[s->gpus];
	*g = (struct pit_site_gpu){.vendor = 0x10de, .parent = (int)s->gpus, .node_at = node_at, .nic_at = -1};
	g->source = node_at < 0 ? PIT_NODE_FROM_NOTHING : PIT_NODE_FROM_SYSFS;
	snprintf(g->uuid, sizeof(g->uuid), "GPU-%08zx", s->gpus);
	snprintf(g->pci, sizeof(g->pci), "0000:%02zx:00.0", s->gpus * 16 + 5);
	s->gpus++;
	return g;
}

/* GPUs on these nodes, in the job's order; ended by -2. */
static inline void site_add_gpus(struct pit_site *s, const int *nodes)
{
	for (; *nodes != -2; nodes++)
		site_add_gpu(s, *nodes);
}
#define SITE_GPUS(s, ...) site_add_gpus(s, (const int[]){__VA_ARGS__, -2})

/* A node without CPUs, `near` its owner and far from the rest. */
static inline void site_add_memory(struct pit_site *s, enum pit_node_kind kind, bool mem, size_t owner, unsigned near)
{
	size_t at = s->nodes;

	site_add_node(s, (struct pit_site_node){.id = (int)at, .mem = mem, .kind = kind});
	s->node[at].distance = calloc(at + 8, sizeof(*s->node[at].distance));
	if (!s->node[at].distance || at >= 64)
		abort();
	for (size_t b = 0; b < at; b++) {
		s->node[b].distance = reallocarray(s->node[b].distance, at + 1, sizeof(*s->node[b].distance));
		if (!s->node[b].distance)
			abort();
		s->node[at].distance[b] = s->node[b].distance[at] = b == owner ? near : near + 40;
	}
	s->node[at].distance[at] = 10;
}

/* Leaves only `cpus` to the job. With `offline` the others are not there at all. */
static inline void site_keep(struct pit_site *s, const struct pit_idset *cpus, bool offline)
{
	size_t n = 0;

	for (size_t i = 0; i < s->cores; i++) {
		size_t before = pit_idset_count(&s->core[i].cpus), left;

		pit_idset_intersect(&s->core[i].cpus, cpus);
		left = pit_idset_count(&s->core[i].cpus);
		if (offline)
			s->core[i].threads -= (unsigned)(before - left);
		if (left)
			s->core[n++] = s->core[i];
		else
			pit_idset_free(&s->core[i].cpus);
	}
	s->cores = n;
	qsort(s->core, s->cores, sizeof(*s->core), site_by_cpu);
	pit_idset_intersect(&s->allowed, cpus);
	for (size_t i = 0; i < s->nodes; i++) {
		s->node[i].cpus = false;
		for (size_t c = 0; c < n; c++)
			s->node[i].cpus |= s->core[c].node_at == (int)i;
	}
	s->narrowed |= !offline;
}

static inline void site_allow(struct pit_site *s, const char *list)
{
	struct pit_idset cpus = {0};

	if (pit_idset_parse(list, &cpus, NULL))
		abort();
	site_keep(s, &cpus, false);
	pit_idset_free(&cpus);
}

#define auto_site PIT_CLEANUP(pit_site_free) struct pit_site
#define auto_placement PIT_CLEANUP(pit_placement_free) struct pit_placement

static inline struct pit_placement site_plan(const struct pit_site *s, struct pit_placement_request r)
{
	struct pit_placement p = {0};
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_placement_make(s, &r, &p, &err))
		fail_msg("%s", err.text);
	return p;
}

static inline void site_describe(const struct pit_site *s)
{
	char text[256];

	for (size_t i = 0; i < s->cores; i++)
		printf("# core %zu: cpus %s of %u, node %d l3 %d package %d%s\n", i,
		       pit_idset_format(&s->core[i].cpus, text, sizeof(text)), s->core[i].threads, s->core[i].node_at,
		       s->core[i].l3_at, s->core[i].package, s->core[i].irq ? " irq" : "");
	for (size_t i = 0; i < s->nodes; i++)
		printf("# node %d: kind %d%s%s\n", s->node[i].id, s->node[i].kind, s->node[i].cpus ? " cpus" : "",
		       s->node[i].mem ? " mem" : "");
	for (size_t i = 0; i < s->gpus; i++)
		printf("# gpu %zu: node %d%s\n", i, s->gpu[i].node_at, s->gpu[i].mig ? " mig" : "");
}

static inline void site_print(const struct pit_placement *p)
{
	char text[256], mems[64];

	for (int r = 0; r < p->ranks; r++) {
		const struct pit_seat *s = &p->seat[r];

		printf("# rank %d: cpus %s mems %s home %d threads %u cores %u%s gpu %d+%d/%d nic %d distance %u\n", r,
		       pit_idset_format(&s->cpus, text, sizeof(text)), pit_idset_format(&s->mems, mems, sizeof(mems)),
		       s->home_at, s->threads, s->cores, s->shared ? " shared" : "", s->gpu_first, s->gpus,
		       s->gpu_sharers, s->nic_at, s->distance);
		for (size_t i = 0; i < s->why.count; i++)
			printf("#   %s\n", s->why.item[i]);
	}
	printf("# reserved %s", pit_idset_format(&p->reserved, text, sizeof(text)));
	printf(" idle %s\n", pit_idset_format(&p->idle, text, sizeof(text)));
	for (size_t i = 0; i < p->idle_why.count; i++)
		printf("#   %s\n", p->idle_why.item[i]);
	for (size_t i = 0; i < p->warnings.count; i++)
		printf("# warning: %s\n", p->warnings.item[i]);
}

#endif
