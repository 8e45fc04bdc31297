/* SPDX-License-Identifier: MIT */
#include "launch/spawn_mem.h"

#include <stdio.h>
#include <sys/syscall.h>

#include "host/try.h"
#include "launch/spawn.h"

#define PROBE_MS 1000
#define NODES_MAX 1024 /* MAX_NUMNODES of every configuration */

/* Modes of set_mempolicy(2), by the numbers of include/uapi/linux/mempolicy.h: older headers lack the last. Without
 * MPOL_F_STATIC_NODES, so that a policy follows when the cpuset is changed. */
enum { PREFERRED = 1, BIND = 2, INTERLEAVE = 3, LOCAL = 4, PREFERRED_MANY = 5, WEIGHTED = 6 };
#define MODE_FLAGS 0xe000 /* MPOL_F_STATIC_NODES and its like */

struct rung {
	enum pit_mem mem;
	int mode;
	enum { ALL, FIRST, NO } nodes;
};

/* From the best to the worst; `mem` NONE ends a ladder. */
static const struct rung bind_ladder[] = {
	{.mem = PIT_MEM_BIND, .mode = BIND, .nodes = ALL},
	{.mem = PIT_MEM_PREFER, .mode = PREFERRED_MANY, .nodes = ALL},
	{.mem = PIT_MEM_PREFER, .mode = PREFERRED, .nodes = FIRST}, /* before 5.15 */
	{.mem = PIT_MEM_LOCAL, .mode = LOCAL, .nodes = NO},
	{.mem = PIT_MEM_NONE},
};
static const struct rung interleave_ladder[] = {
	{.mem = PIT_MEM_INTERLEAVE, .mode = INTERLEAVE, .nodes = ALL},
	{.mem = PIT_MEM_LOCAL, .mode = LOCAL, .nodes = NO},
	{.mem = PIT_MEM_NONE},
};
static const struct rung *const ladders[] = {
	[PIT_MEM_AUTO] = &bind_ladder[4],  [PIT_MEM_PREFER] = &bind_ladder[1],
	[PIT_MEM_BIND] = &bind_ladder[0],  [PIT_MEM_INTERLEAVE] = &interleave_ladder[0],
	[PIT_MEM_LOCAL] = &bind_ladder[3], [PIT_MEM_NONE] = &bind_ladder[4],
};

static int set(const struct rung *r, const struct pit_idset *nodes)
{
	uint64_t first[NODES_MAX / 64] = {0};
	const uint64_t *mask = nodes ? nodes->word : NULL;
	size_t bits = nodes ? nodes->words * 64 : 0;
	int node;

	if (r->nodes == NO)
		return syscall(SYS_set_mempolicy, r->mode, NULL, 0) ? errno : 0;
	if (r->nodes == FIRST) {
		node = pit_idset_next(nodes, 0);
		if (node >= NODES_MAX)
			return EINVAL;
		first[node / 64] = UINT64_C(1) << (node % 64);
		mask = first;
		bits = NODES_MAX;
	}
	return syscall(SYS_set_mempolicy, r->mode, mask, bits + 1) ? errno : 0; /* it takes one off */
}

/* True when the policy has fewer nodes than asked for: the kernel drops those that the cpuset forbids. */
static bool trimmed(const struct pit_idset *nodes)
{
	uint64_t has[NODES_MAX / 64] = {0};
	int mode;

	if (syscall(SYS_get_mempolicy, &mode, has, NODES_MAX, NULL, 0))
		return false;
	for (size_t i = 0; i < nodes->words && i < PIT_COUNT(has); i++)
		if (nodes->word[i] & ~has[i])
			return true;
	return false;
}

struct pit_spawn_mem pit_spawn_set_mem(enum pit_mem wanted, const struct pit_idset *nodes)
{
	const struct rung *r = ladders[wanted];
	struct pit_spawn_mem m = {.used = PIT_MEM_NONE};
	int error;

	if (r->nodes == ALL && (!nodes || pit_idset_is_empty(nodes)))
		return m;
	for (; r->mem != PIT_MEM_NONE; r++) {
		error = set(r, nodes);
		if (error) {
			m.error = m.error ? m.error : error;
			continue;
		}
		m.used = r->mem;
		if (r->nodes == FIRST)
			m.less = nodes && pit_idset_count(nodes) > 1;
		else
			m.less = r->nodes == ALL && trimmed(nodes);
		break;
	}
	if (m.used == wanted && !m.less)
		m.error = 0; /* the way there does not matter */
	return m;
}

struct probe {
	enum pit_mem wanted;
	const struct pit_idset *nodes;
};

static int try_policy(const char *name, void *arg, struct pit_buf *out)
{
	const struct probe *p = arg;
	struct pit_spawn_mem m = pit_spawn_set_mem(p->wanted, p->nodes);

	pit_buf_printf(out, "%d %d", (int)m.used, m.error);
	return 0;
}

enum pit_mem pit_spawn_probe_mem(enum pit_mem wanted, const struct pit_idset *mems, int *ret_error)
{
	struct probe p = {.wanted = wanted, .nodes = mems};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int used = PIT_MEM_NONE, error = 0, rc;

	rc = pit_try(PROBE_MS, try_policy, "mempolicy", &p, &out);
	if (!rc && sscanf(out.data, "%d %d", &used, &error) != 2)
		rc = -EIO;
	if (ret_error)
		*ret_error = rc ? -rc : error;
	return rc ? PIT_MEM_NONE : (enum pit_mem)used;
}

int pit_spawn_inherited_mem(enum pit_mem *ret, struct pit_idset *ret_nodes)
{
	static const enum pit_mem names[] = {
		[0] = PIT_MEM_NONE,
		[PREFERRED] = PIT_MEM_PREFER,
		[BIND] = PIT_MEM_BIND,
		[INTERLEAVE] = PIT_MEM_INTERLEAVE,
		[LOCAL] = PIT_MEM_LOCAL,
		[PREFERRED_MANY] = PIT_MEM_PREFER,
		[WEIGHTED] = PIT_MEM_INTERLEAVE,
	};
	pit_auto_idset struct pit_idset nodes = {0};
	uint64_t has[NODES_MAX / 64] = {0};
	int mode = 0;

	if (syscall(SYS_get_mempolicy, &mode, has, NODES_MAX, NULL, 0))
		mode = 0;
	mode &= ~MODE_FLAGS;
	for (size_t i = 0; i < NODES_MAX; i++)
		if (has[i / 64] >> (i % 64) & 1 && pit_idset_add(&nodes, i))
			return -ENOMEM;
	*ret = mode >= 0 && (size_t)mode < PIT_COUNT(names) ? names[mode] : PIT_MEM_NONE;
	pit_idset_free(ret_nodes);
	*ret_nodes = nodes;
	nodes = (struct pit_idset){0};
	return 0;
}
