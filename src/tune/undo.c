/* SPDX-License-Identifier: MIT */
#include "tune/undo.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "tune/hook.h"
#include "tune/standing.h"

#define PASSES 3 /* governor and EPP of a CPU disturb each other once; nothing known needs a third */

static int fail(struct pit_undo *u, const char *text)
{
	free(u->error);
	u->error = strdup(text);
	u->how = PIT_UNDONE_FAILED;
	return -EIO;
}

/* What a write that was cut off may have left beside its file. */
static void remove_remains(struct pit_place *place, const struct pit_cell *cell)
{
	const char *slash = strrchr(cell->object, '/');
	pit_auto_buf struct pit_buf path = PIT_BUF_INIT;

	if ((cell->target != PIT_TARGET_FILE && cell->target != PIT_TARGET_LINK) || !slash)
		return;
	pit_buf_printf(&path, "%.*s.%s.pitcrew", (int)(slash + 1 - cell->object), cell->object, slash + 1);
	if (path.failed)
		return;
	if (cell->target == PIT_TARGET_LINK)
		(void)pit_place_symlink(place, path.data, NULL, NULL);
	else
		(void)pit_place_store(place, path.data, NULL, 0, NULL);
}

static int write_old(struct pit_undo_work *w, const struct pit_entry *e, struct pit_undo *u)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_cell_write(w->place, &e->cell, e->old, &err);
	char want[PIT_VALUE_BRIEF], have[PIT_VALUE_BRIEF];
	pit_auto_free char *now = NULL;

	u->tried = true;
	free(pit_take(u->error));
	if (rc == -ENOTEMPTY) { /* somebody else put files into a directory of ours */
		fail(u, err.text);
		u->how = PIT_UNDONE_KEPT;
		return 0;
	}
	if (pit_root_state(rc) == PIT_STATE_ABSENT) {
		u->how = PIT_UNDONE_GONE;
		return 0;
	}
	if (rc)
		return fail(u, err.text);
	rc = pit_cell_read(pit_place_now(w->place), &e->cell, &now, &err);
	if (rc)
		return fail(u, err.text);
	if (!pit_value_equal(e->cell.kind, now, e->old)) {
		pit_fail(&err, EPROTO, "wrote %s, the kernel says %s", pit_value_brief(e->old, want),
			 pit_value_brief(now, have));
		return fail(u, err.text);
	}
	u->how = PIT_UNDONE_RESTORED;
	return 0;
}

static bool is_to_be_put_back(const struct pit_undo *u)
{
	return u->how == PIT_UNDONE_RESTORED || u->how == PIT_UNDONE_ALREADY || u->how == PIT_UNDONE_FAILED;
}

/* The first visit. It was looked at a moment ago: when it changed again, somebody else is at it. When it could not be
 * read then and can be now, whose it is was not yet asked. */
static void put_back(struct pit_undo_work *w, const struct pit_entry *e, struct pit_undo *u)
{
	bool known = u->how != PIT_UNDONE_FAILED;
	pit_auto_free char *now = NULL;
	bool ours;

	remove_remains(w->place, &e->cell);
	if (pit_cell_read(pit_place_now(w->place), &e->cell, &now, NULL)) {
		if (known || w->force)
			(void)write_old(w, e, u);
		return;
	}
	ours = w->force || (known && pit_value_equal(e->cell.kind, now, u->now)) || pit_entry_is_ours(e, now);
	if (pit_value_equal(e->cell.kind, now, e->old))
		u->how = PIT_UNDONE_ALREADY;
	else
		u->how = ours ? PIT_UNDONE_RESTORED : PIT_UNDONE_KEPT;
	if (!known) {
		free(pit_take(u->error));
		u->now = pit_take(now);
	}
	if (u->how == PIT_UNDONE_RESTORED)
		(void)write_old(w, e, u);
}

/* A later visit: has it still, or at last, its old value? Returns whether it was written. */
static bool put_right(struct pit_undo_work *w, const struct pit_entry *e, struct pit_undo *u)
{
	pit_auto_free char *now = NULL;

	if (!is_to_be_put_back(u))
		return false;
	if (u->how == PIT_UNDONE_FAILED && !u->tried) {
		put_back(w, e, u);
		return u->tried;
	}
	if (pit_cell_read(pit_place_now(w->place), &e->cell, &now, NULL))
		return false;
	if (!pit_value_equal(e->cell.kind, now, e->old)) {
		(void)write_old(w, e, u);
		return true;
	}
	if (u->how == PIT_UNDONE_FAILED) {
		u->how = PIT_UNDONE_RESTORED;
		free(pit_take(u->error));
	}
	return false;
}

static void journal(struct pit_undo_work *w, json_t *record, bool sync)
{
	struct pit_error err = PIT_ERROR_INIT;

	/* A full disk must not keep values from being put back. A later revert finds them back. */
	if (pit_journal_append(w->journal, record, sync, &err) && !pit_strv_has(w->notes, err.text))
		(void)pit_strv_add(w->notes, err.text);
}

static void journal_undone(struct pit_undo_work *w, size_t n)
{
	struct pit_undo *u = &w->undo[n];

	if (u->told || u->how == PIT_UNDONE_NOT)
		return;
	u->told = true;
	pit_txn_step(w->options, "undone %zu", n);
	journal(w, json_pack("{s:s, s:I, s:s}", "is", "undone", "n", (json_int_t)n, "how", pit_undone_name(u->how)),
		false);
	pit_txn_step(w->options, "undone %zu", n);
}

static void put_all_back(struct pit_undo_work *w)
{
	const struct pit_record *r = w->record;

	for (size_t n = r->entries; n-- > 0;) {
		if (r->entry[n].companion)
			continue;
		if (is_to_be_put_back(&w->undo[n])) {
			pit_txn_step(w->options, "restore %zu", n);
			put_back(w, &r->entry[n], &w->undo[n]);
			pit_txn_step(w->options, "restore %zu", n);
		}
		if (w->undo[n].how != PIT_UNDONE_FAILED) /* there is another try */
			journal_undone(w, n);
	}
}

static void put_all_right(struct pit_undo_work *w)
{
	bool wrote = true;

	pit_txn_step(w->options, "settle");
	for (int pass = 0; wrote && pass < PASSES; pass++) {
		wrote = false;
		for (size_t n = w->record->entries; n-- > 0;)
			wrote |= put_right(w, &w->record->entry[n], &w->undo[n]);
	}
	pit_txn_step(w->options, "settle");
	for (size_t n = w->record->entries; n-- > 0;)
		journal_undone(w, n);
}

static bool was_handled(const struct pit_entry *e, const void *arg)
{
	const struct pit_undo_work *w = arg;
	enum pit_undone how = w->undo[e - w->record->entry].how;

	return how == PIT_UNDONE_RESTORED || how == PIT_UNDONE_ALREADY;
}

static int summarize(const struct pit_undo_work *w, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[128];
	int failed = 0;

	for (size_t n = 0; n < w->record->entries; n++) {
		if (w->undo[n].how != PIT_UNDONE_FAILED || failed++ > 2)
			continue;
		pit_buf_printf(&text, "%s%s (%s)", failed > 1 ? ", " : "",
			       pit_cell_name(&w->record->entry[n].cell, name, sizeof(name)), w->undo[n].error);
	}
	if (failed > 3)
		pit_buf_printf(&text, " and %d more", failed - 3);
	return failed ? pit_fail(err, EIO, "NOT put back: %s", text.data) : 0;
}

int pit_undo_do(struct pit_undo_work *w, struct pit_error *err)
{
	struct pit_error hooks = PIT_ERROR_INIT;
	char boot[37];
	int rc, ran;

	pit_boot_id(pit_place_now(w->place), boot);
	pit_txn_step(w->options, "undo");
	journal(w,
		json_pack("{s:s, s:s, s:s, s:I}", "is", "undo", "why", w->why, "boot", boot, "time",
			  (json_int_t)time(NULL)),
		true);
	pit_txn_step(w->options, "undo");
	put_all_back(w);
	put_all_right(w);
	pit_txn_step(w->options, "hooks");
	ran = pit_txn_hooks(w->place, w->record, was_handled, w, w->notes, &hooks);
	pit_txn_step(w->options, "hooks");
	rc = summarize(w, err);
	if (ran && rc)
		(void)pit_strv_add(w->notes, hooks.text);
	else if (ran) /* whatever it failed with: callers ask whether something is left to do */
		rc = pit_fail(err, EIO, "%s", hooks.text);
	if (rc)
		return rc;
	pit_txn_step(w->options, "reverted");
	journal(w, json_pack("{s:s}", "is", "reverted"), true);
	pit_txn_step(w->options, "reverted");
	return 0;
}
