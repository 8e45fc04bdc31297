/* SPDX-License-Identifier: MIT */
#include "launch/leaf_place.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "host/cgroup.h"
#include "host/pid.h"
#include "launch/leaf_group.h"

#define DESCENT 64 /* generations that are looked back */

static int parent_of(struct pit_root *root, pid_t pid)
{
	struct pit_text text;
	struct pit_proc p;

	if (pit_root_read(root, &text, "/proc/%d/stat", (int)pid) || pit_proc_parse_stat(text.data, &p, NULL))
		return 0;
	return p.ppid;
}

bool pit_leaf_is_ours(struct pit_root *root, pid_t pid)
{
	for (int i = 0; i < DESCENT && pid > 0; i++) {
		if (pid == getpid())
			return true;
		pid = parent_of(root, pid);
	}
	return false;
}

struct look {
	struct pit_root *root;
	struct pit_leaf_spot *spot;
};

static int sort_process(void *arg, pid_t pid)
{
	struct look *l = arg;
	char comm[32] = "?";

	if (pit_leaf_is_ours(l->root, pid)) {
		l->spot->ours++;
		return 0;
	}
	if (!l->spot->others++) {
		(void)pit_root_str(l->root, comm, sizeof(comm), "/proc/%d/comm", (int)pid);
		snprintf(l->spot->other, sizeof(l->spot->other), "%s %d", comm, (int)pid);
	}
	return 0;
}

/* Whether groups can be made below, and processes be moved there. */
static int find_denial(int dir)
{
	static const char *const files[] = {".", "cgroup.procs", "cgroup.subtree_control"};
	char type[32] = "domain";
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct statvfs fs;

	if (!fstatvfs(dir, &fs) && (fs.f_flag & ST_RDONLY))
		return EROFS;
	for (size_t i = 0; i < PIT_COUNT(files); i++)
		if (faccessat(dir, files[i], W_OK, AT_EACCESS))
			return errno;
	if (!pit_group_read(dir, "cgroup.type", &text))
		snprintf(type, sizeof(type), "%.*s", (int)strcspn(text.data, "\n"), text.data);
	return strcmp(type, "domain") != 0 ? EOPNOTSUPP : 0;
}

/* ".../slurmstepd.scope/job_7/...", or NODE_slurmstepd.scope where several slurmd are on one host. */
static bool is_of_slurm(const char *path)
{
	return strstr(path, "slurmstepd.scope/");
}

static bool is_limited(int dir)
{
	static const char *const files[] = {"memory.max",  "memory.high", "cpu.max",
					    "cpuset.cpus", "cpuset.mems", "io.max"};
	bool limited = false;

	for (size_t i = 0; i < PIT_COUNT(files) && !limited; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		limited = !pit_group_read(dir, files[i], &text) && text.len && *text.data != '\n' &&
			  strncmp(text.data, "max", 3) != 0;
	}
	return limited;
}

static int add_spot(struct pit_root *root, const char *path, struct pit_leaf_spots *s)
{
	struct pit_leaf_spot *grown = reallocarray(s->item, s->count + 1, sizeof(*grown));
	pit_auto_free char *full = NULL;
	pit_auto_close int dir = -1;
	struct look look = {.root = root};

	if (!grown)
		return -ENOMEM;
	s->item = grown;
	look.spot = &grown[s->count];
	*look.spot = (struct pit_leaf_spot){.path = strdup(path), .own = !s->count, .scheduler = is_of_slurm(path)};
	if (!look.spot->path)
		return -ENOMEM;
	s->count++;
	if (asprintf(&full, "%s%s", pit_root_is_live(root) ? "" : pit_root_dir(root), path) < 0)
		return -ENOMEM;
	dir = pit_group_open(AT_FDCWD, full);
	if (dir < 0)
		return dir;
	look.spot->top = faccessat(dir, "cgroup.type", F_OK, 0) != 0;
	look.spot->memory = pit_group_lists(dir, "cgroup.controllers", "memory");
	look.spot->limited = is_limited(dir);
	look.spot->denied = find_denial(dir);
	if (!look.spot->top) /* who is in the root does not matter */
		(void)pit_group_each_own(dir, sort_process, &look);
	return 0;
}

static int load_way_up(struct pit_root *root, const char *dir, const char *base, struct pit_leaf_spots *s)
{
	pit_auto_free char *path = strdup(dir);
	int rc = path ? add_spot(root, path, s) : -ENOMEM;

	while (!rc && strlen(path) > strlen(base)) {
		*strrchr(path, '/') = '\0';
		rc = add_spot(root, path, s);
	}
	return rc;
}

static int load(struct pit_root *root, struct pit_mounts *mounts, struct pit_cgroup **g, struct pit_leaf_spots *s,
		struct pit_error *err)
{
	const char *dir, *base;
	int rc = pit_mounts_load(root, mounts, err);

	if (!rc)
		rc = pit_cgroup_load(root, mounts, 0, g, err);
	if (rc)
		return pit_fail(err, EOPNOTSUPP, "no control groups can be found");
	if (pit_cgroup_mode(*g) != PIT_CGROUP_V2)
		return pit_fail(err, EOPNOTSUPP, "control groups are %s here, version 2 is needed",
				pit_cgroup_mode_name(pit_cgroup_mode(*g)));
	if (pit_cgroup_v2_dir(*g, &dir, &base))
		return pit_fail(err, EOPNOTSUPP, "the control group %s lies outside of what is mounted here",
				pit_cgroup_path(*g));
	rc = load_way_up(root, dir, base, s);
	return rc ? pit_fail(err, -rc, "%s: %s", dir, strerror(-rc)) : 0;
}

int pit_leaf_spots_load(struct pit_root *root, struct pit_leaf_spots *ret, struct pit_error *err)
{
	struct pit_leaf_spots s = {0};
	struct pit_mounts mounts = {0};
	struct pit_cgroup *g = NULL;
	int rc = load(root, &mounts, &g, &s, err);

	pit_cgroup_free(g);
	pit_mounts_free(&mounts);
	if (rc)
		pit_leaf_spots_free(&s);
	else
		*ret = s;
	return rc;
}

void pit_leaf_spots_free(struct pit_leaf_spots *s)
{
	for (size_t i = 0; i < s->count; i++)
		pit_cleanup_free(&s->item[i].path);
	pit_cleanup_free(&s->item);
	*s = (struct pit_leaf_spots){0};
}

static bool is_free(const struct pit_leaf_spot *s)
{
	return s->top || (!s->others && (s->own || !s->ours));
}

static int say_no(const struct pit_leaf_spot *own, const struct pit_leaf_spot *limit, struct pit_error *err)
{
	if (own->denied == EROFS)
		return pit_fail(err, EROFS, "%s is mounted read-only, as in most containers", own->path);
	if (own->denied == EACCES || own->denied == EPERM)
		return pit_fail(err, EACCES,
				"%s is not delegated to this user (systemd-run --user --scope -p Delegate=yes "
				"gives one that is)",
				own->path);
	if (own->denied)
		return pit_fail(err, own->denied, "no groups can be made below %s: %s", own->path,
				strerror(own->denied));
	if (limit)
		return pit_fail(err, EBUSY,
				"others (%s) live in %s, and the limits of %s do not hold in the groups above it",
				own->other, own->path, limit->path);
	return pit_fail(err, EBUSY, "others (%s) live in %s, and no group above it can be used", own->other, own->path);
}

int pit_leaf_choose(const struct pit_leaf_spots *s, struct pit_error *err)
{
	const struct pit_leaf_spot *limit = NULL;
	int best = -1;

	if (s->item[0].scheduler)
		return pit_fail(
			err, EBUSY,
			"%s is Slurm's, which must find all processes of the job there; limits are srun's (--mem, "
			"--cpus-per-task)",
			s->item[0].path);
	for (size_t i = 0; i < s->count && !limit; i++) {
		const struct pit_leaf_spot *spot = &s->item[i];

		limit = spot->limited ? spot : NULL;
		if (spot->denied || !is_free(spot))
			continue;
		if (spot->memory)
			return (int)i;
		best = best < 0 ? (int)i : best;
	}
	return best >= 0 ? best : say_no(&s->item[0], limit, err);
}
