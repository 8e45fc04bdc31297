/* SPDX-License-Identifier: MIT */
#include "tune/undo.h"

#include <signal.h>
#include <string.h>

#include "tune/standing.h"

struct look {
	struct pit_root *root;
	const struct pit_record *all;
	size_t count;
	char boot[37];
};

static void fail(struct pit_undo *u, const char *text)
{
	u->how = PIT_UNDONE_FAILED;
	u->error = strdup(text);
}

/* What to do with one entry, by what its cell holds now. */
static void judge(const struct look *l, const struct pit_record *r, const struct pit_entry *e, struct pit_undo *u)
{
	enum pit_past past = pit_entry_past(r, e, l->boot);
	struct pit_error err = PIT_ERROR_INIT;
	int rc;

	u->how = PIT_UNDONE_GONE;
	if (past == PIT_PAST_GONE || e->undone == PIT_UNDONE_GONE)
		return;
	rc = pit_cell_read(l->root, &e->cell, &u->now, &err);
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return;
	if (rc) {
		fail(u, err.text);
		return;
	}
	u->later = pit_standing_later(l->all, l->count, r, e, l->boot);
	if (u->later)
		u->how = PIT_UNDONE_KEPT;
	else if (pit_value_equal(e->cell.kind, u->now, e->old))
		u->how = PIT_UNDONE_ALREADY;
	else if (pit_entry_is_ours(e, u->now))
		u->how = PIT_UNDONE_RESTORED;
	else if (past == PIT_PAST_NOTHING)
		u->how = PIT_UNDONE_KEPT;
}

/* Put back by an earlier try that did not get to its end: what it is now is none of ours. */
static bool is_done(const struct pit_entry *e)
{
	return e->undone == PIT_UNDONE_RESTORED || e->undone == PIT_UNDONE_ALREADY;
}

/* Once a transaction was reverted whole, only what was left alone then is any of ours. */
static bool is_open(const struct pit_record *r, const struct pit_entry *e)
{
	return !r->reverted || e->undone == PIT_UNDONE_KEPT || e->undone == PIT_UNDONE_FAILED;
}

/* Could the apply have come so far? It sets one after the other, and journals each before the next. That is no reason
 * to leave our value where it is found after all; only not to suspect somebody of having changed it. */
static bool was_begun(const struct look *l, const struct pit_record *r, size_t n)
{
	if (r->state != PIT_TXN_INTERRUPTED || strcmp(r->kind, "apply") != 0 || r->damaged || strcmp(r->boot, l->boot))
		return true;
	while (n-- > 0)
		if (!r->entry[n].companion)
			return r->entry[n].set;
	return true;
}

static void judge_all(const struct look *l, struct pit_revert *v)
{
	for (size_t n = 0; n < v->record.entries; n++) {
		struct pit_undo *u = &v->undo[n];

		if (!is_open(&v->record, &v->record.entry[n]))
			continue;
		judge(l, &v->record, &v->record.entry[n], u);
		if (u->how == PIT_UNDONE_KEPT &&
		    (u->later || (!is_done(&v->record.entry[n]) && was_begun(l, &v->record, n))))
			v->foreign++;
	}
}

static int use_old(const struct look *l, struct pit_record *r)
{
	for (size_t n = 0; n < r->entries; n++) {
		struct pit_entry *e = &r->entry[n];
		const char *old = pit_standing_old(l->all, l->count, r, e);
		char *copy;

		if (old == e->old)
			continue;
		copy = old ? strdup(old) : NULL;
		if (old && !copy)
			return -ENOMEM;
		free(e->old);
		e->old = copy;
	}
	return 0;
}

static void count(struct pit_revert *v)
{
	size_t n[PIT_UNDONE_FAILED + 1] = {0};

	for (size_t i = 0; i < v->record.entries; i++)
		n[v->undo[i].how]++;
	v->restored = n[PIT_UNDONE_RESTORED];
	v->already = n[PIT_UNDONE_ALREADY];
	v->kept = n[PIT_UNDONE_KEPT];
	v->gone = n[PIT_UNDONE_GONE];
	v->failed = n[PIT_UNDONE_FAILED];
}

static int refuse(const struct pit_revert *v, struct pit_error *err)
{
	return pit_fail(
		err, EEXIST,
		"transaction %d: %zu of its values changed since, so nothing was put back; --merge leaves those "
		"and puts the others back, --force overwrites them",
		v->record.txn, v->foreign);
}

static int undo(struct pit_tune_state *state, struct pit_place *place, enum pit_revert_mode mode,
		const struct pit_txn_options *options, struct pit_revert *v, struct pit_error *err)
{
	bool guard = options && options->kind && !strcmp(options->kind, "guard");
	struct pit_undo_work work = {.place = place,
				     .record = &v->record,
				     .undo = v->undo,
				     .options = options,
				     .why = guard ? "guard" : "revert",
				     .force = mode == PIT_REVERT_FORCE,
				     .notes = &v->notes};
	struct pit_txn_signals signals;
	int rc;

	for (size_t n = 0; work.force && n < v->record.entries; n++)
		if (v->undo[n].how == PIT_UNDONE_KEPT)
			v->undo[n].how = PIT_UNDONE_RESTORED;
	work.journal = pit_tune_state_append(state, v->record.txn, err);
	if (work.journal < 0)
		return work.journal;
	pit_txn_hold_signals(&signals);
	rc = pit_undo_do(&work, err);
	close(work.journal);
	pit_txn_let_signals(&signals);
	return pit_wrap(err, rc, "transaction %d", v->record.txn);
}

/* The record moves from the list to `v`. */
static int take_record(struct pit_record *all, size_t count, int txn, struct pit_revert *v, struct pit_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].txn != txn)
			continue;
		if (all[i].state == PIT_TXN_UNREADABLE)
			return pit_fail(err, EBADMSG, "%s", all[i].damage);
		v->record = all[i];
		all[i] = (struct pit_record){.txn = txn, .state = PIT_TXN_EMPTY};
		v->undo = calloc(v->record.entries + 1, sizeof(*v->undo));
		return v->undo ? 0 : pit_fail(err, ENOMEM, "out of memory");
	}
	return pit_fail(err, ENOENT, "there is no transaction %d", txn);
}

static bool is_kept(const struct pit_undo *u)
{
	return u->how == PIT_UNDONE_KEPT || u->how == PIT_UNDONE_RESTORED || u->how == PIT_UNDONE_FAILED;
}

/* How many entries that an earlier revert left alone are still not what they were before the transaction. */
static size_t count_kept(const struct pit_revert *v)
{
	size_t kept = 0;

	for (size_t n = 0; n < v->record.entries; n++)
		kept += is_kept(&v->undo[n]);
	return kept;
}

/* Of a reverted transaction: tells what was left alone, and touches nothing. */
static void leave(struct pit_revert *v, size_t kept)
{
	for (size_t n = 0; n < v->record.entries; n++)
		v->undo[n].how = is_kept(&v->undo[n]) ? PIT_UNDONE_KEPT : PIT_UNDONE_NOT;
	if (kept)
		(void)pit_strv_addf(&v->notes,
				    "transaction %d is reverted already; what was left alone then stays, %zu of its "
				    "values: --force puts the old ones there",
				    v->record.txn, kept);
	else
		(void)pit_strv_addf(&v->notes, "transaction %d is reverted already", v->record.txn);
}

static int revert(struct pit_tune_state *state, struct pit_place *place, struct look *l, enum pit_revert_mode mode,
		  const struct pit_txn_options *options, struct pit_revert *v, struct pit_error *err)
{
	bool over = v->record.state == PIT_TXN_REVERTED;
	size_t kept;
	int rc = 0;

	if (!pit_txn_in_force(&v->record) && !over) {
		(void)pit_strv_addf(&v->notes, "the journal of transaction %d ends before its first write",
				    v->record.txn);
		return 0;
	}
	if (v->record.damaged)
		(void)pit_strv_addf(&v->notes, "the journal of transaction %d is damaged: %s", v->record.txn,
				    v->record.damage);
	l->root = pit_place_now(place);
	pit_boot_id(l->root, l->boot);
	if (use_old(l, &v->record))
		return pit_fail(err, ENOMEM, "out of memory");
	judge_all(l, v);
	kept = over ? count_kept(v) : 0;
	if (over && (!kept || mode != PIT_REVERT_FORCE))
		leave(v, kept);
	else if (v->foreign && mode == PIT_REVERT_CAREFUL)
		rc = refuse(v, err);
	else
		rc = undo(state, place, mode, options, v, err);
	count(v);
	return rc;
}

int pit_revert(struct pit_tune_state *state, struct pit_place *place, int txn, enum pit_revert_mode mode,
	       const struct pit_txn_options *options, struct pit_revert *ret, struct pit_error *err)
{
	struct pit_revert v = {.record = {.txn = txn}};
	struct pit_record *all = NULL;
	struct look l = {.count = 0};
	int rc = pit_tune_state_list(state, &all, &l.count, err);

	if (rc)
		return rc;
	l.all = all;
	rc = take_record(all, l.count, txn, &v, err);
	if (!rc)
		rc = revert(state, place, &l, mode, options, &v, err);
	pit_records_free(all, l.count);
	if (rc && rc != -EEXIST && rc != -EIO)
		pit_revert_free(&v);
	else
		*ret = v;
	return rc;
}

void pit_revert_free(struct pit_revert *r)
{
	for (size_t n = 0; r->undo && n < r->record.entries; n++) {
		free(r->undo[n].now);
		free(r->undo[n].error);
	}
	free(r->undo);
	pit_record_free(&r->record);
	pit_strv_free(&r->notes);
	*r = (struct pit_revert){0};
}
