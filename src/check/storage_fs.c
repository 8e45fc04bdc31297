/* SPDX-License-Identifier: MIT
 *
 * File systems by type and use, and the options that they are mounted with.
 */
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "check/storage.h"
#include "host/unit.h"

/* What a type of file system is good for. A type ending with "*" stands for all that begin so; the first that fits. */
struct fs_kind {
	const char *type;
	enum pit_status data, checkpoint;
	const char *data_says, *checkpoint_says; /* NULL: nothing against it */
};

static const struct fs_kind kinds[] = {
	{.type = "ext2",
	 .data = PIT_PASS,
	 .checkpoint = PIT_WARN,
	 .checkpoint_says = "no journal: a crash needs a check"},
	{.type = "ext3", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "ext4", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "xfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "btrfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "zfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "f2fs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "bcachefs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "stratis", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "nfs*", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "lustre", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "gpfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "beegfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "wekafs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "ceph", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "fuse.ceph*", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "glusterfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "fuse.glusterfs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "fuse.juicefs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "fuse.lustre", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "virtiofs", .data = PIT_PASS, .checkpoint = PIT_PASS},
	{.type = "squashfs",
	 .data = PIT_PASS,
	 .checkpoint = PIT_FAIL,
	 .checkpoint_says = "an image that cannot be written"},
	{.type = "erofs",
	 .data = PIT_PASS,
	 .checkpoint = PIT_FAIL,
	 .checkpoint_says = "an image that cannot be written"},
	{.type = "iso9660",
	 .data = PIT_WARN,
	 .checkpoint = PIT_FAIL,
	 .data_says = "a disc image: slow lookups",
	 .checkpoint_says = "a disc image that cannot be written"},
	{.type = "overlay",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "a container's layer: gone with the container, and each name is looked up in several layers",
	 .checkpoint_says = "a container's layer: gone with the container"},
	{.type = "aufs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "a container's layer: gone with the container",
	 .checkpoint_says = "a container's layer: gone with the container"},
	{.type = "tmpfs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "memory: takes RAM from the job",
	 .checkpoint_says = "memory: gone at reboot, and takes RAM from the job"},
	{.type = "ramfs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "memory without a limit",
	 .checkpoint_says = "memory without a limit: gone at reboot"},
	{.type = "vfat",
	 .data = PIT_WARN,
	 .checkpoint = PIT_FAIL,
	 .data_says = "no file above 4 GiB, no permissions",
	 .checkpoint_says = "no file above 4 GiB"},
	{.type = "msdos",
	 .data = PIT_WARN,
	 .checkpoint = PIT_FAIL,
	 .data_says = "no file above 4 GiB, no permissions",
	 .checkpoint_says = "no file above 4 GiB"},
	{.type = "exfat",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "no journal and no permissions",
	 .checkpoint_says = "no journal: a crash can lose files"},
	{.type = "ntfs*",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "made for another system: slow",
	 .checkpoint_says = "made for another system: slow"},
	{.type = "fuseblk",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "each read goes through a user process",
	 .checkpoint_says = "each write goes through a user process"},
	{.type = "9p",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "files of the host over 9P: slow for small reads (on WSL2 use the Linux file system)",
	 .checkpoint_says = "files of the host over 9P: slow"},
	{.type = "cifs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "SMB: slow for many small files",
	 .checkpoint_says = "SMB: locks and renames differ from a local disk"},
	{.type = "smb3",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "SMB: slow for many small files",
	 .checkpoint_says = "SMB: locks and renames differ from a local disk"},
	{.type = "fuse.sshfs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "one SSH connection serves all reads",
	 .checkpoint_says = "one SSH connection takes all writes"},
	{.type = "fuse.mountpoint-s3",
	 .data = PIT_PASS,
	 .checkpoint = PIT_WARN,
	 .checkpoint_says = "an object store: no rename, no write in place"},
	{.type = "fuse.gcsfuse",
	 .data = PIT_PASS,
	 .checkpoint = PIT_WARN,
	 .checkpoint_says = "an object store: a rename is a copy"},
	{.type = "fuse.s3fs",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "an object store behind a user process: each small read is a request",
	 .checkpoint_says = "an object store: a rename is a copy"},
	{.type = "fuse.goofys",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "an object store behind a user process: each small read is a request",
	 .checkpoint_says = "an object store: a rename is a copy"},
	{.type = "fuse.rclone",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "an object store behind a user process: each small read is a request",
	 .checkpoint_says = "an object store: a rename is a copy"},
	{.type = "fuse.blobfuse*",
	 .data = PIT_WARN,
	 .checkpoint = PIT_WARN,
	 .data_says = "an object store behind a user process: each small read is a request",
	 .checkpoint_says = "an object store: a rename is a copy"},
};

static const struct fs_kind *find_kind(const char *type)
{
	for (size_t i = 0; i < PIT_COUNT(kinds); i++) {
		size_t len = strlen(kinds[i].type);
		bool prefix = kinds[i].type[len - 1] == '*';

		if (prefix ? !strncmp(type, kinds[i].type, len - 1) : !strcmp(type, kinds[i].type))
			return &kinds[i];
	}
	return NULL;
}

static void show_mount(const struct pit_place *p, struct pit_finding *out)
{
	pit_evidence(out, p->mount->file, "%s is on %s: %s from %s (%s)", p->path, p->mount->target, p->mount->type,
		     *p->mount->source ? p->mount->source : "nothing", p->mount->options);
}

int pit_probe_data_type(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_place place;
	const struct fs_kind *kind;
	char disk[PIT_DISK_NAME];
	int rc = pit_place_data(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	show_mount(&place, out);
	pit_want(out, "a local, network or parallel file system made for many reads");
	kind = find_kind(place.mount->type);
	if (!kind)
		return pit_skip(out, "pitcrew does not know the file system type %s", place.mount->type);
	if (kind->data != PIT_PASS)
		return pit_judge(out, kind->data, row->impact, "%s: %s", kind->type, kind->data_says);
	if (!pit_mount_disk(pit_facts_root(facts), place.mount, disk, sizeof(disk)) && !strncmp(disk, "loop", 4) &&
	    !pit_mount_is_read_only(place.mount))
		return pit_bad(out, "%s in an image file (%s): two page caches, two journals", place.mount->type, disk);
	return pit_pass(out, "%s", place.mount->type);
}

int pit_probe_checkpoint_type(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_place place;
	const struct fs_kind *kind;
	int rc = pit_place_checkpoint(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	show_mount(&place, out);
	pit_want(out, "a file system that can be written and outlives the job");
	kind = find_kind(place.mount->type);
	if (!kind)
		return pit_skip(out, "pitcrew does not know the file system type %s", place.mount->type);
	if (kind->checkpoint != PIT_PASS)
		return pit_judge(out, kind->checkpoint, row->impact, "%s: %s", place.mount->type,
				 kind->checkpoint_says);
	if (pit_mount_is_read_only(place.mount))
		return pit_judge(out, PIT_FAIL, row->impact, "%s, mounted read-only", place.mount->type);
	return pit_pass(out, "%s", place.mount->type);
}

static bool is_written(const struct pit_mount *m)
{
	return pit_mount_is_data(m) && !pit_mount_is_read_only(m);
}

/* Mounts kept by `keep`, each judged by `judge`. */
static int judge_mounts(struct pit_facts *facts, bool (*keep)(const struct pit_mount *),
			void (*judge)(const struct pit_mount *, struct pit_offenders *, struct pit_finding *),
			struct pit_finding *out, const char *fine, struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	int rc = pit_storage_mounts(facts, keep, &mounts, err);

	if (rc)
		return rc;
	if (!mounts.count)
		return pit_skip(out, "no local file system that is written to");
	for (size_t i = 0; i < mounts.count; i++)
		judge(mounts.item[i], &o, out);
	return pit_offenders_judge(&o, out, fine, mounts.count, mounts.count == 1 ? "" : "s");
}

static void judge_atime(const struct pit_mount *m, struct pit_offenders *o, struct pit_finding *out)
{
	if (pit_mount_has(m, "relatime", NULL) || pit_mount_has(m, "noatime", NULL))
		return;
	pit_offend(o, PIT_WARN, PIT_RISK, "%s writes at every read", m->target);
	pit_evidence(out, m->file, "%s %s: %s, neither noatime nor relatime", m->target, m->type, m->options);
	if (o->count == 1)
		pit_command(out, "mount -o remount,noatime '%s'", m->target);
}

int pit_probe_atime(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	pit_want(out, "noatime or relatime");
	return judge_mounts(facts, is_written, judge_atime, out, "noatime or relatime on %zu file system%s", err);
}

static const struct {
	const char *name, *value; /* value NULL: any */
	enum pit_impact impact;
	const char *says;
} bad_options[] = {
	{.name = "sync", .impact = PIT_RISK, .says = "every write waits for the disk"},
	{.name = "dirsync", .impact = PIT_RISK, .says = "every new file waits for the disk"},
	{.name = "data", .value = "journal", .impact = PIT_RISK, .says = "all data are written twice"},
	{.name = "nobarrier", .impact = PIT_RISK, .says = "a power loss can ruin the file system"},
	{.name = "barrier", .value = "0", .impact = PIT_RISK, .says = "a power loss can ruin the file system"},
	{.name = "norecovery", .impact = PIT_RISK, .says = "the journal is not replayed"},
	{.name = "nodelalloc", .impact = PIT_STYLE, .says = "blocks are chosen at each write: fragments big files"},
};

static void judge_options(const struct pit_mount *m, struct pit_offenders *o, struct pit_finding *out)
{
	for (size_t i = 0; i < PIT_COUNT(bad_options); i++) {
		const char *value = bad_options[i].value;

		if (!pit_mount_has(m, bad_options[i].name, value))
			continue;
		pit_offend(o, PIT_WARN, bad_options[i].impact, "%s has %s%s%s", m->target, bad_options[i].name,
			   value ? "=" : "", value ? value : "");
		pit_evidence(out, m->file, "%s %s (%s; %s): %s", m->target, m->type, m->options, m->super_options,
			     bad_options[i].says);
	}
}

int pit_probe_mount_options(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_want(out, "none of sync, dirsync, data=journal, nobarrier, norecovery");
	return judge_mounts(facts, is_written, judge_options, out, "nothing slow or unsafe on %zu file system%s", err);
}

/* File systems on flash, in which freed blocks should be told to the drive. */
static bool is_on_flash(struct pit_root *root, const struct pit_mount *m)
{
	char disk[PIT_DISK_NAME];
	uint64_t rotational = 1, granule = 0;

	if (strcmp(m->type, "zfs") == 0 || pit_mount_disk(root, m, disk, sizeof(disk)))
		return false;
	(void)pit_root_u64(root, &rotational, "/sys/block/%s/queue/rotational", disk);
	(void)pit_root_u64(root, &granule, "/sys/block/%s/queue/discard_granularity", disk);
	return !rotational && granule;
}

/* btrfs does it in the background by itself since Linux 6.2. */
static void judge_discard(const struct pit_mount *m, bool timer, struct pit_offenders *o, struct pit_finding *out)
{
	const char *value = "";
	bool online = pit_mount_option(m, "discard", &value);

	if (online && strncmp(value, "async", 5) != 0) {
		pit_offend(o, PIT_WARN, PIT_STYLE, "%s tells the drive of each deleted block at once", m->target);
		pit_evidence(out, m->file, "%s %s: option discard", m->target, m->type);
	} else if (!online && !timer) {
		pit_offend(o, PIT_WARN, PIT_STYLE, "%s is never trimmed", m->target);
		pit_evidence(out, "fstrim.timer", "not enabled, and %s %s has no discard option", m->target, m->type);
	}
}

int pit_probe_trim(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders o = {0};
	size_t seen = 0;
	int rc = pit_storage_mounts(facts, is_written, &mounts, err);
	int timer = rc ? rc : pit_unit_is_enabled(root, "fstrim.timer");

	if (rc)
		return rc;
	if (timer < 0 && pit_root_state(timer) != PIT_STATE_ABSENT)
		return pit_fail(err, -timer, "fstrim.timer");
	pit_want(out, "fstrim.timer enabled, no discard option");
	for (size_t i = 0; i < mounts.count; i++) {
		if (!is_on_flash(root, mounts.item[i]))
			continue;
		judge_discard(mounts.item[i], timer > 0, &o, out);
		seen++;
	}
	if (!seen)
		return pit_skip(out, "no file system on flash that can be trimmed");
	return pit_offenders_judge(&o, out, "%zu file system%s trimmed by timer", seen, seen == 1 ? "" : "s");
}

/* Appends what is wrong with a place on an overlay. */
static void judge_layer(const struct pit_place *p, struct pit_offenders *o, struct pit_finding *out)
{
	bool vol = pit_mount_has(p->mount, "volatile", NULL), lasting = false;

	if (strcmp(p->mount->type, "overlay") != 0)
		return;
	show_mount(p, out);
	lasting = strcmp(p->option, "--data") == 0;
	if (vol)
		pit_offend(o, lasting ? PIT_WARN : PIT_FAIL, PIT_RISK, "%s %s on a volatile overlay", p->option,
			   p->given);
	else if (strcmp(p->mount->target, "/") == 0 && !lasting)
		pit_offend(o, PIT_WARN, PIT_RISK, "%s %s in the container's own layer", p->option, p->given);
}

int pit_probe_volatile(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_offenders o = {0};
	struct pit_place place;
	int data = pit_place_data(facts, &place, NULL, err), checkpoint;

	if (!data)
		judge_layer(&place, &o, out);
	checkpoint = pit_place_checkpoint(facts, &place, NULL, err);
	if (!checkpoint)
		judge_layer(&place, &o, out);
	if (data < 0 || checkpoint < 0)
		return data < 0 ? data : checkpoint;
	if (data && checkpoint)
		return pit_skip(out, "give --data PATH or --checkpoint PATH to judge them");
	pit_want(out, "a mount of its own that keeps what is written");
	return pit_offenders_judge(&o, out, "not in a layer that is thrown away");
}

static bool copy_word(const char **text, char *ret, size_t size)
{
	size_t len, n = 0;

	*text += strspn(*text, " \t");
	len = strcspn(*text, " \t\n");
	for (size_t i = 0; i < len && n + 1 < size; n++) {
		const char *c = *text + i;

		if (len - i >= 4 && c[0] == '\\' && strspn(c + 1, "01234567") >= 3) {
			ret[n] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
			i += 4;
		} else {
			ret[n] = *c;
			i++;
		}
	}
	ret[n] = '\0';
	*text += len;
	return len > 0;
}

bool pit_fstab_next(const char **text, struct pit_fstab *ret)
{
	for (const char *line = *text; *line; line = *text) {
		const char *end = strchrnul(line, '\n');
		bool ok;

		*text = *end ? end + 1 : end;
		line += strspn(line, " \t");
		if (*line == '#')
			continue;
		ok = copy_word(&line, ret->source, sizeof(ret->source)) &&
		     copy_word(&line, ret->target, sizeof(ret->target)) &&
		     copy_word(&line, ret->type, sizeof(ret->type));
		if (!ok)
			continue;
		if (!copy_word(&line, ret->options, sizeof(ret->options)))
			snprintf(ret->options, sizeof(ret->options), "defaults");
		return true;
	}
	return false;
}

static bool is_mounted(const struct pit_mounts *mounts, const char *target)
{
	size_t len = strlen(target);

	while (len > 1 && target[len - 1] == '/')
		len--;
	for (size_t i = 0; i < mounts->count; i++)
		if (!strncmp(mounts->item[i].target, target, len) && !mounts->item[i].target[len])
			return true;
	return false;
}

/* A line that should have become a mount: not swap, not on demand. */
static bool is_expected(const struct pit_fstab *f)
{
	return f->target[0] == '/' && strcmp(f->type, "swap") != 0 && strcmp(f->type, "ignore") != 0 &&
	       !pit_words_have(f->options, ",", "noauto") && !strstr(f->options, "x-systemd.automount");
}

int pit_probe_fstab(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	const struct pit_mounts *mounts;
	struct pit_offenders o = {0};
	struct pit_fstab f;
	struct pit_text text;
	size_t seen = 0;
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	rc = pit_root_read(pit_facts_root(facts), &text, "/etc/fstab");
	if (rc)
		return pit_fail(err, -rc, "/etc/fstab");
	for (const char *at = text.data; pit_fstab_next(&at, &f);) {
		if (!is_expected(&f))
			continue;
		seen++;
		if (is_mounted(mounts, f.target))
			continue;
		pit_offend(&o, PIT_WARN, PIT_RISK, "%s is not mounted", f.target);
		pit_evidence(out, "/etc/fstab", "%s %s %s %s", f.source, f.target, f.type, f.options);
	}
	pit_want(out, "every file system of fstab mounted");
	if (!seen)
		return pit_pass(out, "fstab lists none to mount at boot");
	return pit_offenders_judge(&o, out, "all %zu mounted", seen);
}
