/* SPDX-License-Identifier: MIT
 *
 * What this process may use: its affinity, its cpuset (control groups v1 and v2, and the cpuset file system that came
 * before them) and what the kernel says in /proc/self/status. All that is known applies.
 */
#include <sched.h>
#include <string.h>

#include "host/cgroup.h"
#include "host/procfs.h"
#include "topo/parts.h"

static int make_affinity(const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_idset struct pit_idset set = {0};
	size_t size = CPU_ALLOC_SIZE(PIT_IDSET_MAX);
	pit_auto_free cpu_set_t *cpus = calloc(1, size);

	if (!cpus)
		return -ENOMEM;
	if (sched_getaffinity(0, size, cpus))
		return -errno;
	for (size_t i = 0; i < PIT_IDSET_MAX; i++)
		if (CPU_ISSET_S(i, size, cpus) && pit_idset_add(&set, i))
			return -ENOMEM;
	pit_idset_print(&set, out);
	return 0;
}

/* Narrows `to` by `set`; the first source sets it. */
static int narrow(struct pit_idset *to, bool *known, const struct pit_idset *set)
{
	if (*known) {
		pit_idset_intersect(to, set);
		return 0;
	}
	*known = true;
	return pit_idset_copy(to, set);
}

struct allowed {
	struct pit_topo *t;
	bool cpus_known, mems_known;
};

static void name_source(struct allowed *a, const char *source)
{
	size_t used = strlen(a->t->allowed.source);

	snprintf(a->t->allowed.source + used, sizeof(a->t->allowed.source) - used, "%s%s", used ? ", " : "", source);
}

static int from_affinity(struct pit_root *root, struct allowed *a)
{
	pit_auto_idset struct pit_idset set = {0};
	struct pit_text text;

	if (pit_root_fact(root, "affinity", make_affinity, NULL, &text) || pit_idset_parse(text.data, &set, NULL))
		return 0;
	name_source(a, "affinity");
	return narrow(&a->t->allowed.cpus, &a->cpus_known, &set);
}

static int from_cgroup(struct pit_root *root, struct allowed *a)
{
	PIT_CLEANUP(pit_mounts_free) struct pit_mounts mounts = {0};
	pit_auto_idset struct pit_idset cpus = {0}, mems = {0};
	struct pit_cgroup *g = NULL;
	char file[160], source[176];
	int rc = 0;

	if (pit_mounts_load(root, &mounts, NULL) || pit_cgroup_load(root, &mounts, 0, &g, NULL))
		return 0;
	if (!pit_cgroup_cpuset(root, g, true, &mems, file, sizeof(file)))
		rc = narrow(&a->t->allowed.mems, &a->mems_known, &mems);
	if (!pit_cgroup_cpuset(root, g, false, &cpus, file, sizeof(file))) {
		rc = rc ? rc : narrow(&a->t->allowed.cpus, &a->cpus_known, &cpus);
		snprintf(source, sizeof(source), "cpuset %s", file);
		name_source(a, source);
	}
	pit_cgroup_free(g);
	return rc;
}

static int from_status_line(const char *status, const char *key, struct pit_idset *to, bool *known)
{
	pit_auto_idset struct pit_idset set = {0};
	char list[4096];

	if (pit_kv_str(status, key, list, sizeof(list)) || pit_idset_parse(list, &set, NULL) ||
	    pit_idset_is_empty(&set))
		return 0;
	return narrow(to, known, &set);
}

static int from_status(struct pit_root *root, struct allowed *a)
{
	bool had_cpus = a->cpus_known, had_mems = a->mems_known;
	struct pit_text text;
	int rc;

	if (pit_root_read(root, &text, "/proc/self/status"))
		return 0;
	rc = from_status_line(text.data, "Cpus_allowed_list", &a->t->allowed.cpus, &a->cpus_known);
	if (!rc)
		rc = from_status_line(text.data, "Mems_allowed_list", &a->t->allowed.mems, &a->mems_known);
	if (a->cpus_known != had_cpus || a->mems_known != had_mems)
		name_source(a, "/proc/self/status");
	return rc;
}

static int cut_to_machine(struct pit_topo *t)
{
	pit_auto_idset struct pit_idset nodes = {0};
	int rc = 0;

	if (t->cpus.count > 0)
		pit_idset_intersect(&t->allowed.cpus, &t->cpus.online);
	for (size_t i = 0; i < t->nodes && !rc; i++)
		rc = pit_idset_add(&nodes, (size_t)t->node[i].id);
	if (t->nodes_known)
		pit_idset_intersect(&t->allowed.mems, &nodes);
	return rc;
}

int pit_topo_load_allowed(struct pit_root *root, struct pit_topo *t)
{
	struct allowed a = {.t = t};
	int rc = from_affinity(root, &a);

	if (!rc)
		rc = from_cgroup(root, &a);
	if (!rc)
		rc = from_status(root, &a);
	return rc ? rc : cut_to_machine(t);
}
