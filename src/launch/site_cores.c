/* SPDX-License-Identifier: MIT
 *
 * CPUs, nodes and caches of a site.
 */
#include <string.h>

#include "launch/site_parts.h"

static int note_set(struct pit_site *s, const char *before, const struct pit_idset *set, const char *after)
{
	char text[256];

	return pit_strv_addf(&s->notes, "%s%s%s", before, pit_idset_format(set, text, sizeof(text)), after);
}

/* What this job may use; where nobody says, all that is online. */
static int load_usable(const struct pit_topo *t, struct pit_site *s, struct pit_idset *ret, struct pit_error *err)
{
	int rc = pit_idset_copy(ret, &t->allowed.cpus);

	snprintf(s->allowed_why, sizeof(s->allowed_why), "%s", t->allowed.source);
	if (rc || !pit_idset_is_empty(ret))
		return rc;
	if (*t->allowed.source && t->cpus.count > 0)
		return pit_fail(err, ENODATA, "no online CPU is allowed (%.200s)", t->allowed.source);
	rc = pit_idset_copy(ret, &t->cpus.online);
	for (size_t i = 0; i < t->core_sets && !t->cpus.count && !rc; i++)
		rc = pit_idset_unite(ret, &t->core[i]);
	if (!rc && pit_idset_is_empty(ret))
		return pit_fail(err, ENODATA, "nothing says which CPUs there are");
	snprintf(s->allowed_why, sizeof(s->allowed_why), "unknown: all that are online");
	return rc ? rc
		  : pit_strv_add(&s->notes, "which CPUs this job may use is not known; all that are online are taken");
}

/* Isolated CPUs are for those who ask for them, by option or by a cpuset of nothing else. */
static int leave_isolated(const struct pit_topo *t, const struct pit_site_options *o, struct pit_site *s,
			  struct pit_idset *usable)
{
	int rc;

	if (o->isolated || !pit_idset_intersects(usable, &t->cpus.isolated))
		return 0;
	if (pit_idset_is_subset(usable, &t->cpus.isolated))
		return note_set(s, "all allowed CPUs (", usable,
				") are isolated: the kernel does not balance them, and they are used");
	rc = pit_idset_copy(&s->isolated, usable);
	pit_idset_intersect(&s->isolated, &t->cpus.isolated);
	pit_idset_subtract(usable, &s->isolated);
	return rc;
}

int pit_site_node_at(const struct pit_site *s, int id)
{
	for (size_t i = 0; i < s->nodes; i++)
		if (s->node[i].id == id)
			return (int)i;
	return -1;
}

/* Memory-only nodes of unknown kind may be slow (CXL) or a GPU's: they are not counted on. */
static bool has_memory(const struct pit_topo *t, const struct pit_node *n)
{
	bool allowed = pit_idset_is_empty(&t->allowed.mems) || pit_idset_has(&t->allowed.mems, (size_t)n->id);

	if (!allowed || n->mem_kb == 0 || (n->mem_kb < 0 && pit_idset_is_empty(&n->cpus)))
		return false;
	if (n->kind == PIT_NODE_UNKNOWN)
		return !pit_idset_is_empty(&n->cpus);
	return n->kind == PIT_NODE_DRAM || n->kind == PIT_NODE_HBM;
}

static int load_nodes(const struct pit_topo *t, const struct pit_idset *usable, struct pit_site *s)
{
	s->node = calloc(t->nodes + 1, sizeof(*s->node));
	if (!s->node)
		return -ENOMEM;
	for (size_t i = 0; i < t->nodes; i++) {
		const struct pit_node *from = &t->node[i];
		struct pit_site_node *n = &s->node[s->nodes++];

		*n = (struct pit_site_node){
			.id = from->id,
			.cpus = pit_idset_intersects(&from->cpus, usable),
			.mem = has_memory(t, from),
			.kind = from->kind,
		};
		if (!from->distance)
			continue;
		n->distance = calloc(t->nodes, sizeof(*n->distance));
		if (!n->distance)
			return -ENOMEM;
		memcpy(n->distance, from->distance, t->nodes * sizeof(*n->distance));
	}
	return t->nodes_known ? 0 : pit_strv_add(&s->notes, "NUMA nodes are not known");
}

/* The package's number where the firmware gives one, else its position. */
static int *number_packages(struct pit_root *root, const struct pit_topo *t)
{
	int *number = calloc(t->package_sets + 1, sizeof(*number));

	for (size_t i = 0; number && i < t->package_sets; i++) {
		int64_t id;

		number[i] = (int)i;
		if (!pit_root_i64(root, &id, "/sys/devices/system/cpu/cpu%d/topology/physical_package_id",
				  pit_idset_next(&t->package[i], 0)) &&
		    id >= 0 && id <= INT32_MAX)
			number[i] = (int)id;
	}
	return number;
}

struct cores {
	const struct pit_topo *t;
	struct pit_site *s;
	int *package; /* numbers */
	size_t size;  /* of s->core */
};

static int package_of(const struct cores *c, int cpu)
{
	for (size_t i = 0; i < c->t->package_sets; i++)
		if (pit_idset_has(&c->t->package[i], (size_t)cpu))
			return c->package[i];
	return -1;
}

/* Takes `cpus`, of a core that has `threads` of them online in this node. */
static int add_core(struct cores *c, struct pit_idset *cpus, unsigned threads, int node_at)
{
	struct pit_site *s = c->s;

	if (s->cores == c->size) {
		size_t size = c->size ? c->size * 2 : 64;
		struct pit_site_core *grown = reallocarray(s->core, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		s->core = grown;
		c->size = size;
	}
	s->core[s->cores++] = (struct pit_site_core){
		.cpus = *cpus,
		.threads = threads,
		.node_at = node_at,
		.l3_at = -1,
		.package = package_of(c, pit_idset_next(cpus, 0)),
	};
	*cpus = (struct pit_idset){0};
	return 0;
}

/* The usable threads of a core. Those of one core lie in one node, but for guests that were told otherwise: there
 * memory is worth more than a shared core, so each part counts as a core. */
static int add_threads(struct cores *c, const struct pit_idset *core, struct pit_idset *left)
{
	int rc = 0;

	for (size_t i = 0; i <= c->t->nodes && !rc; i++) {
		const struct pit_idset *node = i < c->t->nodes ? &c->t->node[i].cpus : NULL;
		pit_auto_idset struct pit_idset here = {0}, usable = {0};

		rc = pit_idset_copy(&here, core);
		if (node)
			pit_idset_intersect(&here, node);
		rc = rc ? rc : pit_idset_copy(&usable, &here);
		pit_idset_intersect(&usable, left);
		if (rc || pit_idset_is_empty(&usable))
			continue;
		pit_idset_subtract(left, &usable);
		rc = add_core(c, &usable, (unsigned)pit_idset_count(&here), node ? (int)i : -1);
	}
	return rc;
}

static int by_lowest(const void *a, const void *b)
{
	const struct pit_site_core *x = a, *y = b;

	return pit_idset_next(&x->cpus, 0) - pit_idset_next(&y->cpus, 0);
}

static int load_cores(struct pit_root *root, const struct pit_topo *t, const struct pit_idset *usable,
		      struct pit_site *s)
{
	pit_auto_free int *package = number_packages(root, t);
	struct cores c = {.t = t, .s = s, .package = package};
	pit_auto_idset struct pit_idset left = {0}, alone = {0};
	int rc = package ? pit_idset_copy(&left, usable) : -ENOMEM;

	for (size_t i = 0; i < t->core_sets && !rc; i++)
		if (pit_idset_intersects(&t->core[i], &left))
			rc = add_threads(&c, &t->core[i], &left);
	rc = rc ? rc : pit_idset_copy(&alone, &left);
	if (!rc && !pit_idset_is_empty(&alone))
		rc = note_set(s, "which core CPUs ", &alone, " belong to is not known; each counts as one");
	PIT_IDSET_FOREACH (cpu, &alone) {
		pit_auto_idset struct pit_idset one = {0};

		rc = rc ? rc : pit_idset_add(&one, (size_t)cpu);
		rc = rc ? rc : add_threads(&c, &one, &left);
	}
	if (s->cores)
		qsort(s->core, s->cores, sizeof(*s->core), by_lowest);
	return rc;
}

/* The highest level of a cache that several cores share; 0 none is known. */
static int shared_level(const struct pit_topo *t)
{
	int level = 0;

	for (size_t i = 0; i < t->caches; i++) {
		const struct pit_cache *c = &t->cache[i];
		bool one_core = pit_idset_count(&c->cpus) < 2;

		if (c->level <= level)
			continue;
		for (size_t k = 0; k < t->core_sets && !one_core; k++)
			one_core = pit_idset_is_subset(&c->cpus, &t->core[k]);
		if (!one_core)
			level = c->level;
	}
	return level;
}

static int load_l3s(const struct pit_topo *t, struct pit_site *s)
{
	int level = shared_level(t), *at = calloc(t->caches + 1, sizeof(*at));

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < s->cores && level; i++) {
		int cpu = pit_idset_next(&s->core[i].cpus, 0);

		for (size_t k = 0; k < t->caches; k++) {
			if (t->cache[k].level != level || !pit_idset_has(&t->cache[k].cpus, (size_t)cpu))
				continue;
			if (!at[k])
				at[k] = (int)++s->l3s;
			s->core[i].l3_at = at[k] - 1;
			break;
		}
	}
	free(at);
	return 0;
}

static int unite_allowed(const struct pit_topo *t, struct pit_site *s)
{
	int rc = 0;

	for (size_t i = 0; i < s->cores && !rc; i++)
		rc = pit_idset_unite(&s->allowed, &s->core[i].cpus);
	s->narrowed = !pit_idset_is_subset(&t->cpus.online, &s->allowed);
	return rc;
}

int pit_site_load_cores(struct pit_root *root, const struct pit_topo *t, const struct pit_site_options *o,
			struct pit_site *s, struct pit_error *err)
{
	pit_auto_idset struct pit_idset usable = {0};
	int rc = load_usable(t, s, &usable, err);

	if (!rc)
		rc = leave_isolated(t, o, s, &usable);
	if (!rc)
		rc = load_nodes(t, &usable, s);
	if (!rc)
		rc = load_cores(root, t, &usable, s);
	if (!rc)
		rc = load_l3s(t, s);
	return rc ? rc : unite_allowed(t, s);
}
