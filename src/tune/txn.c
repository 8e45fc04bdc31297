/* SPDX-License-Identifier: MIT */
#include "tune/undo.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/pattern.h"
#include "tune/hook.h"
#include "tune/standing.h"

struct pit_txn {
	struct pit_tune_state *state;
	struct pit_place *place;
	const struct pit_plan *plan;
	struct pit_txn_options options;
	struct pit_record record; /* what the journal says, and what was tried */
	int journal;
};

void pit_txn_step(const struct pit_txn_options *options, const char *fmt, ...)
{
	char name[32];
	va_list ap;

	if (!options || !options->step)
		return;
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	options->step(name, options->step_arg);
}

void pit_txn_free(struct pit_txn *t)
{
	int saved = errno;

	if (!t)
		return;
	if (t->journal >= 0)
		close(t->journal);
	pit_record_free(&t->record);
	free(t);
	errno = saved;
}

static bool is_configuration(const struct pit_cell *cell)
{
	return cell->target == PIT_TARGET_FILE || cell->target == PIT_TARGET_DIR || cell->target == PIT_TARGET_LINK;
}

int pit_txn_hooks(struct pit_place *place, const struct pit_record *record,
		  bool (*chosen)(const struct pit_entry *e, const void *arg), const void *arg, struct pit_strv *notes,
		  struct pit_error *err)
{
	pit_auto_free const struct pit_cell **cells = calloc(record->entries + 1, sizeof(*cells));
	size_t count = 0;

	if (!cells)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t n = 0; n < record->entries; n++) {
		const struct pit_entry *e = &record->entry[n];

		if (is_configuration(&e->cell) && (!chosen || chosen(e, arg)))
			cells[count++] = &e->cell;
	}
	return count ? pit_hooks_run(place, cells, count, notes, err) : 0;
}

static char *copy(const char *text, bool *failed)
{
	char *out = text ? strdup(text) : NULL;

	if (text && !out)
		*failed = true;
	return out;
}

/* The record as the journal is going to tell it. */
static int fill_record(struct pit_txn *t, int txn)
{
	struct pit_record *r = &t->record;
	bool failed = false;

	*r = (struct pit_record){.txn = txn, .time = time(NULL), .persist = t->plan->persist, .uid = getuid()};
	pit_boot_id(pit_place_now(t->place), r->boot);
	snprintf(r->tool, sizeof(r->tool), "%s", PITCREW_VERSION);
	snprintf(r->kind, sizeof(r->kind), "%s", t->options.kind ? t->options.kind : "apply");
	r->profile = copy(t->plan->profile ? t->plan->profile->name : NULL, &failed);
	r->entry = calloc(t->plan->changes, sizeof(*r->entry));
	if (!r->entry)
		return -ENOMEM;
	r->entries = t->plan->changes;
	for (size_t n = 0; n < r->entries; n++) {
		const struct pit_change *c = &t->plan->change[n];
		struct pit_entry *e = &r->entry[n];

		failed |= pit_cell_set(&e->cell, c->cell.target, c->cell.kind, "%s", c->cell.object) != 0;
		e->knob = copy(c->knob ? c->knob->id : "", &failed);
		e->old = copy(c->old, &failed);
		e->new = copy(c->new, &failed);
		e->companion = c->companion;
	}
	return failed ? -ENOMEM : 0;
}

static json_t *begin_json(const struct pit_record *r)
{
	return json_pack("{s:s, s:i, s:i, s:s, s:I, s:s, s:s, s:o, s:b, s:I, s:I}", "is", "begin", "version",
			 PIT_JOURNAL_VERSION, "txn", r->txn, "boot", r->boot, "time", (json_int_t)r->time, "tool",
			 r->tool, "kind", r->kind, "profile", pit_journal_value(r->profile), "persist", r->persist,
			 "uid", (json_int_t)r->uid, "changes", (json_int_t)r->entries);
}

static json_t *intend_json(const struct pit_entry *e, size_t n)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:i, s:o, s:o, s:b}", "is", "intend", "n", (json_int_t)n, "knob",
			 e->knob, "target", pit_target(e->cell.target)->name, "object", e->cell.object, "kind",
			 (int)e->cell.kind, "old", pit_journal_value(e->old), "new", pit_journal_value(e->new),
			 "companion", e->companion);
}

static int tell_intentions(struct pit_txn *t, struct pit_error *err)
{
	int rc;

	pit_txn_step(&t->options, "begin");
	rc = pit_journal_append(t->journal, begin_json(&t->record), false, err);
	pit_txn_step(&t->options, "begin");
	for (size_t n = 0; !rc && n < t->record.entries; n++) {
		pit_txn_step(&t->options, "intend %zu", n);
		rc = pit_journal_append(t->journal, intend_json(&t->record.entry[n], n), false, err);
		pit_txn_step(&t->options, "intend %zu", n);
	}
	if (rc)
		return rc;
	pit_txn_step(&t->options, "ready");
	rc = pit_journal_append(t->journal, json_pack("{s:s}", "is", "ready"), true, err);
	pit_txn_step(&t->options, "ready");
	return rc;
}

int pit_txn_begin(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_txn_options *options, struct pit_txn **ret, struct pit_error *err)
{
	int txn = plan->txn ? plan->txn : pit_tune_state_next(state);
	struct pit_txn *t = txn > 0 && plan->changes ? malloc(sizeof(*t)) : NULL;
	int rc;

	if (!plan->changes)
		return pit_fail(err, EINVAL, "there is nothing to change");
	if (txn < 0)
		return pit_fail(err, -txn, "cannot list %s: %s", pit_tune_state_dir(state), strerror(-txn));
	if (!t)
		return pit_fail(err, ENOMEM, "out of memory");
	*t = (struct pit_txn){.state = state, .place = place, .plan = plan, .options = *options, .journal = -1};
	rc = fill_record(t, txn);
	if (rc)
		pit_fail(err, ENOMEM, "out of memory");
	if (!rc)
		rc = t->journal = pit_tune_state_create(state, txn, err);
	if (rc >= 0) {
		rc = tell_intentions(t, err);
		if (rc)
			pit_tune_state_discard(state, txn);
	}
	if (rc) {
		pit_txn_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

/* Does a change that was made already disturb the cell of change `n`? */
static bool is_disturbed(const struct pit_txn *t, size_t n)
{
	const char *object = t->record.entry[n].cell.object;

	for (size_t i = 0; i < n; i++) {
		const struct pit_knob *knob = t->plan->change[i].knob;
		pit_auto_strv struct pit_strv list = {0};

		if (!t->record.entry[i].tried || !knob || !knob->disturbs || pit_strv_split(&list, knob->disturbs, " "))
			continue;
		for (size_t k = 0; k < list.count; k++)
			if (pit_fits(list.item[k], object))
				return true;
	}
	return false;
}

static int check_unchanged(struct pit_txn *t, size_t n, const char *value, struct pit_error *err)
{
	const struct pit_entry *e = &t->record.entry[n];
	const char *left = e->tried ? e->now : e->old;
	char was[PIT_VALUE_BRIEF], is[PIT_VALUE_BRIEF];
	pit_auto_free char *now = NULL;
	int rc;

	if (e->tried && !e->set)
		return 0; /* what our last write made of it is unknown */
	rc = pit_cell_read(pit_place_now(t->place), &e->cell, &now, err);
	if (rc)
		return rc;
	if (pit_value_equal(e->cell.kind, now, left) || pit_value_equal(e->cell.kind, now, value) || is_disturbed(t, n))
		return 0;
	return pit_fail(err, ESTALE, "it was %s when it was planned and is %s now: somebody else changed it",
			pit_value_brief(left, was), pit_value_brief(now, is));
}

static uint64_t distance(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/* Of a number that the kernel may round: did it come nearer to the one wanted? */
static bool is_near(const struct pit_change *c, const char *from, const char *wanted, const char *now)
{
	int64_t a, b, x;

	if (!c->knob || !c->knob->rounds || !now || !wanted || pit_value_equal(c->cell.kind, now, from))
		return false;
	if (c->cell.kind != PIT_VALUE_INT || !from || pit_parse_i64(from, &a) || pit_parse_i64(wanted, &b) ||
	    pit_parse_i64(now, &x))
		return true;
	return distance(x, b) < distance(a, b);
}

static int read_back(struct pit_txn *t, size_t n, const char *from, const char *wanted, struct pit_error *err)
{
	struct pit_entry *e = &t->record.entry[n];
	char want[PIT_VALUE_BRIEF], have[PIT_VALUE_BRIEF];
	char *now = NULL;
	int rc = pit_cell_read(pit_place_now(t->place), &e->cell, &now, err);

	if (rc)
		return pit_wrap(err, rc, "it was written and cannot be read back");
	free(e->now);
	e->now = now;
	e->set = true;
	if (pit_value_equal(e->cell.kind, now, wanted) || is_near(&t->plan->change[n], from, wanted, now))
		return 0;
	return pit_fail(err, EPROTO, "wrote %s, the kernel says %s%s", pit_value_brief(wanted, want),
			pit_value_equal(e->cell.kind, now, from) ? "still " : "", pit_value_brief(now, have));
}

static int set_cell(struct pit_txn *t, size_t n, bool on, struct pit_error *err)
{
	struct pit_entry *e = &t->record.entry[n];
	const char *value = on ? e->new : e->old;
	pit_auto_free char *from = NULL;
	bool failed = false;
	int rc = e->companion ? 0 : check_unchanged(t, n, value, err);

	if (!rc)
		from = copy(e->tried ? e->now : e->old, &failed);
	if (failed)
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		return rc;
	pit_txn_step(&t->options, "write %zu", n);
	e->tried = true;
	e->set = false;
	rc = pit_cell_write(t->place, &e->cell, value, err);
	pit_txn_step(&t->options, "write %zu", n);
	return rc ? rc : read_back(t, n, from, value, err);
}

static int journal_set(struct pit_txn *t, size_t n, struct pit_error *err)
{
	int rc;

	pit_txn_step(&t->options, "set %zu", n);
	rc = pit_journal_append(t->journal,
				json_pack("{s:s, s:I, s:o}", "is", "set", "n", (json_int_t)n, "now",
					  pit_journal_value(t->record.entry[n].now)),
				false, err);
	pit_txn_step(&t->options, "set %zu", n);
	return rc;
}

int pit_txn_set(struct pit_txn *t, size_t n, bool on, bool keep, struct pit_error *err)
{
	struct pit_entry *e = &t->record.entry[n];
	char name[160];
	int rc;

	if (e->companion && on)
		return 0;
	rc = set_cell(t, n, on, err);
	if (rc)
		return pit_wrap(err, rc, "%s", pit_cell_name(&e->cell, name, sizeof(name)));
	return keep ? journal_set(t, n, err) : 0;
}

/* All cells once more: companions, which the kernel changed along, and values that a later change spoilt. */
static int settle(struct pit_txn *t, struct pit_strv *notes, struct pit_error *err)
{
	struct pit_root *root = pit_place_now(t->place);
	int rc = 0;

	for (size_t n = 0; !rc && n < t->record.entries; n++) {
		struct pit_entry *e = &t->record.entry[n];
		char name[160], was[PIT_VALUE_BRIEF], is[PIT_VALUE_BRIEF];
		pit_auto_free char *now = NULL;

		if (pit_cell_read(root, &e->cell, &now, NULL) || (e->set && pit_value_equal(e->cell.kind, now, e->now)))
			continue;
		if (!e->companion)
			(void)pit_strv_addf(notes, "%s was set to %s and has become %s since",
					    pit_cell_name(&e->cell, name, sizeof(name)), pit_value_brief(e->now, was),
					    pit_value_brief(now, is));
		free(e->now);
		e->now = pit_take(now);
		e->set = true;
		rc = journal_set(t, n, err);
	}
	return rc;
}

static int commit(struct pit_txn *t, struct pit_strv *notes, struct pit_error *err)
{
	int rc = settle(t, notes, err);

	if (rc)
		return rc;
	pit_txn_step(&t->options, "commit");
	rc = pit_journal_append(t->journal, json_pack("{s:s}", "is", "commit"), true, err);
	pit_txn_step(&t->options, "commit");
	if (!rc)
		t->record.state = PIT_TXN_APPLIED;
	return rc;
}

static int check_signals(struct pit_error *err)
{
	const char *name = pit_txn_signalled();

	return name ? pit_fail(err, EINTR, "stopped by %s", name) : 0;
}

/* One setting that a machine refuses should not cost the others. */
static void name_the_rest(const struct pit_txn *t, size_t n, struct pit_strv *notes)
{
	const struct pit_knob *knob = t->plan->change[n].knob;

	if (knob && t->record.entries > 1)
		(void)pit_strv_addf(notes, "to change the rest without it, add --skip %s", knob->id);
}

static int set_all(struct pit_txn *t, struct pit_strv *notes, struct pit_error *err)
{
	for (size_t n = 0; n < t->record.entries; n++) {
		int rc = check_signals(err);

		if (rc)
			return rc;
		rc = pit_txn_set(t, n, true, true, err);
		if (rc) {
			name_the_rest(t, n, notes);
			return rc;
		}
	}
	return 0;
}

static bool was_tried(const struct pit_entry *e, const void *arg)
{
	return e->tried;
}

/* Everything back; `err` says why, and gets what became of it. */
static int roll_back(struct pit_txn *t, int rc, struct pit_strv *notes, struct pit_error *err)
{
	pit_auto_free struct pit_undo *undo = calloc(t->record.entries, sizeof(*undo));
	struct pit_undo_work work = {.place = t->place,
				     .record = &t->record,
				     .undo = undo,
				     .why = "roll-back",
				     .journal = t->journal,
				     .options = &t->options,
				     .notes = notes};
	struct pit_error why = err ? *err : (struct pit_error)PIT_ERROR_INIT, undone = PIT_ERROR_INIT;
	bool any = false;

	if (!undo)
		return pit_fail(err, ENOMEM, "%s; nothing was put back for want of memory: run pitcrew tune revert %d",
				why.text, t->record.txn);
	for (size_t n = 0; n < t->record.entries; n++)
		any |= t->record.entry[n].tried;
	for (size_t n = 0; n < t->record.entries; n++) {
		const struct pit_entry *e = &t->record.entry[n];

		undo[n].how = e->tried || (e->companion && any) ? PIT_UNDONE_RESTORED : PIT_UNDONE_NOT;
		undo[n].now = e->now;
	}
	if (pit_undo_do(&work, &undone))
		pit_fail(err, -rc, "%s; %s; try pitcrew tune revert %d", why.text, undone.text, t->record.txn);
	else
		pit_fail(err, -rc, "%s; everything was put back", why.text);
	for (size_t n = 0; n < t->record.entries; n++)
		free(undo[n].error);
	return rc;
}

static int run_hooks(struct pit_txn *t, struct pit_strv *notes, struct pit_error *err)
{
	int rc;

	pit_txn_step(&t->options, "hooks");
	rc = pit_txn_hooks(t->place, &t->record, was_tried, NULL, notes, err);
	pit_txn_step(&t->options, "hooks");
	return rc;
}

int pit_txn_run(struct pit_txn *t, struct pit_strv *ret_notes, struct pit_error *err)
{
	struct pit_error why = PIT_ERROR_INIT;
	struct pit_txn_signals signals;
	int rc;

	pit_txn_hold_signals(&signals);
	rc = set_all(t, ret_notes, &why);
	if (!rc)
		rc = run_hooks(t, ret_notes, &why);
	if (!rc)
		rc = check_signals(&why);
	if (!rc)
		rc = commit(t, ret_notes, &why);
	if (rc)
		rc = roll_back(t, rc, ret_notes, &why);
	if (rc && err)
		*err = why;
	if (check_signals(&why))
		(void)pit_strv_addf(ret_notes, "%s, which came when all was done", why.text);
	pit_txn_let_signals(&signals);
	return rc;
}
