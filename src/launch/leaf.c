/* SPDX-License-Identifier: MIT */
#include "launch/leaf.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/leaf_group.h"
#include "launch/leaf_inside.h"
#include "launch/leaf_move.h"
#include "launch/leaf_place.h"

static const struct pit_leaf *find(const struct pit_leaves *l, const char *name)
{
	for (size_t i = 0; i < l->leaves; i++)
		if (!strcmp(l->leaf[i].name, name))
			return &l->leaf[i];
	return NULL;
}

/* The directory of a leaf or, without name, of the job; -ENOENT. */
static int dir_of(const struct pit_leaves *l, const char *name)
{
	const struct pit_leaf *leaf = name ? find(l, name) : NULL;

	if (!name)
		return l->dir;
	return leaf ? leaf->dir : -ENOENT;
}

static void leaves_free(struct pit_leaves *l)
{
	for (size_t i = 0; i < l->leaves; i++) {
		pit_cleanup_free(&l->leaf[i].name);
		pit_cleanup_close(&l->leaf[i].dir);
	}
	pit_cleanup_free(&l->leaf);
	pit_cleanup_free(&l->above);
	pit_cleanup_free(&l->path);
	pit_cleanup_close(&l->above_dir);
	pit_cleanup_close(&l->dir);
	pit_strv_free(&l->enabled);
	pit_strv_free(&l->told);
	pit_strv_free(&l->why);
	free(l);
}

static struct pit_leaves *leaves_new(struct pit_root *root, const char *above)
{
	struct pit_leaves *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct pit_leaves){.root = root, .above = strdup(above), .above_dir = -1, .dir = -1, .lock = -1};
	if (l->above)
		return l;
	leaves_free(l);
	return NULL;
}

/* All steps on the way to a job's group; what was done before one fails is undone by closing. */
static int settle(struct pit_leaves *l, bool move, const struct pit_leaf_limits *job, struct pit_strv *notes,
		  struct pit_error *err)
{
	int rc;

	l->above_dir = pit_group_open(AT_FDCWD, l->above);
	if (l->above_dir < 0)
		return pit_fail(err, -l->above_dir, "%s: %s", l->above, strerror(-l->above_dir));
	pit_leaf_lock(l);
	pit_leaf_remove_stale(l);
	rc = pit_leaf_make_job(l, err);
	if (!rc && move)
		rc = pit_leaf_move_out(l, err);
	if (!rc)
		rc = pit_leaf_enable(l, notes);
	pit_leaf_unlock(l);
	return rc ? rc : pit_leaf_limit(l, l->dir, l->path, job, notes, err);
}

int pit_leaves_open(struct pit_root *root, const struct pit_leaf_limits *job, struct pit_leaves **ret,
		    struct pit_strv *notes, struct pit_error *err)
{
	struct pit_leaf_spots spots = {0};
	struct pit_leaves *l = NULL;
	int rc, at;

	if (!pit_root_is_live(root))
		return pit_fail(err, EROFS, "a recorded machine takes no control groups");
	rc = pit_leaf_spots_load(root, &spots, err);
	if (rc)
		return rc;
	at = pit_leaf_choose(&spots, err);
	rc = at < 0 ? at : 0;
	if (!rc)
		l = leaves_new(root, spots.item[at].path);
	if (!rc && !l)
		rc = pit_fail(err, ENOMEM, "no memory");
	if (!rc)
		rc = settle(l, spots.item[at].own && !spots.item[at].top, job, notes, err);
	pit_leaf_spots_free(&spots);
	if (rc && l)
		(void)pit_leaves_close(l, 0);
	if (!rc)
		*ret = l;
	return rc;
}

static bool is_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 256;
}

/* Opens the leaf `name`, which is made when it is not there, and remembers it. */
static int make_leaf(struct pit_leaves *l, const char *name)
{
	struct pit_leaf *grown = reallocarray(l->leaf, l->leaves + 1, sizeof(*grown));
	struct pit_leaf leaf;

	if (!grown)
		return -ENOMEM;
	l->leaf = grown;
	if (mkdirat(l->dir, name, 0755) && errno != EEXIST)
		return -errno;
	leaf.dir = pit_group_open(l->dir, name);
	if (leaf.dir < 0)
		return leaf.dir;
	leaf.name = strdup(name);
	if (!leaf.name) {
		close(leaf.dir);
		return -ENOMEM;
	}
	l->leaf[l->leaves++] = leaf;
	return leaf.dir;
}

int pit_leaves_add(struct pit_leaves *l, const char *name, const struct pit_leaf_limits *limits, struct pit_strv *notes,
		   int *ret_fd, struct pit_error *err)
{
	int dir = is_name(name) ? dir_of(l, name) : -EINVAL, rc;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", l->path, name);
	if (dir == -ENOENT)
		dir = make_leaf(l, name);
	if (dir < 0)
		return pit_fail(err, -dir, "the control group %s cannot be made: %s", path, strerror(-dir));
	rc = pit_leaf_limit(l, dir, path, limits, notes, err);
	if (!rc)
		*ret_fd = dir;
	return rc;
}

const char *pit_leaves_lack(const struct pit_leaves *l, const char *controller)
{
	for (size_t i = 0; i < l->told.count && i < l->why.count; i++)
		if (!strcmp(l->told.item[i], controller))
			return l->why.item[i];
	return NULL;
}

const char *pit_leaves_path(const struct pit_leaves *l)
{
	return l->path;
}

static uint64_t number(int dir, const char *file)
{
	uint64_t n;

	return pit_group_u64(dir, file, &n) ? UINT64_MAX : n;
}

/* Fills numbers[i] from the line "keys[i] N" of a file. */
static void numbers(int dir, const char *file, const char *const *keys, uint64_t *const *numbers, size_t count)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (pit_group_read(dir, file, &text))
		pit_buf_clear(&text);
	for (size_t i = 0; i < count; i++)
		*numbers[i] = pit_group_key(text.data, keys[i]);
}

int pit_leaves_memory(struct pit_leaves *l, const char *name, struct pit_leaf_memory *ret)
{
	static const char *const stat[] = {"anon", "file", "shmem", "slab_unreclaimable"};
	static const char *const events[] = {"high", "max", "oom", "oom_kill", "oom_group_kill"};
	struct pit_leaf_memory m;
	uint64_t *const stats[] = {&m.anon, &m.file, &m.shmem, &m.slab};
	uint64_t *const counts[] = {&m.events_high, &m.events_max, &m.oom, &m.oom_kill, &m.oom_group_kill};
	int dir = dir_of(l, name);

	if (dir < 0)
		return dir;
	m = (struct pit_leaf_memory){
		.current = number(dir, "memory.current"),
		.peak = number(dir, "memory.peak"),
		.max = number(dir, "memory.max"),
		.high = number(dir, "memory.high"),
	};
	numbers(dir, "memory.stat", stat, stats, PIT_COUNT(stat));
	numbers(dir, "memory.events", events, counts, PIT_COUNT(events));
	*ret = m;
	return 0;
}

int pit_leaves_file(struct pit_leaves *l, const char *name, const char *file, int flags)
{
	int dir = dir_of(l, name), fd;

	if (dir < 0)
		return dir;
	if (!is_name(file))
		return -EINVAL;
	fd = openat(dir, file, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int pit_leaves_count(struct pit_leaves *l, const char *name)
{
	int dir = dir_of(l, name);

	return dir < 0 ? dir : pit_group_count(dir);
}

int pit_leaves_kill(struct pit_leaves *l, const char *name)
{
	int dir = dir_of(l, name);

	return dir < 0 ? dir : pit_group_kill(dir);
}

int pit_leaves_close(struct pit_leaves *l, int ms)
{
	int rc = l->dir >= 0 ? pit_group_wait_empty(l->dir, ms) : 0;

	if (!rc)
		rc = pit_leaf_put_back(l);
	leaves_free(l);
	return rc ? -EBUSY : 0;
}
