/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "topo/model.h"

const struct pit_node *pit_topo_node(const struct pit_topo *t, int id)
{
	for (size_t i = 0; i < t->nodes; i++)
		if (t->node[i].id == id)
			return &t->node[i];
	return NULL;
}

const struct pit_node *pit_topo_node_of_cpu(const struct pit_topo *t, int cpu)
{
	for (size_t i = 0; cpu >= 0 && i < t->nodes; i++)
		if (pit_idset_has(&t->node[i].cpus, (size_t)cpu))
			return &t->node[i];
	return NULL;
}

size_t pit_topo_count(const struct pit_topo *t, enum pit_device_class cls)
{
	size_t count = 0;

	for (size_t i = 0; i < t->devices; i++)
		count += t->device[i].cls == cls;
	return count;
}

/* Without distances only a lone node with CPUs can be called the nearest. */
static const struct pit_node *lone_with_cpus(const struct pit_topo *t)
{
	const struct pit_node *found = NULL;

	for (size_t i = 0; i < t->nodes; i++) {
		if (pit_idset_is_empty(&t->node[i].cpus))
			continue;
		if (found)
			return NULL;
		found = &t->node[i];
	}
	return found;
}

const struct pit_node *pit_topo_nearest_cpus(const struct pit_topo *t, int id)
{
	const struct pit_node *from = pit_topo_node(t, id), *best = NULL;
	unsigned least = 0;

	if (!from)
		return NULL;
	if (!pit_idset_is_empty(&from->cpus))
		return from;
	if (!from->distance)
		return lone_with_cpus(t);
	for (size_t i = 0; i < t->nodes; i++) {
		if (pit_idset_is_empty(&t->node[i].cpus) || (best && from->distance[i] >= least))
			continue;
		best = &t->node[i];
		least = from->distance[i];
	}
	return best;
}

int pit_topo_shared_bridges(const struct pit_topo *t, const struct pit_device *a, const struct pit_device *b)
{
	const char *x = a->bridges, *y = b->bridges;
	int shared = 0;

	if (!*x || !*y)
		return -1;
	for (;;) {
		size_t n = strcspn(x, "/"), m = strcspn(y, "/");

		if (!n || n != m || strncmp(x, y, n) != 0)
			return shared;
		shared++;
		x += n + (x[n] == '/');
		y += m + (y[m] == '/');
	}
}
