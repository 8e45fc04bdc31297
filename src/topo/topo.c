/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "topo/parts.h"

const char *pit_node_kind_name(enum pit_node_kind kind)
{
	static const char *const names[] = {
		[PIT_NODE_UNKNOWN] = "unknown", [PIT_NODE_DRAM] = "dram", [PIT_NODE_GPU] = "gpu",
		[PIT_NODE_CXL] = "cxl",         [PIT_NODE_HBM] = "hbm",   [PIT_NODE_PMEM] = "pmem",
	};

	return names[kind];
}

const char *pit_device_class_name(enum pit_device_class cls)
{
	static const char *const names[] = {
		[PIT_DEVICE_GPU] = "gpu",
		[PIT_DEVICE_NIC] = "nic",
		[PIT_DEVICE_IB] = "ib",
		[PIT_DEVICE_NVME] = "nvme",
	};

	return names[cls];
}

const char *pit_node_source_name(enum pit_node_source source)
{
	static const char *const names[] = {
		[PIT_NODE_FROM_NOTHING] = "unknown", [PIT_NODE_FROM_SYSFS] = "sysfs",
		[PIT_NODE_FROM_CPUS] = "local_cpus", [PIT_NODE_FROM_BRIDGE] = "bridge",
		[PIT_NODE_FROM_NVML] = "nvml",
	};

	return names[source];
}

static void free_node(struct pit_node *n)
{
	pit_idset_free(&n->cpus);
	free(n->distance);
}

void pit_topo_free(struct pit_topo *t)
{
	if (!t)
		return;
	pit_idset_free(&t->cpus.online);
	pit_idset_free(&t->cpus.possible);
	pit_idset_free(&t->cpus.offline);
	pit_idset_free(&t->cpus.isolated);
	pit_idset_free(&t->allowed.cpus);
	pit_idset_free(&t->allowed.mems);
	for (size_t i = 0; i < t->package_sets; i++)
		pit_idset_free(&t->package[i]);
	for (size_t i = 0; i < t->core_sets; i++)
		pit_idset_free(&t->core[i]);
	for (size_t i = 0; i < t->nodes; i++)
		free_node(&t->node[i]);
	for (size_t i = 0; i < t->caches; i++)
		pit_idset_free(&t->cache[i].cpus);
	for (size_t i = 0; i < t->devices; i++)
		pit_idset_free(&t->device[i].cpus);
	pit_strv_free(&t->contradictions);
	free(t->package);
	free(t->core);
	free(t->node);
	free(t->cache);
	free(t->device);
	free(t);
}

static void free_topo(struct pit_topo **t)
{
	int saved = errno;

	pit_topo_free(*t);
	errno = saved;
}

/* Keeps the caches over online CPUs; those of offline CPUs alone are none. */
static void take_caches(struct pit_shape *shape, struct pit_topo *t)
{
	size_t kept = 0;

	t->cache = pit_take(shape->cache);
	for (size_t i = 0; i < shape->caches; i++) {
		struct pit_cache *c = &t->cache[i];

		if (t->cpus.count > 0)
			pit_idset_intersect(&c->cpus, &t->cpus.online);
		if (pit_idset_is_empty(&c->cpus))
			pit_idset_free(&c->cpus);
		else
			t->cache[kept++] = *c;
	}
	t->caches = kept;
	shape->caches = 0;
}

int pit_topo_load(struct pit_root *root, struct pit_topo **ret, struct pit_error *err)
{
	PIT_CLEANUP(free_topo) struct pit_topo *t = calloc(1, sizeof(*t));
	PIT_CLEANUP(pit_shape_free) struct pit_shape shape = {.packages = -1, .cores = -1};
	int rc = t ? 0 : -ENOMEM;

	if (!rc)
		rc = pit_shape_load(root, &shape, NULL) == -ENOMEM ? -ENOMEM : 0;
	if (!rc)
		rc = pit_topo_load_cpus(root, &shape, t);
	if (!rc)
		rc = pit_topo_load_packages(root, &shape, t);
	if (!rc)
		rc = pit_topo_load_nodes(root, &shape, t);
	if (!rc)
		rc = pit_topo_load_allowed(root, t);
	if (!rc)
		rc = pit_topo_load_devices(root, t);
	if (!rc)
		rc = pit_topo_load_contradictions(root, &shape, t);
	if (rc)
		return pit_fail(err, -rc, "the topology: %s", strerror(-rc));
	take_caches(&shape, t);
	*ret = pit_take(t);
	return 0;
}
