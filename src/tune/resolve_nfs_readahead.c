/* SPDX-License-Identifier: MIT
 *
 * "nfs.readahead": how many kB the client of an NFS mount reads ahead. Mounts of one server may share one setting.
 */
#include <string.h>

#include "base/pattern.h"
#include "tune/resolve.h"

static bool has(const struct pit_wishes *w, const struct pit_cell *cell)
{
	for (size_t i = 0; i < w->wishes; i++)
		if (pit_cell_equal(&w->wish[i].cell, cell))
			return true;
	return false;
}

static int resolve(const struct pit_setting *setting, struct pit_scene *scene, const struct pit_cell *cell,
		   struct pit_wishes *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;
	pit_auto_free char *current = NULL;
	int rc;

	/* One that cannot be read stays a wish: the plan says so then. */
	(void)pit_cell_read(pit_scene_root(scene), cell, &current, NULL);
	rc = pit_value_want(cell->kind, setting->value, current, pit_scene_memory(scene), &value, err);
	if (rc)
		return rc;
	return pit_wish_add(ret, cell, value.data) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static bool is_chosen(const struct pit_mount *m, const char *which)
{
	return !strncmp(m->type, "nfs", 3) && (!m->type[3] || !strcmp(m->type, "nfs4")) && m->minor &&
	       (!which || pit_fits(which, m->target));
}

int pit_resolve_nfs_readahead(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			      struct pit_error *err)
{
	struct pit_cell cell = {0};
	const struct pit_mounts *all;
	bool any = false;
	int rc = pit_scene_mounts(scene, &all, err);

	for (size_t i = 0; !rc && i < all->count; i++) {
		const struct pit_mount *m = &all->item[i];

		if (!is_chosen(m, setting->which))
			continue;
		any = true;
		if (pit_cell_set(&cell, PIT_TARGET_KERNEL, PIT_VALUE_INT, "/sys/class/bdi/%u:%u/read_ahead_kb",
				 m->major, m->minor))
			rc = pit_fail(err, ENOMEM, "out of memory");
		else if (!has(ret, &cell))
			rc = resolve(setting, scene, &cell, ret, err);
	}
	pit_cell_free(&cell);
	if (!rc && !any && pit_wishes_absent(ret, "no NFS is mounted here"))
		rc = pit_fail(err, ENOMEM, "out of memory");
	return rc;
}
