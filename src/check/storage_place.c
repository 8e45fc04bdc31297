/* SPDX-License-Identifier: MIT
 *
 * Places, mounts and disks that the rows of storage judge.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "base/path.h"
#include "base/strmap.h"
#include "check/devices.h"
#include "check/storage.h"
#include "check/walk.h"

static int find_place(struct pit_facts *facts, const char *option, const char *given, struct pit_place *ret,
		      struct pit_finding *out, struct pit_error *err)
{
	const struct pit_mounts *mounts;
	int rc;

	if (!given && out)
		pit_skip(out, "give %s PATH to judge it", option);
	if (!given)
		return 1;
	rc = pit_facts_mounts(facts, &mounts, err);
	if (rc)
		return rc;
	rc = pit_walk(pit_facts_root(facts), given, NULL, NULL, ret->path, sizeof(ret->path));
	if (rc)
		return pit_fail(err, -rc, "%s %s: %s", option, given, strerror(-rc));
	ret->mount = pit_mounts_find(mounts, ret->path);
	if (!ret->mount)
		return pit_fail(err, ENOENT, "no mount holds %s", ret->path);
	ret->option = option;
	ret->given = given;
	return 0;
}

int pit_place_data(struct pit_facts *facts, struct pit_place *ret, struct pit_finding *out, struct pit_error *err)
{
	return find_place(facts, "--data", pit_facts_options(facts)->data, ret, out, err);
}

int pit_place_checkpoint(struct pit_facts *facts, struct pit_place *ret, struct pit_finding *out, struct pit_error *err)
{
	return find_place(facts, "--checkpoint", pit_facts_options(facts)->checkpoint, ret, out, err);
}

void pit_mount_list_free(struct pit_mount_list *l)
{
	free(l->item);
	*l = (struct pit_mount_list){0};
}

/* Adds `m`, or lets it take the place of a longer target on the same device. Where no device is recorded (/proc/mounts)
 * the source stands for it. `slots` remembers where each device is. */
static int add_mount(struct pit_mount_list *l, struct pit_strmap *slots, const struct pit_mount *m)
{
	pit_auto_buf struct pit_buf device = PIT_BUF_INIT;
	const struct pit_mount **old;

	if (m->major || m->minor)
		pit_buf_printf(&device, "%u:%u", m->major, m->minor);
	else
		pit_buf_printf(&device, "%s %s", m->type, m->source);
	if (device.failed)
		return -ENOMEM;
	old = pit_strmap_get(slots, device.data);
	if (old) {
		if (strlen(m->target) < strlen((*old)->target))
			*old = m;
		return 0;
	}
	l->item[l->count] = m;
	return pit_strmap_put(slots, device.data, &l->item[l->count++]);
}

int pit_storage_mounts(struct pit_facts *facts, bool (*keep)(const struct pit_mount *), struct pit_mount_list *ret,
		       struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list l = {0};
	struct pit_strmap slots = {0};
	const struct pit_mounts *mounts;
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	l.item = calloc(mounts->count + 1, sizeof(struct pit_mount *));
	if (!l.item)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < mounts->count && !rc; i++) {
		const struct pit_mount *m = &mounts->item[i];

		if (!m->covered && keep(m))
			rc = add_mount(&l, &slots, m);
	}
	pit_strmap_free(&slots, NULL);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	*ret = l;
	l = (struct pit_mount_list){0};
	return 0;
}

bool pit_mount_is_data(const struct pit_mount *m)
{
	static const char *const types[] = {"ext2", "ext3",   "ext4",     "xfs",      "btrfs",   "zfs",     "f2fs",
					    "jfs",  "nilfs2", "reiserfs", "bcachefs", "overlay", "stratis", NULL};

	if (!strcmp(m->type, "overlay") && strcmp(m->target, "/") != 0)
		return false; /* a container's root as its host sees it */
	return pit_is_among(m->type, types);
}

bool pit_mount_is_nfs(const struct pit_mount *m)
{
	return !strcmp(m->type, "nfs") || !strcmp(m->type, "nfs4");
}

bool pit_mount_is_remote(const struct pit_mount *m)
{
	return pit_mount_is_network(m) || !strcmp(m->type, "fuse") || !strncmp(m->type, "fuse.", 5);
}

int pit_mount_answers(struct pit_facts *facts, const struct pit_mount *m, struct pit_error *err)
{
	struct pit_fsinfo fs;

	if (!pit_mount_is_remote(m) || pit_root_statfs(pit_facts_root(facts), &fs, "%s", m->target) != -ETIMEDOUT)
		return 0;
	return pit_fail(err, ETIMEDOUT, "%s (%s) does not answer", m->target, m->type);
}

bool pit_mount_is_read_only(const struct pit_mount *m)
{
	return pit_mount_option(m, "ro", NULL);
}

bool pit_mount_has(const struct pit_mount *m, const char *name, const char *want)
{
	const char *value;

	if (!pit_mount_option(m, name, &value))
		return false;
	return !want || (!strncmp(value, want, strlen(want)) && (!value[strlen(want)] || value[strlen(want)] == ','));
}

/* The whole disk of a partition, whose directory lies in the disk's: ".../block/sda/sda1". */
static int whole_disk(struct pit_root *root, const char *name, char *ret, size_t size)
{
	const char *link, *end, *start;

	if (pit_root_exists(root, "/sys/class/block/%s/partition", name)) {
		snprintf(ret, size, "%s", name);
		return 0;
	}
	if (pit_root_link(root, &link, "/sys/class/block/%s", name))
		return -ENOENT;
	end = strrchr(link, '/');
	if (!end || end == link)
		return -EBADMSG;
	for (start = end; start > link && start[-1] != '/'; start--)
		;
	snprintf(ret, size, "%.*s", (int)(end - start), start);
	return 0;
}

int pit_mount_disk(struct pit_root *root, const struct pit_mount *m, char *ret, size_t size)
{
	const char *link;

	if (!pit_root_link(root, &link, "/sys/dev/block/%u:%u", m->major, m->minor))
		return whole_disk(root, pit_base_name(link), ret, size);
	if (strncmp(m->source, "/dev/", 5) != 0)
		return -ENOENT;
	if (!pit_root_link(root, &link, "%s", m->source))
		return whole_disk(root, pit_base_name(link), ret, size);
	if (pit_root_exists(root, "/sys/class/block/%s", pit_base_name(m->source)))
		return -ENOENT;
	return whole_disk(root, pit_base_name(m->source), ret, size);
}

static bool is_virtual(const char *name)
{
	static const char *const heads[] = {"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "rbd", "drbd", NULL};

	for (const char *const *h = heads; *h; h++)
		if (!strncmp(name, *h, strlen(*h)))
			return true;
	return strstr(name, "boot") != NULL; /* mmcblk0boot0 */
}

/* A stick, a card, or the virtual media of a BMC. */
static bool is_plugged_in(struct pit_root *root, const char *name)
{
	uint64_t removable = 0;
	const char *link;

	(void)pit_root_u64(root, &removable, "/sys/block/%s/removable", name);
	return removable || (!pit_root_link(root, &link, "/sys/block/%s", name) && strstr(link, "/usb"));
}

int pit_storage_disks(struct pit_root *root, struct pit_strv *ret)
{
	const struct pit_strv *names;
	int rc = pit_root_list(root, &names, "/sys/block");

	for (size_t i = 0; !rc && i < names->count; i++) {
		uint64_t sectors = 1, hidden = 0;

		(void)pit_root_u64(root, &sectors, "/sys/block/%s/size", names->item[i]);
		(void)pit_root_u64(root, &hidden, "/sys/block/%s/hidden", names->item[i]);
		if (sectors && !hidden && !is_virtual(names->item[i]) && !is_plugged_in(root, names->item[i]))
			rc = pit_strv_add(ret, names->item[i]);
	}
	return rc;
}

static int add_disk_of(struct pit_root *root, const struct pit_mount *m, struct pit_strv *ret)
{
	char disk[PIT_DISK_NAME];

	if (!m->major || pit_mount_disk(root, m, disk, sizeof(disk)) || pit_strv_has(ret, disk))
		return 0; /* btrfs and ZFS read ahead by themselves */
	return pit_strv_add(ret, disk);
}

/* The disks below the places that were given; 1 when none was. */
static int disks_of_places(struct pit_facts *facts, struct pit_strv *ret, struct pit_error *err)
{
	struct pit_place place;
	int data = pit_place_data(facts, &place, NULL, err), checkpoint;

	if (!data)
		data = add_disk_of(pit_facts_root(facts), place.mount, ret);
	checkpoint = pit_place_checkpoint(facts, &place, NULL, err);
	if (!checkpoint)
		checkpoint = add_disk_of(pit_facts_root(facts), place.mount, ret);
	if (data < 0 || checkpoint < 0)
		return data < 0 ? data : checkpoint;
	return data && checkpoint;
}

int pit_storage_tuned(struct pit_facts *facts, struct pit_strv *ret, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	int rc = disks_of_places(facts, ret, err);

	if (rc <= 0)
		return rc;
	if (pit_gpu_count(facts) <= 0) {
		pit_skip(out, "no GPU here; give --data PATH to judge its disk");
		return 1;
	}
	rc = pit_storage_mounts(facts, pit_mount_is_data, &mounts, err);
	for (size_t i = 0; !rc && i < mounts.count; i++)
		rc = add_disk_of(pit_facts_root(facts), mounts.item[i], ret);
	return rc;
}
