/* SPDX-License-Identifier: MIT */
#include "launch/leaf_move.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "launch/leaf_group.h"
#include "launch/leaf_place.h"

#define OURS "pitcrew-"
#define SUPERVISOR "-supervisor"
#define NAMES 100      /* of one process id that are tried: a container's has the ids of others */
#define MOVE_ROUNDS 20 /* a process may fork while it is moved */
#define LOCK_NS (1000 * PIT_MS)
#define SUBTREE "cgroup.subtree_control"

/* Not the directory itself: when it belongs to an outer job, that one has locked it for good. */
void pit_leaf_lock(struct pit_leaves *l)
{
	const struct timespec pause = {.tv_nsec = 2 * PIT_MS};
	int64_t until = pit_now() + LOCK_NS;

	l->lock = openat(l->above_dir, SUBTREE, O_RDONLY | O_CLOEXEC);
	while (l->lock >= 0 && flock(l->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK && pit_now() < until)
		nanosleep(&pause, NULL);
}

void pit_leaf_unlock(struct pit_leaves *l)
{
	pit_cleanup_close(&l->lock);
	l->lock = -1;
}

pid_t pit_leaf_owner(const char *name)
{
	char *end;
	long pid;

	if (strncmp(name, OURS, strlen(OURS)) != 0 || name[strlen(OURS)] < '1' || name[strlen(OURS)] > '9')
		return 0;
	pid = strtol(name + strlen(OURS), &end, 10);
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return (*end && strcmp(end, SUPERVISOR) != 0) || pid > INT32_MAX ? 0 : (pid_t)pid;
}

/* It has ended, as far as this PID namespace can tell, and nobody holds the lock. */
static bool is_stale(int above, const char *name, pid_t owner)
{
	pit_auto_close int dir = -1;

	if (!kill(owner, 0) || errno != ESRCH)
		return false;
	dir = pit_group_open(above, name);
	return dir >= 0 && !flock(dir, LOCK_EX | LOCK_NB);
}

void pit_leaf_remove_stale(struct pit_leaves *l)
{
	int again = openat(l->above_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pit_auto_closedir DIR *list = again >= 0 ? fdopendir(again) : NULL;

	if (!list) {
		pit_cleanup_close(&again);
		return;
	}
	for (struct dirent *e = readdir(list); e; e = readdir(list)) {
		pid_t owner = pit_leaf_owner(e->d_name);

		if (owner && is_stale(l->above_dir, e->d_name, owner))
			(void)pit_group_remove(l->above_dir, e->d_name); /* -EBUSY: somebody lives there still */
	}
}

static int make_named(struct pit_leaves *l)
{
	for (int i = 0; i < NAMES; i++) {
		snprintf(l->name, sizeof(l->name), i ? OURS "%d.%d" : OURS "%d", (int)getpid(), i);
		if (mkdirat(l->above_dir, l->name, 0755)) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		l->dir = pit_group_open(l->above_dir, l->name);
		if (l->dir >= 0 && !flock(l->dir, LOCK_EX | LOCK_NB))
			return 0;
		pit_cleanup_close(&l->dir);
		l->dir = -1;
	}
	return -EEXIST;
}

int pit_leaf_make_job(struct pit_leaves *l, struct pit_error *err)
{
	int rc = make_named(l);

	if (rc) {
		*l->name = '\0';
		return pit_fail(err, -rc, "no control group can be made in %s: %s", l->above, strerror(-rc));
	}
	if (asprintf(&l->path, "%s/%s", l->above, l->name) < 0) {
		l->path = NULL;
		return pit_fail(err, ENOMEM, "no memory");
	}
	return 0;
}

struct move {
	struct pit_leaves *leaves;
	int to;   /* directory of a group */
	bool all; /* not only ours */
	int moved;
	int others; /* that were left */
	int error;
};

static int move_one(void *arg, pid_t pid)
{
	struct move *m = arg;
	char text[16];
	int rc;

	if (!m->all && !pit_leaf_is_ours(m->leaves->root, pid)) {
		m->others++;
		return 0;
	}
	snprintf(text, sizeof(text), "%d", (int)pid);
	rc = pit_group_write(m->to, "cgroup.procs", text);
	if (rc && rc != -ESRCH)
		m->error = -rc;
	else
		m->moved++;
	return 0;
}

/* Until the group is empty, or nothing in it can be moved. */
static int move_from(int from, struct move *m)
{
	for (int i = 0; i < MOVE_ROUNDS; i++) {
		int rc;

		m->moved = m->others = m->error = 0;
		rc = pit_group_each_own(from, move_one, m);
		if (rc)
			return rc;
		if (!m->moved)
			break;
	}
	if (m->error)
		return -m->error;
	return m->others || m->moved ? -EBUSY : 0;
}

int pit_leaf_move_out(struct pit_leaves *l, struct pit_error *err)
{
	struct move m = {.leaves = l, .to = -1};
	int rc = 0;

	snprintf(l->supervisor, sizeof(l->supervisor), "%s" SUPERVISOR, l->name);
	if (mkdirat(l->above_dir, l->supervisor, 0755))
		rc = -errno;
	if (!rc)
		m.to = rc = pit_group_open(l->above_dir, l->supervisor);
	if (rc >= 0)
		rc = move_from(l->above_dir, &m);
	pit_cleanup_close(&m.to);
	return rc < 0 ? pit_fail(err, -rc, "%s cannot be left for %s: %s", l->above, l->supervisor, strerror(-rc)) : 0;
}

static int switch_controller(int dir, char sign, const char *controller)
{
	char text[32];

	snprintf(text, sizeof(text), "%c%s", sign, controller);
	return pit_group_write(dir, SUBTREE, text);
}

static int enable_one(struct pit_leaves *l, const char *controller, struct pit_strv *notes)
{
	int rc = 0;

	if (!pit_group_lists(l->above_dir, SUBTREE, controller)) {
		rc = pit_group_lists(l->above_dir, "cgroup.controllers", controller) ? 0 : -ENOENT;
		if (!rc)
			rc = switch_controller(l->above_dir, '+', controller);
		if (!rc && pit_strv_add(&l->enabled, controller))
			return -ENOMEM;
	}
	if (!rc)
		rc = switch_controller(l->dir, '+', controller);
	if (!rc)
		return 0;
	if (rc == -ENOENT)
		return pit_leaf_miss(l, controller, notes, "%s does not have the controller %s", l->above, controller);
	return pit_leaf_miss(l, controller, notes, "%s does not hand the controller %s on (%s)", l->above, controller,
			     strerror(-rc));
}

int pit_leaf_enable(struct pit_leaves *l, struct pit_strv *notes)
{
	int rc = 0;

	for (const char *const *c = pit_leaf_controllers; *c && !rc; c++)
		rc = enable_one(l, *c, notes);
	return rc;
}

/* No process may come back before the controllers are off. */
static int move_back(struct pit_leaves *l)
{
	struct move m = {.leaves = l, .to = l->above_dir, .all = true};
	pit_auto_close int from = -1;
	int rc;

	if (!*l->supervisor)
		return 0;
	from = pit_group_open(l->above_dir, l->supervisor);
	if (from < 0)
		return from == -ENOENT ? 0 : from;
	rc = move_from(from, &m);
	return rc ? rc : pit_group_remove(l->above_dir, l->supervisor);
}

int pit_leaf_put_back(struct pit_leaves *l)
{
	int rc;

	if (l->above_dir < 0)
		return 0;
	pit_leaf_lock(l);
	rc = *l->name ? pit_group_remove(l->above_dir, l->name) : 0;
	for (size_t i = rc ? 0 : l->enabled.count; i > 0; i--) /* one that another job uses meanwhile stays: -EBUSY */
		(void)switch_controller(l->above_dir, '-', l->enabled.item[i - 1]);
	if (!rc)
		rc = move_back(l);
	pit_leaf_unlock(l);
	return rc;
}
