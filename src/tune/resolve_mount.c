/* SPDX-License-Identifier: MIT
 *
 * "mount.noatime": how file systems keep access times.
 */
#include <string.h>

#include "base/pattern.h"
#include "base/words.h"
#include "tune/resolve.h"

/* Why the access times of a mount are left alone; NULL: they need not be. */
static const char *unfit(const struct pit_mount *m)
{
	static const char *const no_disk[] = {"tmpfs",   "ramfs", "devtmpfs", "overlay",  "squashfs",
					      "iso9660", "erofs", "rootfs",   "virtiofs", NULL};

	if (pit_mount_is_network(m))
		return "is a network file system, whose server keeps the access times";
	if (pit_mount_is_pseudo(m))
		return "is no file system that holds data";
	if (pit_words_have(m->options, ",", "ro") || pit_words_have(m->super_options, ",", "ro"))
		return "is read-only, so nothing writes access times";
	if (pit_is_among(m->type, no_disk) || !strncmp(m->type, "fuse", 4))
		return "is on no disk of this machine";
	return NULL;
}

/* Without a choice by the admin: once per file system, and not the directories that containers get of it. */
static bool is_main(const struct pit_mounts *all, size_t at)
{
	const struct pit_mount *m = &all->item[at];

	if (strcmp(m->root, "/") != 0 && strcmp(m->type, "btrfs") != 0)
		return false;
	for (size_t i = 0; i < at; i++) {
		const struct pit_mount *o = &all->item[i];

		if (o->major == m->major && o->minor == m->minor && !strcmp(o->root, m->root) && !o->covered)
			return false;
	}
	return true;
}

static int wish(const struct pit_mount *m, const char *value, const char *why_not, struct pit_wishes *ret)
{
	struct pit_cell cell = {0};
	bool nodir = pit_words_have(m->options, ",", "nodiratime");
	char text[64];
	int rc = pit_cell_set(&cell, PIT_TARGET_MOUNT, PIT_VALUE_TEXT, "atime %s", m->target);

	snprintf(text, sizeof(text), "%s%s", value, nodir ? ",nodiratime" : "");
	if (!rc)
		rc = why_not ? pit_wish_refuse(ret, &cell, "%s (%s) %s", m->target, m->type, why_not)
			     : pit_wish_add(ret, &cell, text);
	pit_cell_free(&cell);
	return rc;
}

int pit_resolve_mount(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		      struct pit_error *err)
{
	static const char *const values[] = {"noatime", "relatime", "strictatime", NULL};
	const char *which = setting->which;
	const struct pit_mounts *all;
	size_t before = ret->wishes;
	int rc;

	if (!pit_is_among(setting->value, values))
		return pit_fail(err, EINVAL, "access times can be noatime, relatime or strictatime, not '%s'",
				setting->value);
	rc = pit_scene_mounts(scene, &all, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < all->count && !rc; i++) {
		const struct pit_mount *m = &all->item[i];
		const char *why_not = unfit(m);

		if (!m->covered && (which ? pit_fits(which, m->target) : !why_not && is_main(all, i)))
			rc = wish(m, setting->value, why_not, ret);
	}
	if (!rc && ret->wishes == before)
		rc = which ? pit_wishes_absent(ret, "nothing is mounted on %s", which)
			   : pit_wishes_absent(ret, "no local file system that is written to");
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}
