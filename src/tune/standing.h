/* SPDX-License-Identifier: MIT
 *
 * What of the transactions still stands: which are in force, which values a reboot took away, which transaction has
 * the last word on a cell. All but the boot id is decided from records alone.
 */
#ifndef PIT_TUNE_STANDING_H
#define PIT_TUNE_STANDING_H

#include "tune/journal.h"

/* The id of the running kernel's boot; "" when it cannot be read. */
char *pit_boot_id(struct pit_root *root, char ret[37]);

/* Applied, interrupted or half reverted: some of its values may be set. */
bool pit_txn_in_force(const struct pit_record *r);

/* What a boot since did to a value. */
enum pit_past {
	PIT_PAST_NOTHING,  /* none was since, or the value is on disk or kept by the device */
	PIT_PAST_REBOOTED, /* it went, and what the transaction made persistent may have set it again */
	PIT_PAST_GONE,     /* it went for good; so did values of interrupts, whose numbers change with each boot */
};
enum pit_past pit_entry_past(const struct pit_record *r, const struct pit_entry *e, const char *boot);

/* Is `value` what the transaction left there? True also where that was not journalled any more: for a number that the
 * kernel rounds, and for what it changes along. */
bool pit_entry_is_ours(const struct pit_entry *e, const char *value);

/* The number of the last transaction in force, later than `r`, that set this cell; 0 none. `all` is by number. */
int pit_standing_later(const struct pit_record *all, size_t count, const struct pit_record *r,
		       const struct pit_entry *e, const char *boot);

/* What to put back. Mostly e->old; but when that is the value of an earlier transaction which was reverted while this
 * one stood on it, what was there before that one. */
const char *pit_standing_old(const struct pit_record *all, size_t count, const struct pit_record *r,
			     const struct pit_entry *e);

#endif
