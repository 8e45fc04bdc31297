/* SPDX-License-Identifier: MIT
 *
 * Sources that cannot all be right. Each becomes one sentence; what follows from it is left to the reader.
 */
#include <inttypes.h>
#include <string.h>

#include "topo/parts.h"

#define NODE_DIR "/sys/devices/system/node"
#define PAIRS_MAX 1000000 /* a recording can claim anything: do not compare for ever */

static const char *list(const struct pit_idset *s, char *out, size_t size)
{
	return pit_idset_is_empty(s) ? "none" : pit_idset_format(s, out, size);
}

/* A node may hold several packages, and a package several nodes; a node that has parts of two cannot be. Guests get
 * such cells when the host does not tell them its packages. */
static int packages_against_nodes(const struct pit_shape *shape, struct pit_topo *t)
{
	char a[64], b[64];

	if (t->nodes * shape->package_count > PAIRS_MAX)
		return 0;
	for (size_t i = 0; i < t->nodes; i++) {
		const struct pit_idset *node = &t->node[i].cpus;

		for (size_t j = 0; j < shape->package_count; j++) {
			const struct pit_idset *package = &shape->package[j];

			if (!pit_idset_intersects(node, package) || pit_idset_is_subset(node, package) ||
			    pit_idset_is_subset(package, node))
				continue;
			return pit_strv_addf(&t->contradictions,
					     "node %d (CPUs %s) cuts across a package (CPUs %s): the layout that this "
					     "machine is told cannot be trusted",
					     t->node[i].id, list(node, a, sizeof(a)), list(package, b, sizeof(b)));
		}
	}
	return 0;
}

static int overlapping_nodes(struct pit_topo *t)
{
	for (size_t i = 0; i < t->nodes; i++)
		for (size_t j = i + 1; j < t->nodes; j++)
			if (pit_idset_intersects(&t->node[i].cpus, &t->node[j].cpus))
				return pit_strv_addf(&t->contradictions, "nodes %d and %d claim the same CPUs",
						     t->node[i].id, t->node[j].id);
	return 0;
}

static int cpus_without_node(struct pit_topo *t)
{
	pit_auto_idset struct pit_idset rest = {0};
	char a[64];
	int rc = pit_idset_copy(&rest, &t->cpus.online);

	if (rc || !t->nodes_known)
		return rc;
	for (size_t i = 0; i < t->nodes; i++)
		pit_idset_subtract(&rest, &t->node[i].cpus);
	if (pit_idset_is_empty(&rest))
		return 0;
	return pit_strv_addf(&t->contradictions, "CPUs %s are online and in no node", list(&rest, a, sizeof(a)));
}

static int asymmetric(struct pit_topo *t, size_t i, size_t j)
{
	return pit_strv_addf(&t->contradictions, "node %d calls node %d %u away, and is called %u away by it",
			     t->node[i].id, t->node[j].id, t->node[i].distance[j], t->node[j].distance[i]);
}

/* ACPI: 10 is a node itself, 255 out of reach. */
static int distances(struct pit_topo *t)
{
	size_t without = 0;

	for (size_t i = 0; i < t->nodes; i++)
		without += !t->node[i].distance;
	if (without && without < t->nodes)
		return pit_strv_addf(&t->contradictions, "%zu of %zu nodes have no usable distances", without,
				     t->nodes);
	for (size_t i = 0; !without && i < t->nodes; i++) {
		if (t->node[i].distance[i] != 10)
			return pit_strv_addf(&t->contradictions, "node %d calls itself %u away instead of 10",
					     t->node[i].id, t->node[i].distance[i]);
		for (size_t j = 0; j < i; j++) {
			if (t->node[i].distance[j] != t->node[j].distance[i])
				return asymmetric(t, i, j);
			if (t->node[i].distance[j] <= 10)
				return pit_strv_addf(&t->contradictions,
						     "nodes %d and %d are %u away from each other, which is the "
						     "distance of a node from itself",
						     t->node[i].id, t->node[j].id, t->node[i].distance[j]);
		}
	}
	return 0;
}

/* The kernel and its reserved memory are in neither sum, so a tenth is allowed. */
static int memory(struct pit_topo *t)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->nodes; i++)
		if (t->node[i].mem_kb < 0 || __builtin_add_overflow(sum, t->node[i].mem_kb, &sum))
			return 0;
	if (!t->nodes_known || t->mem_kb <= 0 ||
	    (sum <= t->mem_kb + t->mem_kb / 10 && sum >= t->mem_kb - t->mem_kb / 10))
		return 0;
	return pit_strv_addf(&t->contradictions, "the nodes hold %" PRId64 " kB, MemTotal says %" PRId64 " kB", sum,
			     t->mem_kb);
}

static int smt(struct pit_root *root, struct pit_topo *t)
{
	int64_t active;

	if (t->cores <= 0 || pit_root_i64(root, &active, "/sys/devices/system/cpu/smt/active"))
		return 0;
	if (active == 1 && t->cores == t->cpus.count)
		return pit_strv_addf(&t->contradictions, "SMT is called active, and no CPU has a sibling");
	if (active == 0 && t->cores < t->cpus.count)
		return pit_strv_addf(&t->contradictions, "SMT is called off, and %d CPUs share %d cores", t->cpus.count,
				     t->cores);
	return 0;
}

static int node_list(struct pit_root *root, struct pit_topo *t)
{
	pit_auto_idset struct pit_idset listed = {0}, found = {0};
	char a[64], b[64];
	int rc = 0;

	if (!t->nodes_known || pit_root_idset(root, &listed, NODE_DIR "/online"))
		return 0;
	PIT_IDSET_FOREACH (id, &listed) {
		if (!rc && !pit_root_exists(root, NODE_DIR "/node%d", id))
			rc = pit_idset_add(&found, (size_t)id);
	}
	for (size_t i = 0; i < t->nodes && !rc; i++)
		rc = pit_idset_add(&found, (size_t)t->node[i].id);
	if (rc || pit_idset_equal(&listed, &found))
		return rc;
	return pit_strv_addf(&t->contradictions, "nodes %s are listed as online, and there are nodes %s",
			     list(&listed, a, sizeof(a)), list(&found, b, sizeof(b)));
}

static void call(const struct pit_device *d, char *out, size_t size)
{
	snprintf(out, size, "%s %s", pit_device_class_name(d->cls), *d->pci ? d->pci : d->handle);
}

/* numa_node that no node has, or that the list of local CPUs denies. */
static int device_node(struct pit_root *root, struct pit_topo *t, const struct pit_device *d)
{
	pit_auto_idset struct pit_idset told = {0};
	const struct pit_node *n;
	char name[96], a[64], b[64];
	int64_t node;

	if (pit_root_i64(root, &node, "%s/numa_node", d->sysfs) || node < 0 || !t->nodes_known)
		return 0;
	call(d, name, sizeof(name));
	n = node <= INT32_MAX ? pit_topo_node(t, (int)node) : NULL;
	if (!n)
		return pit_strv_addf(&t->contradictions, "%s says node %" PRId64 ", which does not exist", name, node);
	pit_topo_local_cpus(root, t, d, &told);
	if (pit_idset_is_empty(&n->cpus) || pit_idset_is_empty(&told) || pit_idset_intersects(&told, &n->cpus))
		return 0;
	return pit_strv_addf(&t->contradictions, "%s says node %d (CPUs %s), and that CPUs %s are local", name, n->id,
			     list(&n->cpus, a, sizeof(a)), list(&told, b, sizeof(b)));
}

static int gpu_without_cpus(struct pit_topo *t, const struct pit_device *d)
{
	const struct pit_node *n = pit_topo_node(t, d->node), *near;
	char name[96];

	if (d->cls != PIT_DEVICE_GPU || !n || !pit_idset_is_empty(&n->cpus))
		return 0;
	call(d, name, sizeof(name));
	near = pit_topo_nearest_cpus(t, n->id);
	if (!near)
		return pit_strv_addf(&t->contradictions, "%s is on node %d, which has no CPUs", name, n->id);
	return pit_strv_addf(&t->contradictions, "%s is on node %d, which has no CPUs; the nearest CPUs are on node %d",
			     name, n->id, near->id);
}

int pit_topo_load_contradictions(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t)
{
	int rc = packages_against_nodes(shape, t);

	rc = rc ? rc : overlapping_nodes(t);
	rc = rc ? rc : cpus_without_node(t);
	rc = rc ? rc : distances(t);
	rc = rc ? rc : memory(t);
	rc = rc ? rc : smt(root, t);
	rc = rc ? rc : node_list(root, t);
	for (size_t i = 0; i < t->devices && !rc; i++) {
		rc = *t->device[i].sysfs ? device_node(root, t, &t->device[i]) : 0;
		rc = rc ? rc : gpu_without_cpus(t, &t->device[i]);
	}
	return rc;
}
