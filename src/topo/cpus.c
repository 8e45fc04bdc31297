/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "topo/parts.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define PACKAGES_MAX 8192 /* as many as the kernel can have CPUs */

/* The number behind `prefix` when that is all of `name`; -1 otherwise. */
static int numbered(const char *name, const char *prefix)
{
	uint64_t n;

	if (strncmp(name, prefix, strlen(prefix)) != 0 || pit_parse_u64(name + strlen(prefix), &n) ||
	    n >= PIT_IDSET_MAX)
		return -1;
	return (int)n;
}

/* CPUs that have a directory. */
static int load_present(struct pit_root *root, struct pit_idset *ret)
{
	const struct pit_strv *names;
	int rc = 0;

	if (pit_root_list(root, &names, CPU_DIR))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		int cpu = numbered(names->item[i], "cpu");

		if (cpu >= 0)
			rc = pit_idset_add(ret, (size_t)cpu);
	}
	return rc;
}

/* Kernels of old have no list: those present that are not switched off. CPUs that cannot be, like the first, lack the
 * file or have an empty one. */
static int count_online(struct pit_root *root, const struct pit_idset *present, struct pit_idset *ret)
{
	int rc = pit_idset_copy(ret, present);

	PIT_IDSET_FOREACH (cpu, present) {
		char text[8];

		if (!pit_root_str(root, text, sizeof(text), CPU_DIR "/cpu%d/online", cpu) && !strcmp(text, "0"))
			pit_idset_remove(ret, (size_t)cpu);
	}
	return rc;
}

static int load_online(struct pit_root *root, const struct pit_idset *present, struct pit_topo *t)
{
	int rc = pit_root_idset(root, &t->cpus.online, CPU_DIR "/online");

	if (rc == -ENOMEM)
		return rc;
	if (pit_idset_is_empty(&t->cpus.online))
		return count_online(root, present, &t->cpus.online);
	return 0;
}

static void load_smt(struct pit_root *root, struct pit_topo *t)
{
	int64_t active;

	t->cpus.smt = -1;
	if (!pit_root_i64(root, &active, CPU_DIR "/smt/active"))
		t->cpus.smt = active != 0;
}

int pit_topo_load_cpus(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t)
{
	pit_auto_idset struct pit_idset present = {0};
	bool listed = !pit_root_idset(root, &present, CPU_DIR "/present") && !pit_idset_is_empty(&present);
	int rc = listed ? 0 : load_present(root, &present);

	if (!rc)
		rc = load_online(root, &present, t);
	if (!rc)
		rc = pit_idset_copy(&t->cpus.offline, &present);
	pit_idset_subtract(&t->cpus.offline, &t->cpus.online);
	t->cpus.count = (int)pit_idset_count(&t->cpus.online);
	pit_root_idset(root, &t->cpus.possible, CPU_DIR "/possible");
	pit_root_idset(root, &t->cpus.isolated, CPU_DIR "/isolated");
	load_smt(root, t);
	return rc;
}

static int package_of(struct pit_root *root, int cpu, int64_t *ret)
{
	return pit_root_i64(root, ret, CPU_DIR "/cpu%d/topology/physical_package_id", cpu);
}

/* Adds `cpu` to the package with that id; packages are few, so the search is plain. */
static int add_to_package(struct pit_shape *s, int64_t **ids, int64_t id, int cpu)
{
	size_t i = 0;

	while (i < s->package_count && (*ids)[i] != id)
		i++;
	if (i == PACKAGES_MAX)
		return 0;
	if (i == s->package_count) {
		int64_t *grown_ids = reallocarray(*ids, i + 1, sizeof(*grown_ids));
		struct pit_idset *grown;

		if (!grown_ids)
			return -ENOMEM;
		*ids = grown_ids;
		grown = reallocarray(s->package, i + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->package = grown;
		grown_ids[i] = id;
		grown[i] = (struct pit_idset){0};
		s->package_count++;
	}
	return pit_idset_add(&s->package[i], (size_t)cpu);
}

static void forget_packages(struct pit_shape *s)
{
	for (size_t i = 0; i < s->package_count; i++)
		pit_idset_free(&s->package[i]);
	s->package_count = 0;
	s->packages = -1;
}

/* By physical_package_id. */
static int packages_by_id(struct pit_root *root, struct pit_shape *s, const struct pit_idset *online,
			  bool *ret_nameless)
{
	pit_auto_free int64_t *ids = NULL;
	int rc = 0;

	forget_packages(s);
	PIT_IDSET_FOREACH (cpu, online) {
		int64_t id;

		if (package_of(root, cpu, &id))
			continue;
		*ret_nameless |= id < 0;
		rc = rc ? rc : add_to_package(s, &ids, id, cpu);
	}
	s->packages = s->package_count ? (int)s->package_count : -1;
	return rc;
}

/* By id; where the firmware gives none (-1), by the groups that core_siblings makes. */
static int packages_from_sysfs(struct pit_root *root, struct pit_shape *s, struct pit_topo *t, struct pit_sets *told)
{
	bool nameless = false;
	int rc = packages_by_id(root, s, &t->cpus.online, &nameless), groups;

	rc = rc ? rc : pit_topo_siblings(root, &t->cpus.online, PIT_SIBLINGS_PACKAGE, told);
	if (rc)
		return rc;
	groups = told->count ? (int)told->count : -1;
	if (nameless) {
		forget_packages(s);
		s->packages = groups;
	} else if (groups > 0 && groups != s->packages) {
		rc = pit_strv_addf(&t->contradictions, "CPUs name %d packages, and their siblings make %d", s->packages,
				   groups);
	}
	return rc;
}

/* A recording of ours holds hwloc's own answer; of others hwloc sees less than their files say. */
static bool hwloc_saw_the_machine(struct pit_root *root)
{
	struct pit_text xml;

	return !pit_root_fact(root, "hwloc.xml", NULL, NULL, &xml);
}

static int divide(const struct pit_idset *set, size_t count, const struct pit_topo *t, struct pit_idset **ret,
		  size_t *ret_count)
{
	struct pit_sets parts = {0};
	int rc = pit_sets_divide(set, count, &t->cpus.online, &parts);

	*ret = parts.item;
	*ret_count = parts.count;
	return rc;
}

static int load_packages(struct pit_root *root, struct pit_shape *shape, bool exact, struct pit_topo *t)
{
	PIT_CLEANUP(pit_sets_free) struct pit_sets told = {0};
	int rc = 0;

	if (!exact || shape->packages <= 0)
		rc = packages_from_sysfs(root, shape, t, &told);
	t->packages = shape->packages;
	if (!rc && shape->package_count)
		return divide(shape->package, shape->package_count, t, &t->package, &t->package_sets);
	return rc ? rc : divide(told.item, told.count, t, &t->package, &t->package_sets);
}

static int load_cores(struct pit_root *root, const struct pit_shape *shape, bool exact, struct pit_topo *t)
{
	PIT_CLEANUP(pit_sets_free) struct pit_sets told = {0};
	int rc = 0;

	t->cores = shape->cores;
	if (!exact || shape->cores <= 0) {
		rc = pit_topo_siblings(root, &t->cpus.online, PIT_SIBLINGS_CORE, &told);
		t->cores = told.count ? (int)told.count : -1;
	}
	if (exact && shape->core_count)
		return divide(shape->core, shape->core_count, t, &t->core, &t->core_sets);
	return rc ? rc : divide(told.item, told.count, t, &t->core, &t->core_sets);
}

int pit_topo_load_packages(struct pit_root *root, struct pit_shape *shape, struct pit_topo *t)
{
	bool exact = pit_root_is_live(root) || hwloc_saw_the_machine(root);
	int rc = load_packages(root, shape, exact, t);

	if (!rc)
		rc = load_cores(root, shape, exact, t);
	if (t->cpus.smt < 0 && t->cores > 0)
		t->cpus.smt = t->cores < t->cpus.count;
	return rc;
}
