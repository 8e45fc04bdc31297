/* SPDX-License-Identifier: MIT
 *
 * Planned jobs on regular machines, made by hand for the tests of what prints or runs them.
 */
#ifndef PIT_TESTS_JOB_WORLD_H
#define PIT_TESTS_JOB_WORLD_H

#include <string.h>

#include "base/cleanup.h"
#include "launch/job.h"

struct world_shape {
	int nodes, cores, threads, l3s; /* cores and L3s of each node; siblings are numbered behind all cores */
	int gpus, nics;                 /* of the machine, dealt to the nodes in order */
	int ranks;                      /* cores are dealt in order; with more ranks than cores several get the same */
};

struct world {
	struct pit_job_options options;
	struct pit_job job;
};

static inline void world_site(struct pit_site *s, const struct world_shape *m)
{
	int total = m->nodes * m->cores;

	s->node = calloc((size_t)m->nodes, sizeof(*s->node));
	s->core = calloc((size_t)total, sizeof(*s->core));
	s->gpu = calloc((size_t)m->gpus + 1, sizeof(*s->gpu));
	s->nic = calloc((size_t)m->nics + 1, sizeof(*s->nic));
	s->nodes = (size_t)m->nodes, s->cores = (size_t)total, s->gpus = (size_t)m->gpus, s->nics = (size_t)m->nics;
	s->l3s = (size_t)(m->nodes * m->l3s);
	for (int i = 0; i < m->nodes; i++)
		s->node[i] = (struct pit_site_node){.id = i, .cpus = true, .mem = true, .kind = PIT_NODE_DRAM};
	for (int i = 0; i < total; i++) {
		struct pit_site_core *c = &s->core[i];

		*c = (struct pit_site_core){.threads = (unsigned)m->threads, .node_at = i / m->cores, .l3_at = -1};
		if (m->l3s)
			c->l3_at = i / (m->cores / m->l3s);
		for (int t = 0; t < m->threads; t++)
			pit_idset_add(&c->cpus, (size_t)(i + t * total));
		pit_idset_unite(&s->allowed, &c->cpus);
	}
	for (int i = 0; i < m->gpus; i++) {
		struct pit_site_gpu *g = &s->gpu[i];

		*g = (struct pit_site_gpu){.name = "NVIDIA H100 80GB HBM3", .vendor = 0x10de, .parent = i};
		g->node_at = i * m->nodes / m->gpus;
		g->source = i % 2 ? PIT_NODE_FROM_BRIDGE : PIT_NODE_FROM_SYSFS;
		g->nic_at = m->nics ? i * m->nics / m->gpus : -1;
		snprintf(g->uuid, sizeof(g->uuid), "GPU-8932f937-d72c-4106-c12f-20bd9faed9f%d", i % 10);
		snprintf(g->visible, sizeof(g->visible), "%s", g->uuid);
		snprintf(g->pci, sizeof(g->pci), "0000:%02x:00.0", 0x18 + i * 16);
		snprintf(g->nic_why, sizeof(g->nic_why), "behind the same PCIe bridge");
	}
	for (int i = 0; i < m->nics; i++) {
		struct pit_site_nic *n = &s->nic[i];

		*n = (struct pit_site_nic){.rdma = true, .node_at = i * m->nodes / m->nics};
		snprintf(n->handle, sizeof(n->handle), "mlx5_%d", i);
		snprintf(n->pci, sizeof(n->pci), "0000:%02x:00.0", 0x19 + i * 16);
	}
	snprintf(s->allowed_why, sizeof(s->allowed_why), "affinity");
	snprintf(s->gpus_why, sizeof(s->gpus_why), "NVML");
}

static inline void world_seat(struct pit_seat *s, const struct pit_site *site, const struct world_shape *m, int rank)
{
	int total = (int)site->cores, each = total / m->ranks, first = each ? rank * each : rank % total;

	*s = (struct pit_seat){.nic_at = -1, .distance = 10, .shared = !each};
	s->home_at = site->core[first].node_at;
	for (int i = first; i < first + (each ? each : 1); i++) {
		pit_idset_unite(&s->cpus, &site->core[i].cpus);
		pit_idset_add(&s->mems, (size_t)site->node[site->core[i].node_at].id);
		s->cores++;
	}
	s->threads = s->cores;
	if (m->gpus) {
		s->gpu_first = rank * m->gpus / m->ranks;
		s->gpus = m->gpus > m->ranks ? m->gpus / m->ranks : 1;
		s->gpu_sharers = m->ranks > m->gpus ? m->ranks / m->gpus : 1;
		s->nic_at = site->gpu[s->gpu_first].nic_at;
	}
	pit_strv_addf(&s->why, "its GPU is on node %d", s->home_at);
}

static inline void world_item(struct pit_env *e, const char *name, const char *value, bool kept, const char *why)
{
	struct pit_env_item *i = &e->item[e->items++];

	i->name = strdup(name);
	i->value = value ? strdup(value) : NULL;
	i->why = strdup(why);
	i->kept = kept;
}

static inline void world_env(struct pit_env *e, int rank, unsigned threads)
{
	char number[16];

	e->item = calloc(8, sizeof(*e->item));
	snprintf(number, sizeof(number), "%d", rank);
	world_item(e, "RANK", number, false, "number of the rank");
	world_item(e, "MASTER_ADDR", "127.0.0.1", false, "all ranks are on this host");
	snprintf(number, sizeof(number), "%u", threads);
	world_item(e, "OMP_NUM_THREADS", number, false, "one thread for each core");
	world_item(e, "CUDA_VISIBLE_DEVICES",
		   "GPU-89320000-d72c-4106-c12f-20bd9faed9f0,GPU-89320001-d72c-4106-c12f-20bd9faed9f0,"
		   "GPU-89320002-d72c-4106-c12f-20bd9faed9f0,GPU-89320003-d72c-4106-c12f-20bd9faed9f0",
		   false, rank ? "number 1 is its own" : "number 0 is its own");
	world_item(e, "NCCL_DEBUG", "INFO", true, "set by you");
	world_item(e, "GOMP_CPU_AFFINITY", NULL, false, "it would bind again");
}

/* `w->options.argv` may be set before. To be freed with world_free(). */
static inline void world_make(struct world *w, const struct world_shape *m)
{
	struct pit_job *j = &w->job;
	struct pit_placement *p = &j->placement;

	j->options = &w->options;
	world_site(&j->site, m);
	p->seat = calloc((size_t)m->ranks, sizeof(*p->seat));
	p->ranks = m->ranks;
	p->bind = PIT_BIND_EXCLUSIVE, p->mem = j->mem = PIT_MEM_PREFER, p->view = PIT_GPU_VIEW_ALL;
	j->env = calloc((size_t)m->ranks, sizeof(*j->env));
	for (int i = 0; i < m->ranks; i++) {
		world_seat(&p->seat[i], &j->site, m, i);
		world_env(&j->env[i], i, p->seat[i].threads);
	}
}

static inline void world_free(struct world *w)
{
	pit_job_free(&w->job);
}

#endif
