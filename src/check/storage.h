/* SPDX-License-Identifier: MIT
 *
 * What the rows of storage share: where --data and --checkpoint lie, which mounts and disks are judged, and the probes.
 */
#ifndef PIT_CHECK_STORAGE_H
#define PIT_CHECK_STORAGE_H

#include "check/check.h"
#include "check/facts.h"
#include "check/offenders.h"

#define PIT_DISK_NAME 64

/* A path that an option names, without links, and the mount that holds it. */
struct pit_place {
	const char *option; /* "--data" or "--checkpoint" */
	const char *given;
	char path[4096];
	const struct pit_mount *mount;
};

/* 0; 1 when the option was not given, which then is the reason in `out` (NULL: not said) to skip; -ENOENT when no mount
 * holds it, or another -errno. */
int pit_place_data(struct pit_facts *facts, struct pit_place *ret, struct pit_finding *out, struct pit_error *err);
int pit_place_checkpoint(struct pit_facts *facts, struct pit_place *ret, struct pit_finding *out,
			 struct pit_error *err);

/* One value for each file system: of the mounts of one device that with the shortest target; none that another mount
 * hides. The caller frees `item`. */
struct pit_mount_list {
	const struct pit_mount **item;
	size_t count;
};
void pit_mount_list_free(struct pit_mount_list *l);
#define pit_auto_mount_list PIT_CLEANUP(pit_mount_list_free)
int pit_storage_mounts(struct pit_facts *facts, bool (*keep)(const struct pit_mount *), struct pit_mount_list *ret,
		       struct pit_error *err);

bool pit_mount_is_data(const struct pit_mount *m); /* a local file system that keeps files: ext4, xfs, overlay ... */
bool pit_mount_is_nfs(const struct pit_mount *m);
bool pit_mount_is_remote(const struct pit_mount *m); /* network or FUSE: somebody else answers */
bool pit_mount_is_read_only(const struct pit_mount *m);

/* 0, or -ETIMEDOUT when a network or FUSE mount does not answer: then it is better not to touch what lies on it. */
int pit_mount_answers(struct pit_facts *facts, const struct pit_mount *m, struct pit_error *err);

/* True when option `name` is there with the value `want` (NULL: any or none). */
bool pit_mount_has(const struct pit_mount *m, const char *name, const char *want);

/* The block device below a mount as /sys/block names it: the whole disk of a partition, dm-0, md0. -ENOENT: none. */
int pit_mount_disk(struct pit_root *root, const struct pit_mount *m, char *ret, size_t size);

/* Disks proper: no loop, RAM, device mapper or md devices, none without medium or plugged in by USB, no hidden paths of
 * multipath NVMe. */
int pit_storage_disks(struct pit_root *root, struct pit_strv *ret);

/* Block devices whose tuning matters: those below --data and --checkpoint, else (with a GPU here) those below every
 * local mount. 1: nothing says that it matters here, and `out` is skipped with that reason. */
int pit_storage_tuned(struct pit_facts *facts, struct pit_strv *ret, struct pit_finding *out, struct pit_error *err);

/* An array of /proc/mdstat. */
struct pit_md {
	char name[32], level[16];
	bool active;
	unsigned want, have; /* members, from [2/1]; 0 0 a level without redundancy */
	unsigned failed;     /* marked (F) */
	char sync[16];       /* "recovery", "resync", "check", "reshape"; "" none */
	double percent;
};
#define PIT_MD_MAX 64
/* The arrays of `text` in `ret` of PIT_MD_MAX; returns how many. */
size_t pit_mdstat_parse(const char *text, struct pit_md *ret);

/* The next line of an fstab at *text that names a file system; moves *text on. False at the end. */
struct pit_fstab {
	char source[256], target[256], type[32], options[256];
};
bool pit_fstab_next(const char **text, struct pit_fstab *ret);

/* storage_space.c */
pit_probe pit_probe_space, pit_probe_inodes, pit_probe_tmp, pit_probe_small_files, pit_probe_checkpoint_room;
/* storage_fs.c */
pit_probe pit_probe_data_type, pit_probe_checkpoint_type, pit_probe_atime, pit_probe_mount_options, pit_probe_trim,
	pit_probe_volatile, pit_probe_fstab;
/* storage_disk.c */
pit_probe pit_probe_readahead, pit_probe_scheduler, pit_probe_queue, pit_probe_rotational, pit_probe_nvme_link,
	pit_probe_nvme_health, pit_probe_io_timeout, pit_probe_write_cache;
/* storage_net.c */
pit_probe pit_probe_dead_mounts, pit_probe_nfs_options, pit_probe_nfs_size, pit_probe_nfs_connections,
	pit_probe_nfs_readahead, pit_probe_fuse_limits, pit_probe_fuse_background;
/* storage_log.c */
pit_probe pit_probe_io_errors, pit_probe_read_only, pit_probe_nfs_stalls, pit_probe_md;
/* storage_try.c */
pit_probe pit_probe_io_uring, pit_probe_direct_io;

#endif
