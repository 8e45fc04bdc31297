/* SPDX-License-Identifier: MIT
 *
 * A machine of plain files to be tuned, with a plan of changes of all kinds that files can stand for, and a state
 * directory beside it.
 */
#ifndef PIT_TESTS_TUNE_WORLD_H
#define PIT_TESTS_TUNE_WORLD_H

#include <sys/wait.h>

#include "../tempdir.h"
#include "base/strv.h"
#include "tree.h"
#include "tune/txn.h"

#define WORLD_BOOT "11111111-2222-3333-4444-555555555555"

struct world_change {
	enum pit_target_kind target;
	enum pit_value_kind kind;
	const char *object, *old, *new; /* NULL absent */
	bool companion;
};

struct world {
	char top[64];       /* a temporary directory, in memory where that can be had: fsync costs nothing there */
	char dir[80];       /* in it: the machine */
	char state_dir[80]; /* in it: the state */
	struct pit_plan plan;
	struct pit_change change[64];
};

static inline const char *world_path(const struct pit_cell *cell, char *out, size_t size)
{
	snprintf(out, size, "%s%s", cell->target == PIT_TARGET_SYSCTL ? "/proc/sys/" : "", cell->object);
	for (char *c = out; cell->target == PIT_TARGET_SYSCTL && *c; c++)
		*c = *c == '.' ? '/' : *c;
	return out;
}

/* Puts a value where it belongs, past pitcrew: the start of the world, or somebody else's doing. */
static inline void world_put(const struct world *w, const struct pit_cell *cell, const char *value)
{
	char path[256], full[512], text[512];

	world_path(cell, path, sizeof(path));
	snprintf(full, sizeof(full), "%s%s", w->dir, path);
	remove(full);
	if (!value)
		return;
	tempdir_parents(w->dir, path, full, sizeof(full));
	if (cell->target == PIT_TARGET_DIR)
		assert_int_equal(mkdir(full, 0755), 0);
	else if (cell->target == PIT_TARGET_LINK)
		tempdir_link(w->dir, path, value);
	else {
		snprintf(text, sizeof(text), "%s%s", value, cell->target == PIT_TARGET_FILE ? "" : "\n");
		tempdir_file(w->dir, path, text);
	}
}

static inline void world_file(const struct world *w, const char *path, const char *text)
{
	tempdir_file(w->dir, path, text);
}

/* What a cell has; the caller frees it. */
static inline char *world_get(const struct world *w, const struct pit_cell *cell)
{
	struct pit_root *root = NULL;
	char *now = NULL;

	assert_int_equal(pit_root_open(w->dir, &root, NULL), 0);
	assert_int_equal(pit_cell_read(root, cell, &now, NULL), 0);
	pit_root_close(root);
	return now;
}

static inline void world_expect(const struct world *w, size_t n, const char *value)
{
	pit_auto_free char *now = world_get(w, &w->change[n].cell);

	assert_string_equal(now ? now : "(absent)", value ? value : "(absent)");
}

static inline void world_plan(struct world *w, const struct world_change *changes, size_t count)
{
	assert_true(count <= PIT_COUNT(w->change));
	for (size_t i = 0; i < count; i++) {
		const struct world_change *c = &changes[i];
		struct pit_change *change = &w->change[i];

		*change = (struct pit_change){.companion = c->companion};
		pit_cell_set(&change->cell, c->target, c->kind, "%s", c->object);
		change->old = c->old ? strdup(c->old) : NULL;
		change->new = c->new ? strdup(c->new) : NULL;
	}
	w->plan = (struct pit_plan){.change = w->change, .changes = count};
}

/* The machine has all old values. */
static inline void world_new(struct world *w, const struct world_change *changes, size_t count)
{
	*w = (struct world){.top = ""};
	tempdir_new_in(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", w->top, sizeof(w->top));
	snprintf(w->dir, sizeof(w->dir), "%s/machine", w->top);
	snprintf(w->state_dir, sizeof(w->state_dir), "%s/state", w->top);
	world_file(w, "/proc/sys/kernel/random/boot_id", WORLD_BOOT "\n");
	world_plan(w, changes, count);
	for (size_t i = 0; i < count; i++)
		world_put(w, &w->change[i].cell, w->change[i].old);
}

static inline void world_unplan(struct world *w)
{
	for (size_t i = 0; i < w->plan.changes; i++) {
		pit_cell_free(&w->change[i].cell);
		free(w->change[i].old);
		free(w->change[i].new);
	}
	w->plan = (struct pit_plan){.changes = 0};
}

static inline void world_free(struct world *w)
{
	world_unplan(w);
	tempdir_remove(w->top);
}

static inline struct pit_tune_state *world_state(const struct world *w)
{
	struct pit_tune_state *s = NULL;

	assert_int_equal(pit_tune_state_open(w->state_dir, true, &s, NULL), 0);
	/* A helper of a process that was just killed may hold it for a moment yet. */
	assert_int_equal(pit_tune_state_lock(s, 5, NULL), 0);
	return s;
}

static inline struct pit_place *world_place(const struct world *w)
{
	struct pit_place *p = NULL;

	assert_int_equal(pit_place_rehearse(w->dir, &p, NULL), 0);
	return p;
}

/* The plan as it would be made now: what has its value already is left out. */
static inline void world_replan(struct world *w)
{
	size_t left = 0;

	for (size_t i = 0; i < w->plan.changes; i++) {
		struct pit_change c = w->change[i];

		free(c.old);
		c.old = world_get(w, &c.cell);
		if (c.companion || !pit_value_equal(c.cell.kind, c.old, c.new)) {
			w->change[left++] = c;
			continue;
		}
		pit_cell_free(&c.cell);
		free(c.old);
		free(c.new);
	}
	w->plan.changes = left;
}

static inline int world_apply_told(const struct world *w, pit_step_fn step, void *arg, struct pit_strv *notes,
				   struct pit_error *err)
{
	const struct pit_txn_options options = {.kind = "apply", .step = step, .step_arg = arg};
	struct pit_tune_state *s = world_state(w);
	struct pit_place *p = world_place(w);
	struct pit_txn *t = NULL;
	int rc = pit_txn_begin(s, p, &w->plan, &options, &t, err);

	if (!rc)
		rc = pit_txn_run(t, notes, err);
	pit_txn_free(t);
	pit_place_close(p);
	pit_tune_state_close(s);
	return rc;
}

static inline int world_apply(const struct world *w, pit_step_fn step, void *arg, struct pit_error *err)
{
	pit_auto_strv struct pit_strv notes = {0};

	return world_apply_told(w, step, arg, &notes, err);
}

static inline int world_revert(const struct world *w, int txn, enum pit_revert_mode mode, pit_step_fn step, void *arg,
			       struct pit_revert *ret, struct pit_error *err)
{
	const struct pit_txn_options options = {.step = step, .step_arg = arg};
	struct pit_tune_state *s = world_state(w);
	struct pit_place *p = world_place(w);
	int rc;

	*ret = (struct pit_revert){.restored = 0};
	rc = pit_revert(s, p, txn, mode, &options, ret, err);
	pit_place_close(p);
	pit_tune_state_close(s);
	return rc;
}

static inline struct pit_record world_record(const struct world *w, int txn)
{
	struct pit_tune_state *s = NULL;
	struct pit_record r = {0};

	assert_int_equal(pit_tune_state_open(w->state_dir, false, &s, NULL), 0);
	assert_int_equal(pit_tune_state_load(s, txn, &r, NULL), 0);
	pit_tune_state_close(s);
	return r;
}

static inline enum pit_txn_state world_txn_state(const struct world *w, int txn)
{
	struct pit_record r = world_record(w, txn);
	enum pit_txn_state state = r.state;

	pit_record_free(&r);
	return state;
}

/* Everything below a directory, its names, kinds, modes, owners and contents, as one text; the caller frees it. */
static inline void world_list(const char *dir, struct pit_strv *lines)
{
	pit_auto_closedir DIR *d = opendir(dir);

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));) {
		char path[600], target[256] = "";
		pit_auto_free char *text = NULL;
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		assert_int_equal(lstat(path, &st), 0);
		if (S_ISREG(st.st_mode))
			text = tree_slurp("%s", path);
		if (S_ISLNK(st.st_mode))
			assert_true(readlink(path, target, sizeof(target) - 1) > 0);
		pit_strv_addf(lines, "%s %o %u %u '%s%s'", path, st.st_mode, st.st_uid, st.st_gid, text ? text : "",
			      target);
		if (S_ISDIR(st.st_mode))
			world_list(path, lines);
	}
}

static inline char *world_manifest(const struct world *w)
{
	pit_auto_strv struct pit_strv lines = {0};
	struct pit_buf all = PIT_BUF_INIT;

	world_list(w->dir, &lines);
	pit_strv_sort(&lines);
	for (size_t i = 0; i < lines.count; i++)
		pit_buf_printf(&all, "%s\n", lines.item[i]);
	return pit_buf_take(&all);
}

#endif
