/* SPDX-License-Identifier: MIT
 *
 * CPUs that belong together: the threads of a core, the cores of a package, as the CPUs themselves tell it.
 */
#include <string.h>

#include "base/strmap.h"
#include "topo/parts.h"

#define CPU_DIR "/sys/devices/system/cpu"

/* From the list or the mask, by the new or the old name. */
static const char *const names[][2] = {
	[PIT_SIBLINGS_CORE] = {"core_cpus", "thread_siblings"},
	[PIT_SIBLINGS_PACKAGE] = {"package_cpus", "core_siblings"},
};

static int siblings(struct pit_root *root, int cpu, enum pit_siblings what, struct pit_idset *ret)
{
	for (size_t i = 0; i < 2; i++) {
		const char *name = names[what][i];
		struct pit_text text;

		if (!pit_root_idset(root, ret, CPU_DIR "/cpu%d/topology/%s_list", cpu, name) &&
		    !pit_idset_is_empty(ret))
			return 0;
		pit_idset_free(ret);
		if (!pit_root_read(root, &text, CPU_DIR "/cpu%d/topology/%s", cpu, name) &&
		    !pit_idset_parse_mask(text.data, ret, NULL) && !pit_idset_is_empty(ret))
			return 0;
		pit_idset_free(ret);
	}
	return -ENOENT;
}

void pit_sets_free(struct pit_sets *s)
{
	for (size_t i = 0; i < s->count; i++)
		pit_idset_free(&s->item[i]);
	pit_cleanup_free(&s->item);
	*s = (struct pit_sets){0};
}

static int append(struct pit_sets *s, struct pit_idset *part)
{
	struct pit_idset *grown = reallocarray(s->item, s->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->item = grown;
	grown[s->count++] = *part;
	*part = (struct pit_idset){0};
	return 0;
}

/* What of `set` is online, when that is known, and in no part yet. */
static int add_part(struct pit_sets *s, struct pit_idset *covered, const struct pit_idset *online,
		    const struct pit_idset *set)
{
	pit_auto_idset struct pit_idset part = {0};
	int rc = pit_idset_copy(&part, set);

	if (!pit_idset_is_empty(online))
		pit_idset_intersect(&part, online);
	pit_idset_subtract(&part, covered);
	if (rc || pit_idset_is_empty(&part))
		return rc;
	rc = pit_idset_unite(covered, &part);
	return rc ? rc : append(s, &part);
}

static int by_lowest(const void *a, const void *b)
{
	return pit_idset_next(a, 0) - pit_idset_next(b, 0);
}

int pit_sets_divide(const struct pit_idset *set, size_t count, const struct pit_idset *online, struct pit_sets *ret)
{
	pit_auto_idset struct pit_idset covered = {0};
	PIT_CLEANUP(pit_sets_free) struct pit_sets s = {0};
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = add_part(&s, &covered, online, &set[i]);
	if (rc)
		return rc;
	if (s.count)
		qsort(s.item, s.count, sizeof(*s.item), by_lowest);
	*ret = s;
	s = (struct pit_sets){0};
	return 0;
}

/* Adds the set of `cpu` unless it is there; a CPU that tells none adds nothing. */
static int add_distinct(struct pit_root *root, int cpu, enum pit_siblings what, struct pit_strmap *seen,
			struct pit_sets *s)
{
	pit_auto_idset struct pit_idset set = {0};
	pit_auto_buf struct pit_buf key = PIT_BUF_INIT;
	size_t before = seen->count;
	int rc;

	if (siblings(root, cpu, what, &set))
		return 0;
	pit_idset_print(&set, &key);
	rc = pit_strmap_put(seen, key.data, NULL);
	return rc || seen->count == before ? rc : append(s, &set);
}

int pit_topo_siblings(struct pit_root *root, const struct pit_idset *online, enum pit_siblings what,
		      struct pit_sets *ret)
{
	PIT_CLEANUP(pit_sets_free) struct pit_sets s = {0};
	struct pit_strmap seen = {0};
	int rc = 0;

	PIT_IDSET_FOREACH (cpu, online)
		rc = rc ? rc : add_distinct(root, cpu, what, &seen, &s);
	pit_strmap_free(&seen, NULL);
	if (rc)
		return rc;
	*ret = s;
	s = (struct pit_sets){0};
	return 0;
}
