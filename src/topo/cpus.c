/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "base/strmap.h"
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

/* The CPUs that share something with `cpu`, from the list or the mask, by the new or the old name. */
static int siblings(struct pit_root *root, int cpu, const char *const names[2], struct pit_idset *ret)
{
	for (size_t i = 0; i < 2; i++) {
		struct pit_text text;

		if (!pit_root_idset(root, ret, CPU_DIR "/cpu%d/topology/%s_list", cpu, names[i]) &&
		    !pit_idset_is_empty(ret))
			return 0;
		pit_idset_free(ret);
		if (!pit_root_read(root, &text, CPU_DIR "/cpu%d/topology/%s", cpu, names[i]) &&
		    !pit_idset_parse_mask(text.data, ret, NULL) && !pit_idset_is_empty(ret))
			return 0;
		pit_idset_free(ret);
	}
	return -ENOENT;
}

static const char *const thread_names[] = {"core_cpus", "thread_siblings"};
static const char *const package_names[] = {"package_cpus", "core_siblings"};

/* Counts distinct sets of siblings over the online CPUs; -1 when no CPU tells its own. */
static int count_groups(struct pit_root *root, const struct pit_idset *online, const char *const names[2])
{
	struct pit_strmap seen = {0};
	int count;

	PIT_IDSET_FOREACH (cpu, online) {
		pit_auto_idset struct pit_idset set = {0};
		pit_auto_buf struct pit_buf key = PIT_BUF_INIT;

		if (siblings(root, cpu, names, &set))
			continue;
		pit_idset_print(&set, &key);
		pit_strmap_put(&seen, key.data, NULL);
	}
	count = seen.count ? (int)seen.count : -1;
	pit_strmap_free(&seen, NULL);
	return count;
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

/* By physical_package_id; where the firmware gives none (-1), by the groups that core_siblings makes. */
static int packages_from_sysfs(struct pit_root *root, struct pit_shape *s, struct pit_topo *t)
{
	pit_auto_free int64_t *ids = NULL;
	bool nameless = false;
	int rc = 0, groups;

	forget_packages(s);
	PIT_IDSET_FOREACH (cpu, &t->cpus.online) {
		int64_t id;

		if (package_of(root, cpu, &id))
			continue;
		nameless |= id < 0;
		rc = rc ? rc : add_to_package(s, &ids, id, cpu);
	}
	s->packages = s->package_count ? (int)s->package_count : -1;
	groups = rc ? -1 : count_groups(root, &t->cpus.online, package_names);
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

int pit_topo_load_packages(struct pit_root *root, struct pit_shape *shape, struct pit_topo *t)
{
	bool exact = pit_root_is_live(root) || hwloc_saw_the_machine(root);
	int rc = 0;

	if (!exact || shape->packages <= 0)
		rc = packages_from_sysfs(root, shape, t);
	if (!exact || shape->cores <= 0)
		shape->cores = count_groups(root, &t->cpus.online, thread_names);
	t->packages = shape->packages;
	t->cores = shape->cores;
	if (t->cpus.smt < 0 && t->cores > 0)
		t->cpus.smt = t->cores < t->cpus.count;
	return rc;
}
