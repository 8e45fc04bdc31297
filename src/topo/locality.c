/* SPDX-License-Identifier: MIT
 *
 * The NUMA node of a device, from the first of these that says: its numa_node; its list of local CPUs when that lies in
 * one node; numa_node of the nearest bridge above it; NVML. Firmware that says nothing leaves -1, and the kernel then
 * calls all CPUs local: neither is an answer.
 */
#include <jansson.h>
#include <string.h>

#include "host/nvml.h"
#include "topo/parts.h"

/* A node that exists; trees without nodes cannot contradict. */
static bool is_node(const struct pit_topo *t, int64_t id)
{
	return id >= 0 && id <= INT32_MAX && (!t->nodes_known || pit_topo_node(t, (int)id));
}

/* The one node that holds all of `cpus`; -1 when none or several do. */
static int node_of_cpus(const struct pit_topo *t, const struct pit_idset *cpus)
{
	int found = -1;

	if (pit_idset_is_empty(cpus))
		return -1;
	for (size_t i = 0; i < t->nodes; i++) {
		if (!pit_idset_is_subset(cpus, &t->node[i].cpus))
			continue;
		if (found >= 0)
			return -1;
		found = t->node[i].id;
	}
	return found;
}

static void settle(struct pit_device *d, int node, enum pit_node_source source)
{
	d->node = node;
	d->node_source = source;
}

/* numa_node of the bridges from the nearest upwards; -1 when none says. */
static int node_of_bridges(struct pit_root *root, const struct pit_topo *t, const struct pit_device *d)
{
	char path[sizeof(d->bridges)];

	snprintf(path, sizeof(path), "%s", d->bridges);
	while (*path) {
		char *slash = strrchr(path, '/');
		int64_t node;

		if (!pit_root_i64(root, &node, "/sys/devices/%s/numa_node", path) && is_node(t, node))
			return (int)node;
		if (!slash)
			break;
		*slash = '\0';
	}
	return -1;
}

void pit_topo_local_cpus(struct pit_root *root, const struct pit_topo *t, const struct pit_device *d,
			 struct pit_idset *ret)
{
	struct pit_text mask;

	if ((pit_root_idset(root, ret, "%s/local_cpulist", d->sysfs) || pit_idset_is_empty(ret)) &&
	    !pit_root_read(root, &mask, "%s/local_cpus", d->sysfs))
		(void)pit_idset_parse_mask(mask.data, ret, NULL);
	if (t->cpus.count > 0)
		pit_idset_intersect(ret, &t->cpus.online);
}

/* When the CPUs are not told, those of the node are the local ones. */
static int local_cpus(const struct pit_topo *t, struct pit_device *d, const struct pit_idset *told)
{
	const struct pit_node *n = pit_topo_node(t, d->node);
	bool filler = d->node_source != PIT_NODE_FROM_SYSFS && t->cpus.count > 0 &&
		      pit_idset_is_subset(&t->cpus.online, told);

	if (!pit_idset_is_empty(told) && !filler)
		return pit_idset_copy(&d->cpus, told);
	return n ? pit_idset_copy(&d->cpus, &n->cpus) : 0;
}

int pit_topo_locate(struct pit_root *root, struct pit_topo *t, struct pit_device *d)
{
	pit_auto_idset struct pit_idset told = {0};
	int64_t node;
	int by_cpus, by_bridge;

	if (!*d->sysfs)
		return 0;
	pit_topo_local_cpus(root, t, d, &told);
	by_cpus = node_of_cpus(t, &told);
	if (!pit_root_i64(root, &node, "%s/numa_node", d->sysfs) && is_node(t, node))
		settle(d, (int)node, PIT_NODE_FROM_SYSFS);
	else if (by_cpus >= 0)
		settle(d, by_cpus, PIT_NODE_FROM_CPUS);
	else if ((by_bridge = node_of_bridges(root, t, d)) >= 0)
		settle(d, by_bridge, PIT_NODE_FROM_BRIDGE);
	return local_cpus(t, d, &told);
}

/* NVML writes the domain with eight digits in some versions: addresses are the same when they end the same. */
static struct pit_device *gpu_at(struct pit_topo *t, const char *pci)
{
	struct pit_device *d = pit_topo_device_at(t, PIT_DEVICE_GPU, pci);

	while (!d && *pci == '0' && strcspn(pci, ":") > 4)
		d = pit_topo_device_at(t, PIT_DEVICE_GPU, ++pci);
	return d;
}

static void copy_string(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text && *text)
		snprintf(to, size, "%s", text);
}

static void take_memory_node(struct pit_topo *t, const json_t *gpu)
{
	const json_t *node = json_object_get(gpu, "node");

	for (size_t i = 0; json_is_integer(node) && i < t->nodes; i++)
		if (t->node[i].id == json_integer_value(node) && t->node[i].mem_only)
			t->node[i].kind = PIT_NODE_GPU;
}

static int take_gpu(struct pit_topo *t, const json_t *gpu)
{
	const char *pci = json_string_value(json_object_get(gpu, "pci"));
	const char *list = json_string_value(json_object_get(gpu, "cpus"));
	pit_auto_idset struct pit_idset cpus = {0};
	struct pit_device *d = pci ? gpu_at(t, pci) : NULL;
	const json_t *minor = json_object_get(gpu, "minor");
	int node;

	if (!d)
		return 0;
	copy_string(d->name, sizeof(d->name), gpu, "name");
	copy_string(d->uuid, sizeof(d->uuid), gpu, "uuid");
	if (json_is_integer(minor))
		snprintf(d->handle, sizeof(d->handle), "nvidia%d", (int)json_integer_value(minor));
	take_memory_node(t, gpu);
	if (d->node >= 0 || !list || pit_idset_parse(list, &cpus, NULL))
		return 0;
	pit_idset_intersect(&cpus, &t->cpus.online);
	node = node_of_cpus(t, &cpus);
	if (node < 0)
		return 0;
	settle(d, node, PIT_NODE_FROM_NVML);
	return pit_idset_copy(&d->cpus, &cpus);
}

static bool has_nvidia(const struct pit_topo *t)
{
	for (size_t i = 0; i < t->devices; i++)
		if (t->device[i].cls == PIT_DEVICE_GPU && t->device[i].vendor == 0x10de)
			return true;
	return false;
}

/* Loading the library takes long and wakes the GPU: only where there is one. */
int pit_topo_ask_nvml(struct pit_root *root, struct pit_topo *t)
{
	json_t *all = NULL, *gpus, *gpu;
	size_t i;
	int rc = 0;

	if (!has_nvidia(t) || pit_nvml_load(root, &all, NULL))
		return 0;
	gpus = json_object_get(all, "gpus");
	json_array_foreach(gpus, i, gpu) if (!rc) rc = take_gpu(t, gpu);
	json_decref(all);
	return rc;
}
