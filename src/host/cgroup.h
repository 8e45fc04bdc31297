/* SPDX-License-Identifier: MIT
 *
 * Control groups of a process: v1, v2 or hybrid, also inside containers where the mount shows only a part of the tree.
 */
#ifndef PIT_HOST_CGROUP_H
#define PIT_HOST_CGROUP_H

#include "host/mounts.h"

enum pit_cgroup_mode { PIT_CGROUP_NONE, PIT_CGROUP_V1, PIT_CGROUP_HYBRID, PIT_CGROUP_V2 };
const char *pit_cgroup_mode_name(enum pit_cgroup_mode mode);

struct pit_cgroup; /* of one process */

/* `pid` 0 is this process. -ENOENT: no cgroup file or mount there. */
int pit_cgroup_load(struct pit_root *root, const struct pit_mounts *mounts, int pid, struct pit_cgroup **ret,
		    struct pit_error *err);
void pit_cgroup_free(struct pit_cgroup *g); /* NULL is fine */

enum pit_cgroup_mode pit_cgroup_mode(const struct pit_cgroup *g); /* of the machine */
const char *pit_cgroup_path(const struct pit_cgroup *g);          /* as /proc/PID/cgroup says: v2 path, else memory's */

/* The directory of the group that holds `controller` ("memory", "cpu", "cpuset", "pids", "io") for this process, e.g.
 * /sys/fs/cgroup/system.slice/x.service, in `ret`. *ret_v2 says which names its files have. -ENOENT: that controller is
 * not there or the path cannot be translated through the mount. */
int pit_cgroup_dir(const struct pit_cgroup *g, const char *controller, char *ret, size_t size, bool *ret_v2);

/* The process's own directory in the version 2 hierarchy, whatever controllers it has there, and the one where that
 * hierarchy is mounted, above which nothing is seen. -ENOENT: none, or the path cannot be translated. */
int pit_cgroup_v2_dir(const struct pit_cgroup *g, const char **ret_dir, const char **ret_base);

/* Walks from the group up to the mount's root: calls `fn` with each directory (deepest first) until it returns not 0,
 * and returns that. */
typedef int (*pit_cgroup_fn)(const char *dir, bool v2, void *arg);
int pit_cgroup_walk_up(const struct pit_cgroup *g, const char *controller, pit_cgroup_fn fn, void *arg);

/* The tightest limit of the group and its ancestors: *ret UINT64_MAX when there is none; `ret_file` (may be NULL) is
 * the file that sets it. `file_v2`/`file_v1` are the names, e.g. "memory.max"/"memory.limit_in_bytes". "max" and v1's
 * huge default both mean none. */
int pit_cgroup_limit(struct pit_root *root, const struct pit_cgroup *g, const char *controller, const char *file_v2,
		     const char *file_v1, uint64_t *ret, char *ret_file, size_t size);

/* CPU quota in CPUs (0.5 = 50000/100000) and the file that sets the tightest; 0 = no limit. */
int pit_cgroup_cpu_quota(struct pit_root *root, const struct pit_cgroup *g, double *ret_cpus, char *ret_file,
			 size_t size);

/* One quota text: "max 100000", "150000 100000", or v1's two numbers. *ret_cpus 0 = no limit. -EBADMSG: junk, three
 * fields, or a period of 0; a lone number has the period 100000. */
int pit_cgroup_parse_cpu_max(const char *text, double *ret_cpus);

/* CPUs and memory nodes the process may use by cpuset (effective values); `ret_file` is the file used. -ENOENT when no
 * cpuset says. Sets *ret, which must be empty. */
int pit_cgroup_cpuset(struct pit_root *root, const struct pit_cgroup *g, bool mems, struct pit_idset *ret,
		      char *ret_file, size_t size);

#endif
