/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "host/procfs.h"
#include "topo/parts.h"

#define NODE_DIR "/sys/devices/system/node"
#define NODES_MAX 1024 /* of the kernel: NODES_SHIFT is at most 10 */

static int load_node_cpus(struct pit_root *root, const struct pit_topo *t, struct pit_node *n, bool *ret_known)
{
	struct pit_text text;
	int rc = pit_root_idset(root, &n->cpus, NODE_DIR "/node%d/cpulist", n->id);

	if (rc && !pit_root_read(root, &text, NODE_DIR "/node%d/cpumap", n->id))
		rc = pit_idset_parse_mask(text.data, &n->cpus, NULL);
	*ret_known = !rc;
	if (t->cpus.count > 0)
		pit_idset_intersect(&n->cpus, &t->cpus.online);
	return rc == -ENOMEM ? rc : 0;
}

/* "Node 0 MemTotal:  16384 kB" */
static void load_node_memory(struct pit_root *root, struct pit_node *n)
{
	struct pit_text text;
	char key[32];
	uint64_t kb;

	n->mem_kb = -1;
	snprintf(key, sizeof(key), "Node %d MemTotal", n->id);
	if (!pit_root_read(root, &text, NODE_DIR "/node%d/meminfo", n->id) && !pit_kv_u64(text.data, key, &kb) &&
	    kb <= INT64_MAX)
		n->mem_kb = (int64_t)kb;
}

/* The n-th number belongs to the n-th node that there is. -EBADMSG: not one for each. */
static int parse_distances(const char *text, size_t count, unsigned *ret)
{
	size_t i = 0;
	int skip;

	while (i < count && sscanf(text, " %5u%n", &ret[i], &skip) == 1) {
		text += skip;
		i++;
	}
	return i == count && strspn(text, " \t\n") == strlen(text) ? 0 : -EBADMSG;
}

/* Row of node `id` among all `count` directories, then only the columns that `keep` has. */
static unsigned *load_distances(struct pit_root *root, int id, const bool *keep, size_t count)
{
	pit_auto_free unsigned *row = calloc(count, sizeof(*row));
	struct pit_text text;
	size_t kept = 0;

	if (!row || pit_root_read(root, &text, NODE_DIR "/node%d/distance", id) ||
	    parse_distances(text.data, count, row))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (keep[i])
			row[kept++] = row[i];
	return pit_take(row);
}

static int list_ids(struct pit_root *root, int **ret, size_t *ret_count)
{
	const struct pit_strv *names;
	pit_auto_free int *ids = NULL;
	size_t count = 0;

	if (pit_root_list(root, &names, NODE_DIR) || !names->count)
		return 0;
	ids = calloc(names->count, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++) {
		uint64_t id;

		if (!strncmp(names->item[i], "node", 4) && !pit_parse_u64(names->item[i] + 4, &id) && id < NODES_MAX &&
		    count < NODES_MAX)
			ids[count++] = (int)id;
	}
	*ret = pit_take(ids);
	*ret_count = count;
	return 0;
}

/* A node that has neither CPUs nor memory is a number that the firmware keeps for later; it is left out. */
static int load_each(struct pit_root *root, struct pit_topo *t, const int *ids, size_t count, bool *keep)
{
	for (size_t i = 0; i < count; i++) {
		struct pit_node n = {.id = ids[i]};
		bool cpus_known = false;
		int rc = load_node_cpus(root, t, &n, &cpus_known);

		if (rc)
			return rc;
		load_node_memory(root, &n);
		n.mem_only = pit_idset_is_empty(&n.cpus) && cpus_known && n.mem_kb > 0;
		keep[i] = (cpus_known || n.mem_kb >= 0) && (!pit_idset_is_empty(&n.cpus) || n.mem_kb != 0);
		if (keep[i])
			t->node[t->nodes++] = n;
		else
			pit_idset_free(&n.cpus);
	}
	return 0;
}

static void load_total(struct pit_root *root, struct pit_topo *t)
{
	struct pit_text text;
	uint64_t kb;

	t->mem_kb = -1;
	if (!pit_root_read(root, &text, "/proc/meminfo") && !pit_kv_u64(text.data, "MemTotal", &kb) &&
	    kb <= INT64_MAX) {
		t->mem_kb = (int64_t)kb;
		return;
	}
	for (size_t i = 0; i < t->nodes; i++) {
		if (t->node[i].mem_kb < 0 ||
		    __builtin_add_overflow(t->mem_kb < 0 ? 0 : t->mem_kb, t->node[i].mem_kb, &t->mem_kb)) {
			t->mem_kb = -1;
			return;
		}
	}
}

static enum pit_node_kind *kinds_of_shape(const struct pit_shape *shape, int id)
{
	for (size_t i = 0; i < shape->memories; i++)
		if (shape->memory[i].node == id && shape->memory[i].kind != PIT_NODE_UNKNOWN)
			return &shape->memory[i].kind;
	return NULL;
}

/* Memory that the kernel got from a device: the way to the device says of what kind. */
static void kinds_from_dax(struct pit_root *root, struct pit_topo *t)
{
	const struct pit_strv *names;

	if (pit_root_list(root, &names, "/sys/bus/dax/devices"))
		return;
	for (size_t i = 0; i < names->count; i++) {
		const char *path;
		int64_t target;

		if (pit_root_link(root, &path, "/sys/bus/dax/devices/%s", names->item[i]) ||
		    pit_root_i64(root, &target, "/sys/bus/dax/devices/%s/target_node", names->item[i]))
			continue;
		for (size_t j = 0; j < t->nodes; j++) {
			if (t->node[j].id != target || !t->node[j].mem_only)
				continue;
			if (strstr(path, "/ndbus"))
				t->node[j].kind = PIT_NODE_PMEM;
			else if (strstr(path, "cxl") || strstr(path, "/ACPI0017"))
				t->node[j].kind = PIT_NODE_CXL;
		}
	}
}

/* NVIDIA's driver names the node that it made of a GPU's memory (Grace Hopper, Grace Blackwell, POWER9). */
static void kinds_from_driver(struct pit_root *root, struct pit_topo *t)
{
	const struct pit_strv *names;

	if (pit_root_list(root, &names, "/proc/driver/nvidia/gpus"))
		return;
	for (size_t i = 0; i < names->count; i++) {
		struct pit_text text;
		uint64_t id;

		if (pit_root_read(root, &text, "/proc/driver/nvidia/gpus/%s/numa_status", names->item[i]) ||
		    pit_kv_u64(text.data, "Node", &id))
			continue;
		for (size_t j = 0; j < t->nodes; j++)
			if ((uint64_t)t->node[j].id == id && t->node[j].mem_only)
				t->node[j].kind = PIT_NODE_GPU;
	}
}

/* A node with CPUs holds ordinary memory, unless something says otherwise: memory that is only a cache for another
 * kind does. Without a sign a node that is nothing but memory could be anything. */
static void load_kinds(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t)
{
	for (size_t i = 0; i < t->nodes; i++) {
		struct pit_node *n = &t->node[i];
		const enum pit_node_kind *told = kinds_of_shape(shape, n->id);

		if (told)
			n->kind = *told;
		else if (!pit_idset_is_empty(&n->cpus) && n->mem_kb != 0 &&
			 pit_root_exists(root, NODE_DIR "/node%d/memory_side_cache", n->id))
			n->kind = PIT_NODE_DRAM;
	}
	kinds_from_dax(root, t);
	kinds_from_driver(root, t);
}

int pit_topo_load_nodes(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t)
{
	pit_auto_free int *ids = NULL;
	pit_auto_free bool *keep = NULL;
	size_t count = 0;
	int rc = list_ids(root, &ids, &count);

	if (!rc && count) {
		keep = calloc(count, sizeof(*keep));
		t->node = calloc(count, sizeof(*t->node));
		rc = keep && t->node ? load_each(root, t, ids, count, keep) : -ENOMEM;
	}
	if (rc)
		return rc;
	t->nodes_known = t->nodes > 0;
	for (size_t i = 0; i < t->nodes; i++)
		t->node[i].distance = load_distances(root, t->node[i].id, keep, count);
	load_kinds(root, shape, t);
	load_total(root, t);
	return 0;
}
