/* SPDX-License-Identifier: MIT */
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/idset.h"
#include "feed/ladder.h"
#include "feed/pool_pages.h"

#define LADDER "node"
#define NODES_MOST 1024

static int nodes_with_memory(struct pit_idset *ret)
{
	pit_auto_fclose FILE *f = fopen("/sys/devices/system/node/has_memory", "re");
	char line[1024];

	if (!f || !fgets(line, sizeof(line), f))
		return -ENOENT;
	return pit_idset_parse(line, ret, NULL);
}

static int bind_to(const struct pit_pages_map *m, unsigned node)
{
	unsigned long mask[NODES_MOST / (8 * sizeof(unsigned long))] = {0};
	unsigned bits = 8 * sizeof(mask[0]);

	if (node >= NODES_MOST)
		return -EINVAL;
	mask[node / bits] |= 1UL << node % bits;
	/* Preferred, not bound: a full node must not get the process killed while another has room. */
	if (syscall(SYS_mbind, m->base, m->size, MPOL_PREFERRED, mask, (unsigned long)NODES_MOST, 0UL))
		return -errno;
	return 0;
}

static int node_here(void)
{
	unsigned cpu, node;

	return syscall(SYS_getcpu, &cpu, &node, NULL) ? -1 : (int)node;
}

int pit_pages_node(const struct pit_pages_map *m, int node_plus_1, struct pit_ladder *l, struct pit_error *err)
{
	pit_auto_idset struct pit_idset nodes = {0};
	int node = node_plus_1 ? node_plus_1 - 1 : node_here();
	int rc = nodes_with_memory(&nodes);

	if (!node_plus_1 && (rc || pit_idset_count(&nodes) < 2)) {
		pit_ladder_add(l, LADDER, "any", PIT_RUNG_TAKEN, rc ? "nodes are not known here" : "there is one node");
		return 0;
	}
	if (!rc && !pit_idset_has(&nodes, node))
		rc = -ENOENT;
	else
		rc = bind_to(m, node);
	if (!rc) {
		pit_ladder_add(l, LADDER, "preferred", PIT_RUNG_TAKEN, "node %d", node);
		return 0;
	}
	pit_ladder_add(l, LADDER, "preferred", PIT_RUNG_REFUSED, "node %d: %s", node,
		       rc == -ENOENT ? "it has no memory" : strerror(-rc));
	if (node_plus_1)
		return pit_fail(err, -rc, "memory cannot be had of node %d: %s", node,
				rc == -ENOENT ? "it has none" : strerror(-rc));
	pit_ladder_add(l, LADDER, "any", PIT_RUNG_TAKEN, "as the kernel places it");
	return 0;
}
