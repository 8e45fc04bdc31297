/* SPDX-License-Identifier: MIT */
#include "tune/lab.h"

#include <string.h>

#include "tune/guard.h"

struct pit_lab {
	struct pit_tune_state *state;
	struct pit_place *place;
	struct pit_plan plan; /* changes of the caller's plan, whose texts stay the caller's */
	struct pit_txn *txn;
	struct pit_guard guard;
	struct spot {
		bool on;    /* it is on */
		bool told;  /* the journal knows what it became */
		bool known; /* `now` is */
		char *now;  /* what we left there */
	} * spot;           /* of each change */
};

static const char *takes_later(enum pit_takes takes)
{
	static const char *const when[] = {
		[PIT_TAKES_LOGIN] = "counts for new logins only",
		[PIT_TAKES_RESTART] = "counts only after a restart of its service",
		[PIT_TAKES_RESET] = "counts only after a reset of the GPU",
		[PIT_TAKES_REBOOT] = "counts only after a reboot",
	};

	return takes < PIT_COUNT(when) ? when[takes] : NULL;
}

bool pit_lab_takes(const struct pit_change *change, char *why, size_t size)
{
	const char *later = change->knob ? takes_later(change->knob->takes) : NULL;
	char name[512];

	if (!later && !pit_target(change->cell.target)->runtime)
		later = "is a file, which nothing reads at once";
	if (later && why)
		snprintf(why, size, "%s %s", pit_cell_name(&change->cell, name, sizeof(name)), later);
	return !later;
}

static int take_changes(struct pit_lab *l, const struct pit_plan *plan, struct pit_error *err)
{
	l->plan = *plan;
	l->plan.txn = pit_tune_state_next(l->state);
	l->plan.changes = 0;
	l->plan.change = calloc(plan->changes + 1, sizeof(*plan->change));
	l->spot = calloc(plan->changes + 1, sizeof(*l->spot));
	if (!l->plan.change || !l->spot)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->changes; i++)
		if (pit_lab_takes(&plan->change[i], NULL, 0))
			l->plan.change[l->plan.changes++] = plan->change[i];
	return 0;
}

static void free_lab(struct pit_lab *l)
{
	for (size_t i = 0; l->spot && i < l->plan.changes; i++)
		free(l->spot[i].now);
	free(l->spot);
	free(l->plan.change);
	pit_txn_free(l->txn);
	free(l);
}

int pit_lab_open(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan, const char *kind,
		 struct pit_lab **ret, struct pit_error *err)
{
	const struct pit_txn_options options = {.kind = kind};
	struct pit_lab *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return pit_fail(err, ENOMEM, "out of memory");
	*l = (struct pit_lab){.state = state, .place = place, .guard = PIT_GUARD_INIT};
	rc = take_changes(l, plan, err);
	if (!rc)
		rc = pit_txn_begin(state, place, &l->plan, &options, &l->txn, err);
	if (!rc) {
		rc = pit_guard_start(state, place, l->plan.txn, &l->guard, err);
		if (rc)
			(void)pit_lab_close(pit_take(l), NULL, NULL);
	}
	if (rc && l)
		free_lab(l);
	if (!rc)
		*ret = l;
	return rc;
}

int pit_lab_txn(const struct pit_lab *l)
{
	return l->plan.txn;
}

/* What is there now is what must be there when we come again. The kernel may have rounded it, and one change may
 * disturb another. */
static int remember(struct pit_lab *l, struct pit_error *err)
{
	struct pit_root *root = pit_place_now(l->place);
	int rc = 0;

	for (size_t i = 0; !rc && i < l->plan.changes; i++) {
		char *now = NULL;

		rc = pit_cell_read(root, &l->plan.change[i].cell, &now, err);
		if (rc)
			break;
		free(l->spot[i].now);
		l->spot[i].now = now;
		l->spot[i].known = true;
	}
	return rc;
}

static int check(const struct pit_lab *l, struct pit_error *err)
{
	struct pit_root *root = pit_place_now(l->place);
	char name[512];
	int rc = 0;

	for (size_t i = 0; !rc && i < l->plan.changes; i++) {
		const struct pit_cell *cell = &l->plan.change[i].cell;
		const struct spot *s = &l->spot[i];
		pit_auto_free char *now = NULL;

		if (!s->known || l->plan.change[i].companion)
			continue;
		rc = pit_cell_read(root, cell, &now, err);
		if (!rc && !pit_value_equal(cell->kind, now, s->now))
			rc = pit_fail(
				err, ESTALE,
				"%s was changed by something else while the trial ran, perhaps by the command: from "
				"%s to %s",
				pit_cell_name(cell, name, sizeof(name)), s->now ? s->now : "absent",
				now ? now : "absent");
	}
	return rc;
}

static int put(struct pit_lab *l, size_t n, bool on, struct pit_error *err)
{
	struct spot *s = &l->spot[n];
	int rc = pit_txn_set(l->txn, n, on, on && !s->told, err);

	if (rc)
		return rc;
	s->on = on;
	s->told = true;
	return 0;
}

static bool is_wanted(const struct pit_lab *l, size_t n, pit_lab_wanted wanted, void *arg)
{
	const struct pit_change *c = &l->plan.change[n];

	return !c->companion && (!wanted || wanted(c->setting, arg));
}

/* Does it have what the kernel made of it? Neither its old value nor one of somebody else. */
static bool was_disturbed(const struct pit_lab *l, struct pit_root *root, size_t n)
{
	const struct pit_change *c = &l->plan.change[n];
	pit_auto_free char *now = NULL;

	if (!l->spot[n].known || pit_cell_read(root, &c->cell, &now, NULL))
		return false;
	return !pit_value_equal(c->cell.kind, now, c->old) && pit_value_equal(c->cell.kind, now, l->spot[n].now);
}

/* What the kernel changed along goes back when nothing of its setting is on any more: without is as before. `disturbed`
 * was found before anything was turned off. */
static int restore_companions(struct pit_lab *l, const bool *want, const bool *disturbed, struct pit_error *err)
{
	const struct pit_change *c = l->plan.change;
	int rc = 0;

	for (size_t i = l->plan.changes; !rc && i-- > 0;) {
		bool in_use = !disturbed[i];

		for (size_t k = 0; !in_use && k < l->plan.changes; k++)
			in_use = want[k] && c[k].setting == c[i].setting;
		if (!in_use)
			rc = pit_txn_set(l->txn, i, false, false, err);
	}
	return rc;
}

static int turn_off(struct pit_lab *l, const bool *want, struct pit_error *err)
{
	pit_auto_free bool *disturbed = calloc(l->plan.changes + 1, sizeof(*disturbed));
	struct pit_root *root = pit_place_now(l->place);
	bool any = false;
	int rc = 0;

	if (!disturbed)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->plan.changes; i++)
		disturbed[i] = l->plan.change[i].companion && was_disturbed(l, root, i);
	for (size_t i = l->plan.changes; !rc && i-- > 0;)
		if (l->spot[i].on && !want[i]) {
			rc = put(l, i, false, err);
			any = true;
		}
	return !rc && any ? restore_companions(l, want, disturbed, err) : rc;
}

/* Off before on, and the last first, as revert does. */
static int move(struct pit_lab *l, const bool *want, struct pit_error *err)
{
	int rc = check(l, err);

	if (!rc)
		rc = turn_off(l, want, err);
	for (size_t i = 0; !rc && i < l->plan.changes; i++)
		if (!l->spot[i].on && want[i])
			rc = put(l, i, true, err);
	return rc ? rc : remember(l, err);
}

int pit_lab_on(struct pit_lab *l, pit_lab_wanted wanted, void *arg, struct pit_error *err)
{
	pit_auto_free bool *want = calloc(l->plan.changes + 1, sizeof(*want));

	if (!want)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->plan.changes; i++)
		want[i] = is_wanted(l, i, wanted, arg);
	return move(l, want, err);
}

static void tell_kept(const struct pit_revert *r, struct pit_strv *ret)
{
	char name[512];

	for (size_t i = 0; ret && i < r->record.entries; i++) {
		const struct pit_entry *e = &r->record.entry[i];

		if (r->undo[i].how == PIT_UNDONE_KEPT)
			(void)pit_strv_addf(
				ret, "%s was changed by something else: it is %s now and stays so; before it was %s",
				pit_cell_name(&e->cell, name, sizeof(name)), r->undo[i].now ? r->undo[i].now : "absent",
				e->old ? e->old : "absent");
	}
}

int pit_lab_close(struct pit_lab *l, struct pit_strv *ret_kept, struct pit_error *err)
{
	struct pit_revert done = {0};
	int txn, rc;

	if (!l)
		return 0;
	txn = l->plan.txn;
	pit_txn_free(pit_take(l->txn));
	rc = pit_revert(l->state, l->place, txn, PIT_REVERT_MERGE, NULL, &done, err);
	if (rc)
		rc = pit_wrap(err, -EIO, "not all is back ('pitcrew tune revert %d' tries again)", txn);
	if (done.undo)
		tell_kept(&done, ret_kept);
	pit_revert_free(&done);
	/* Only now: should we be killed on the way, it goes on. */
	pit_guard_dismiss(&l->guard);
	free_lab(l);
	return rc;
}
