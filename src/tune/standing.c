/* SPDX-License-Identifier: MIT */
#include "tune/standing.h"

#include <string.h>

#include "tune/knob.h"

char *pit_boot_id(struct pit_root *root, char ret[37])
{
	if (pit_root_str(root, ret, 37, "/proc/sys/kernel/random/boot_id"))
		ret[0] = '\0';
	return ret;
}

bool pit_txn_in_force(const struct pit_record *r)
{
	return r->state == PIT_TXN_APPLIED || r->state == PIT_TXN_INTERRUPTED || r->state == PIT_TXN_UNDOING;
}

static bool survives(const struct pit_entry *e)
{
	const struct pit_knob *knob = pit_knob_find(e->knob);

	return !pit_target(e->cell.target)->runtime || (knob && knob->lasts == PIT_LASTS_DRIVER);
}

enum pit_past pit_entry_past(const struct pit_record *r, const struct pit_entry *e, const char *boot)
{
	static const char irq[] = "/proc/irq/";

	if (!*boot || !*r->boot || !strcmp(boot, r->boot) || survives(e))
		return PIT_PAST_NOTHING;
	if (!r->persist || !strncmp(e->cell.object, irq, strlen(irq)))
		return PIT_PAST_GONE;
	return PIT_PAST_REBOOTED;
}

bool pit_entry_is_ours(const struct pit_entry *e, const char *value)
{
	const struct pit_knob *knob = pit_knob_find(e->knob);

	if (!e->companion && pit_value_equal(e->cell.kind, value, e->new))
		return true;
	if (e->set)
		return pit_value_equal(e->cell.kind, value, e->now);
	return e->tried || e->companion || (knob && knob->rounds);
}

/* The entry of `r` that set this cell; NULL none. */
static const struct pit_entry *setter(const struct pit_record *r, const struct pit_cell *cell)
{
	for (size_t i = 0; i < r->entries; i++) {
		const struct pit_entry *e = &r->entry[i];

		if (e->companion && (!e->set || pit_value_equal(cell->kind, e->old, e->now)))
			continue;
		if (pit_cell_equal(&e->cell, cell))
			return e;
	}
	return NULL;
}

int pit_standing_later(const struct pit_record *all, size_t count, const struct pit_record *r,
		       const struct pit_entry *e, const char *boot)
{
	for (size_t i = count; i-- > 0 && all[i].txn > r->txn;) {
		const struct pit_entry *later = pit_txn_in_force(&all[i]) ? setter(&all[i], &e->cell) : NULL;

		if (later && (later->undone == PIT_UNDONE_NOT || later->undone == PIT_UNDONE_FAILED) &&
		    pit_entry_past(&all[i], later, boot) != PIT_PAST_GONE)
			return all[i].txn;
	}
	return 0;
}

const char *pit_standing_old(const struct pit_record *all, size_t count, const struct pit_record *r,
			     const struct pit_entry *e)
{
	const char *old = e->old;

	for (size_t i = count; i-- > 0;) {
		const struct pit_entry *before = NULL;

		if (all[i].txn < r->txn && all[i].state == PIT_TXN_REVERTED && all[i].undo_time >= r->time)
			before = setter(&all[i], &e->cell);
		if (before && (before->undone == PIT_UNDONE_KEPT || before->undone == PIT_UNDONE_RESTORED) &&
		    pit_value_equal(e->cell.kind, old, before->set ? before->now : before->new))
			old = before->old;
	}
	return old;
}
