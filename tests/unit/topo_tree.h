/* SPDX-License-Identifier: MIT
 *
 * A recorded machine of two nodes for the tests of topo, and others made from it by adding files.
 */
#ifndef PIT_TESTS_TOPO_TREE_H
#define PIT_TESTS_TOPO_TREE_H

#include <string.h>

#include "topo/parts.h"
#include "tree.h"

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define PCI "/sys/bus/pci/devices/"

#define CPU_IN(n, package, siblings)                                                                                   \
	{.path = CPU "/cpu" n "/topology/physical_package_id", .text = package "\n"},                                  \
	{                                                                                                              \
		.path = CPU "/cpu" n "/topology/thread_siblings_list", .text = siblings "\n"                           \
	}

#define NODE_IN(n, cpus, kb, row)                                                                                      \
	{.path = NODE "/node" n "/cpulist", .text = cpus "\n"},                                                        \
		{.path = NODE "/node" n "/meminfo", .text = "Node " n " MemTotal:  " kb " kB\n"},                      \
	{                                                                                                              \
		.path = NODE "/node" n "/distance", .text = row "\n"                                                   \
	}

/* Two packages of two cores with two threads; node 0 has CPUs 0-3, node 1 has 4-7. */
static const struct tree_file two_nodes[] = {
	{.path = CPU "/online", .text = "0-7\n"},
	{.path = CPU "/possible", .text = "0-15\n"},
	{.path = CPU "/isolated", .text = "\n"},
	{.path = CPU "/smt/active", .text = "1\n"},
	CPU_IN("0", "0", "0-1"),
	CPU_IN("1", "0", "0-1"),
	CPU_IN("2", "0", "2-3"),
	CPU_IN("3", "0", "2-3"),
	CPU_IN("4", "1", "4-5"),
	CPU_IN("5", "1", "4-5"),
	CPU_IN("6", "1", "6-7"),
	CPU_IN("7", "1", "6-7"),
	{.path = NODE "/online", .text = "0-1\n"},
	NODE_IN("0", "0-3", "1000000", "10 21"),
	NODE_IN("1", "4-7", "1000000", "21 10"),
	{.path = "/proc/meminfo", .text = "MemTotal: 1990000 kB\n"},
	{.path = NULL},
};

struct loaded {
	struct tree tree;
	struct pit_topo *t;
};

/* Files of `more` come after, and so instead of, those of `base`. */
static inline struct loaded load(const struct tree_file *base, const struct tree_file *more)
{
	struct tree_file all[160] = {{.path = NULL}};
	struct loaded l = {.t = NULL};
	size_t n = 0;

	for (; base && base->path; base++)
		all[n++] = *base;
	for (; more && more->path; more++)
		all[n++] = *more;
	l.tree = tree_open(all);
	assert_int_equal(pit_topo_load(l.tree.root, &l.t, NULL), 0);
	return l;
}

static inline void unload(struct loaded *l)
{
	pit_topo_free(l->t);
	tree_close(&l->tree);
}

static inline void assert_set(const struct pit_idset *set, const char *expected)
{
	char text[256];

	assert_string_equal(pit_idset_format(set, text, sizeof(text)), expected);
}

/* True when a contradiction holds `part`. */
static inline bool says(const struct pit_topo *t, const char *part)
{
	for (size_t i = 0; i < t->contradictions.count; i++)
		if (strstr(t->contradictions.item[i], part))
			return true;
	return false;
}

#define DEVICE(address, class_, vendor_, node_, cpus_)                                                                 \
	{.path = PCI address "/class", .text = class_ "\n"}, {.path = PCI address "/vendor", .text = vendor_ "\n"},    \
		{.path = PCI address "/device", .text = "0x2330\n"},                                                   \
		{.path = PCI address "/numa_node", .text = node_ "\n"},                                                \
	{                                                                                                              \
		.path = PCI address "/local_cpulist", .text = cpus_ "\n"                                               \
	}

#endif
