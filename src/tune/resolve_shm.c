/* SPDX-License-Identifier: MIT
 *
 * "shm.size": how much /dev/shm may hold.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "tune/resolve.h"

#define MOST_PERCENT 90 /* of all memory: what lies there cannot be reclaimed */

/* The tmpfs that holds /dev/shm, which may be a link; NULL none. */
static const struct pit_mount *find(struct pit_root *root, const struct pit_mounts *all, const char *path)
{
	const struct pit_mount *m;
	const char *link;

	if (!pit_root_link(root, &link, "%s", path) && *link == '/')
		path = link;
	m = pit_mounts_find(all, path);
	return m && !strcmp(m->target, path) && !strcmp(m->type, "tmpfs") ? m : NULL;
}

/* The size wanted, in whole pages: the kernel takes the half of the memory as whole pages, too, and rounding up would
 * make each machine look wrong by one. Less than a page beside what is there is what is there. */
static int want(const struct pit_setting *setting, struct pit_scene *scene, const char *current, uint64_t *ret,
		struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int64_t page = pit_scene_platform(scene)->page_size;
	uint64_t bytes, have;
	int rc = pit_value_want(PIT_VALUE_INT, setting->value, current, pit_scene_memory(scene), &text, err);

	if (rc)
		return rc;
	if (page < 1)
		page = 4096;
	if (pit_parse_u64(text.data, &bytes) || bytes < (uint64_t)page || bytes > INT64_MAX)
		return pit_fail(err, EINVAL, "'%s' is no size of a file system", setting->value);
	if (!pit_parse_u64(current, &have) && have && (bytes > have ? bytes - have : have - bytes) < (uint64_t)page)
		*ret = have;
	else
		*ret = bytes / (uint64_t)page * (uint64_t)page;
	return 0;
}

/* -EPERM with the reason when `bytes` would do harm. */
static int judge(struct pit_scene *scene, const struct pit_mount *m, const char *current, uint64_t bytes,
		 struct pit_error *err)
{
	uint64_t memory = pit_scene_memory(scene), used;
	struct pit_fsinfo fs;
	char a[32], b[32];
	int rc;

	if (!strcmp(current, "0"))
		return pit_fail(err, EPERM, "%s has no limit, and the kernel gives none to a mounted tmpfs", m->target);
	if (!memory)
		return pit_fail(err, EPERM, "how much memory there is cannot be read from /proc/meminfo");
	pit_format_size(bytes, a, sizeof(a));
	if (bytes / MOST_PERCENT > memory / 100)
		return pit_fail(err, EPERM, "%s are more than %d%% of the memory, which is %s", a, MOST_PERCENT,
				pit_format_size(memory, b, sizeof(b)));
	rc = pit_root_statfs(pit_scene_root(scene), &fs, "%s", m->target);
	if (rc)
		return pit_fail(err, EPERM, "how much of %s is used cannot be read: %s", m->target, strerror(-rc));
	if (fs.bfree > fs.blocks || __builtin_mul_overflow(fs.blocks - fs.bfree, fs.bsize, &used))
		return pit_fail(err, EPERM, "how much of %s is used makes no sense", m->target);
	if (bytes < used)
		return pit_fail(err, EPERM, "%s of %s are in use, more than %s", pit_format_size(used, b, sizeof(b)),
				m->target, a);
	return 0;
}

static int resolve(const struct pit_setting *setting, struct pit_scene *scene, const struct pit_mount *m,
		   const struct pit_cell *cell, struct pit_wishes *ret, struct pit_error *err)
{
	pit_auto_free char *current = NULL;
	struct pit_error why = PIT_ERROR_INIT;
	uint64_t bytes = 0;
	char text[24];
	int rc = pit_cell_read(pit_scene_root(scene), cell, &current, err);

	rc = rc ? rc : want(setting, scene, current, &bytes, err);
	if (rc)
		return rc;
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (strcmp(text, current) != 0 && judge(scene, m, current, bytes, &why))
		rc = pit_wish_refuse(ret, cell, "%s", why.text);
	else
		rc = pit_wish_add(ret, cell, text);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}

int pit_resolve_shm(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	const char *path = setting->which ? setting->which : "/dev/shm";
	struct pit_cell cell = {0};
	const struct pit_mounts *all;
	const struct pit_mount *m;
	int rc = pit_scene_mounts(scene, &all, err);

	if (rc)
		return rc;
	m = find(pit_scene_root(scene), all, path);
	if (!m)
		return pit_wishes_absent(ret, "no tmpfs is mounted on %s", path)
			       ? pit_fail(err, ENOMEM, "out of memory")
			       : 0;
	if (pit_cell_set(&cell, PIT_TARGET_MOUNT, PIT_VALUE_TEXT, "size %s", m->target))
		return pit_fail(err, ENOMEM, "out of memory");
	rc = resolve(setting, scene, m, &cell, ret, err);
	pit_cell_free(&cell);
	return rc;
}
