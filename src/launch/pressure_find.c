/* SPDX-License-Identifier: MIT
 *
 * What ends this job's memory.
 */
#include <string.h>

#include "host/cgroup.h"
#include "launch/pressure_parts.h"

struct list {
	struct pit_pressure_source *item;
	size_t count, size;
	int rc;
};

static bool room(struct list *l)
{
	if (l->count == l->size) {
		size_t size = l->size ? 2 * l->size : 16;
		struct pit_pressure_source *more;

		if (size > PIT_PRESSURE_SOURCES_MAX)
			return false;
		more = reallocarray(l->item, size, sizeof(*more));
		if (!more) {
			l->rc = -ENOMEM;
			return false;
		}
		l->item = more;
		l->size = size;
	}
	return true;
}

/* Groups are added from within: what comes later is further up. */
static int add_group(const char *dir, bool v2, int rank, struct list *l)
{
	struct pit_pressure_source *s;
	int rc;

	if (!room(l))
		return l->rc;
	s = &l->item[l->count];
	rc = pit_pressure_source_group(dir, v2, rank, s);
	if (rc)
		return rc == -ENOMEM ? rc : 0;
	if (s->limit == UINT64_MAX)
		pit_pressure_source_close(s);
	else
		l->count++;
	return 0;
}

static int add_ours(const char *dir, bool v2, void *arg)
{
	return add_group(dir, v2, -1, arg);
}

/* The groups above are none of ours, but their ends are. */
static void add_above(const char *path, struct list *l)
{
	pit_auto_free char *dir = strdup(path);

	for (char *slash; dir && (slash = strrchr(dir, '/')); *slash = '\0') {
		char file[4096];

		snprintf(file, sizeof(file), "%s/cgroup.controllers", dir);
		if (access(file, F_OK) || add_group(dir, true, -1, l))
			break;
	}
}

static void add_leaves(const struct pit_pressure_request *r, struct list *l)
{
	const char *path = pit_leaves_path(r->leaves);
	char dir[4096];

	for (int rank = 0; rank < r->ranks; rank++) {
		snprintf(dir, sizeof(dir), "%s/rank-%d", path, rank);
		if (add_group(dir, true, rank, l))
			return;
	}
	add_above(path, l);
}

/* The groups that we are in, with the ranks. */
static void add_inherited(struct list *l)
{
	struct pit_mounts mounts = {0};
	pit_auto_root struct pit_root *root = NULL;
	struct pit_cgroup *g = NULL;

	if (!pit_root_open(NULL, &root, NULL) && !pit_mounts_load(root, &mounts, NULL) &&
	    !pit_cgroup_load(root, &mounts, 0, &g, NULL))
		(void)pit_cgroup_walk_up(g, "memory", add_ours, l);
	pit_cgroup_free(g);
	pit_mounts_free(&mounts);
}

int pit_pressure_find(const struct pit_pressure_request *r, struct pit_pressure_source **ret, size_t *ret_count)
{
	struct list l = {0};

	if (r->leaves)
		add_leaves(r, &l);
	if (!l.count)
		add_inherited(&l);
	if (r->mems && room(&l) && !pit_pressure_source_nodes("/sys/devices/system/node", r->mems, &l.item[l.count]))
		l.count++;
	if (room(&l) && !pit_pressure_source_host("/proc", &l.item[l.count]))
		l.count++;
	if (!l.rc) {
		*ret = l.item;
		*ret_count = l.count;
		return 0;
	}
	for (size_t i = 0; i < l.count; i++)
		pit_pressure_source_close(&l.item[i]);
	free(l.item);
	return l.rc;
}
