/* SPDX-License-Identifier: MIT */
#include "check/numa.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/offenders.h"

static const char *size_text(int64_t kb, char *out, size_t size)
{
	return pit_format_size((uint64_t)kb << 10, out, size);
}

/* The smallest node against the largest; firmware and crash kernels take a little from the first. */
#define SMALLEST_SHARE 0.75

int pit_numa_balance_of_memory(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			       struct pit_error *err)
{
	const struct pit_node *low = NULL, *high = NULL;
	const struct pit_topo *topo;
	char a[32], b[32];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];

		if (pit_idset_is_empty(&n->cpus) || n->mem_kb <= 0)
			continue;
		low = !low || n->mem_kb < low->mem_kb ? n : low;
		high = !high || n->mem_kb > high->mem_kb ? n : high;
	}
	if (!low || low == high)
		return low ? pit_pass(out, "nodes alike") : pit_skip(out, "the sizes of the nodes are unknown");
	size_text(low->mem_kb, a, sizeof(a));
	size_text(high->mem_kb, b, sizeof(b));
	pit_want(out, "the smallest node has at least %.0f%% of the largest", SMALLEST_SHARE * 100);
	pit_evidence(out, "/sys/devices/system/node", "node %d has %s, node %d has %s", low->id, a, high->id, b);
	if ((double)low->mem_kb >= SMALLEST_SHARE * (double)high->mem_kb)
		return pit_pass(out, "%s to %s a node", a, b);
	return pit_bad(out, "node %d has %s, node %d has %s", low->id, a, high->id, b);
}

int pit_numa_memoryless(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders bare = {0};
	const struct pit_topo *topo;
	size_t unknown = 0;
	char cpus[64];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];

		unknown += n->mem_kb < 0;
		if (n->mem_kb || pit_idset_is_empty(&n->cpus))
			continue;
		pit_offenders_add(&bare, "node %d", n->id);
		pit_evidence(out, "/sys/devices/system/node", "node %d: no memory for CPUs %s", n->id,
			     pit_idset_format(&n->cpus, cpus, sizeof(cpus)));
	}
	pit_want(out, "memory on every node that has CPUs");
	if (bare.count)
		return pit_bad(out, "no memory on %s", pit_offenders_text(&bare));
	if (unknown)
		return pit_skip(out, "the size of %zu of %zu nodes is unknown", unknown, topo->nodes);
	return pit_pass(out, "all %zu nodes with CPUs have memory", topo->nodes);
}

static bool may_use(const struct pit_topo *topo, int node)
{
	return pit_idset_is_empty(&topo->allowed.mems) || pit_idset_has(&topo->allowed.mems, (size_t)node);
}

static bool is_far(const struct pit_node *n)
{
	return n->kind == PIT_NODE_CXL || n->kind == PIT_NODE_PMEM;
}

/* Suggests the nodes with CPUs and memory. */
static void bind_near(const struct pit_topo *topo, struct pit_finding *out)
{
	pit_auto_idset struct pit_idset near = {0};
	char text[64];

	for (size_t i = 0; i < topo->nodes; i++)
		if (!pit_idset_is_empty(&topo->node[i].cpus) && topo->node[i].mem_kb > 0 &&
		    pit_idset_add(&near, (size_t)topo->node[i].id))
			return;
	if (!pit_idset_is_empty(&near))
		pit_command(out, "numactl --membind=%s <PROGRAM>", pit_idset_format(&near, text, sizeof(text)));
}

int pit_numa_far_memory(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders far = {0};
	int64_t far_kb = 0, all_kb = 0;
	const struct pit_topo *topo;
	char size[32];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];

		if (n->mem_kb <= 0)
			continue;
		all_kb += n->mem_kb;
		if (!is_far(n) || !may_use(topo, n->id))
			continue;
		far_kb += n->mem_kb;
		pit_offenders_add(&far, "node %d (%s)", n->id, pit_node_kind_name(n->kind));
		pit_evidence(out, "/sys/devices/system/node", "node %d: %s of kind %s", n->id,
			     size_text(n->mem_kb, size, sizeof(size)), pit_node_kind_name(n->kind));
	}
	pit_want(out, "no far memory among the nodes that this work may use");
	if (!far.count)
		return pit_pass(out, "none");
	bind_near(topo, out);
	return pit_bad(out, "%s, %.0f%% of the memory: %s", size_text(far_kb, size, sizeof(size)),
		       100.0 * (double)far_kb / (double)all_kb, pit_offenders_text(&far));
}

int pit_numa_gpu_memory(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders open = {0};
	const struct pit_topo *topo;
	size_t gpu_nodes = 0;
	char size[32];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];

		if (n->kind != PIT_NODE_GPU)
			continue;
		gpu_nodes++;
		if (n->mem_kb <= 0 || !may_use(topo, n->id))
			continue;
		pit_offenders_add(&open, "%d", n->id);
		pit_evidence(out, "/sys/devices/system/node", "node %d: %s of GPU memory", n->id,
			     size_text(n->mem_kb, size, sizeof(size)));
	}
	pit_want(out, "no GPU memory among the nodes that CPU allocations may use");
	if (!open.count)
		return pit_pass(out, gpu_nodes ? "GPU memory nodes are empty or not allowed" : "none");
	bind_near(topo, out);
	return pit_bad(out, "node%s %s", open.count > 1 ? "s" : "", pit_offenders_text(&open));
}

int pit_numa_contradictions(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	const struct pit_topo *topo;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	pit_want(out, "all sources agree");
	if (!topo->contradictions.count)
		return pit_pass(out, "all sources agree");
	for (size_t i = 0; i < topo->contradictions.count; i++)
		pit_evidence(out, "topology", "%s", topo->contradictions.item[i]);
	if (topo->contradictions.count > 1)
		return pit_bad(out, "%zu contradictions", topo->contradictions.count);
	return pit_bad(out, "%s", topo->contradictions.item[0]);
}

/* The nodes of the CPUs that we may use, without those that have no memory to give. */
static int nodes_of_allowed_cpus(const struct pit_topo *topo, struct pit_idset *ret)
{
	for (size_t i = 0; i < topo->nodes; i++) {
		const struct pit_node *n = &topo->node[i];
		int rc = 0;

		if (n->mem_kb && pit_idset_intersects(&n->cpus, &topo->allowed.cpus))
			rc = pit_idset_add(ret, (size_t)n->id);
		if (rc)
			return rc;
	}
	return 0;
}

int pit_numa_allowed(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	pit_auto_idset struct pit_idset near = {0}, without = {0};
	const struct pit_topo *topo;
	char a[64], b[64];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&topo->allowed.cpus) || pit_idset_is_empty(&topo->allowed.mems))
		return pit_skip(out, "what this process may use is unknown");
	rc = nodes_of_allowed_cpus(topo, &near);
	rc = rc ? rc : pit_idset_copy(&without, &near);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	pit_idset_subtract(&without, &topo->allowed.mems);
	pit_idset_format(&near, a, sizeof(a));
	pit_idset_format(&topo->allowed.mems, b, sizeof(b));
	pit_want(out, "memory allowed on the nodes of the allowed CPUs (%s)", a);
	pit_evidence(out, topo->allowed.source, "CPUs on nodes %s, memory on nodes %s", a, b);
	if (pit_idset_is_empty(&near))
		return pit_skip(out, "the nodes of the allowed CPUs have no memory");
	if (pit_idset_is_empty(&without))
		return pit_pass(out, "CPUs on nodes %s, memory on nodes %s", a, b);
	if (pit_idset_intersects(&near, &topo->allowed.mems))
		return pit_bad(out, "CPUs on nodes %s, memory on %s only", a, b);
	return pit_judge(out, PIT_FAIL, PIT_HURTING, "CPUs on nodes %s, all memory on nodes %s", a, b);
}

/* Position of the first node whose distances make no sense, or are all the same as its own; -1 none. */
static int without_distances(const struct pit_topo *topo, bool *ret_flat)
{
	for (size_t i = 0; i < topo->nodes; i++) {
		const unsigned *d = topo->node[i].distance;
		bool flat = true;

		for (size_t j = 0; d && j < topo->nodes; j++)
			flat &= j == i || d[j] <= d[i];
		if (flat) {
			*ret_flat = d != NULL;
			return (int)i;
		}
	}
	return -1;
}

int pit_numa_distances(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_topo *topo;
	bool flat = false;
	char path[64];
	int at, rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	/* Every kernel has the file; only a recording can lack it. */
	if (pit_root_exists(pit_facts_root(facts), "/sys/devices/system/node/node%d/distance", topo->node[0].id))
		return pit_skip(out, "the distances were not recorded");
	at = without_distances(topo, &flat);
	pit_want(out, "every node farther from the others than from itself");
	if (at < 0)
		return pit_pass(out, "known between all %zu nodes", topo->nodes);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/distance", topo->node[at].id);
	pit_evidence(out, path,
		     flat ? "no other node is farther than the node itself" : "not one number for each node");
	return pit_bad(out, flat ? "node %d is as near to others as to itself" : "unknown for node %d",
		       topo->node[at].id);
}

int pit_numa_placer(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	const struct pit_proc *numad;
	const struct pit_procs *procs;
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	pit_want(out, "no numad");
	numad = pit_procs_named(procs, "numad");
	if (!numad)
		return pit_pass(out, "no numad");
	pit_evidence(out, "process", "numad runs as %d", numad->pid);
	return pit_bad(out, "numad runs (%d)", numad->pid);
}
