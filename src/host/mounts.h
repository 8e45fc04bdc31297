/* SPDX-License-Identifier: MIT
 *
 * /proc/self/mountinfo: what is mounted where. See proc_pid_mountinfo(5).
 */
#ifndef PIT_HOST_MOUNTS_H
#define PIT_HOST_MOUNTS_H

#include "host/root.h"

struct pit_mount {
	int id, parent;
	unsigned major, minor;
	char *root;          /* directory of the file system that is the mount's root */
	char *target;        /* where it is mounted; \040 and the like decoded */
	char *options;       /* of this mount */
	char *type;          /* "ext4", "nfs4", "fuse.sshfs" */
	char *source;        /* device or server; may be empty */
	char *super_options; /* of the file system */
	const char *file;    /* that says so: /proc/self/mountinfo, in old recordings /proc/mounts */
	bool covered;        /* a later one lies on the same target, so nobody sees this one */
};

struct pit_mounts {
	struct pit_mount *item;
	size_t count;
	size_t malformed; /* lines that are no mountinfo lines, left out */
};

int pit_mounts_parse(const char *text, struct pit_mounts *ret, struct pit_error *err);
int pit_mounts_load(struct pit_root *root, struct pit_mounts *ret, struct pit_error *err);
void pit_mounts_free(struct pit_mounts *m);

/* The mount that holds the absolute path: the longest target that is a prefix; the last such line wins, as the kernel
 * stacks mounts. NULL none. */
const struct pit_mount *pit_mounts_find(const struct pit_mounts *m, const char *path);

/* True when "name" or "name=..." is among the comma-separated options of the mount or of its file system; *ret_value
 * (may be NULL) then points at what follows "=", up to the next comma or the end; at "" for a bare name. */
bool pit_mount_option(const struct pit_mount *m, const char *name, const char **ret_value);

bool pit_mount_is_network(const struct pit_mount *m); /* nfs, cifs, ceph, lustre, gpfs, beegfs, glusterfs, 9p ... */
bool pit_mount_is_pseudo(const struct pit_mount *m);  /* proc, sysfs, cgroup ...: holds no data */

#endif
