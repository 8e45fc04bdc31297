/* SPDX-License-Identifier: MIT
 *
 * Putting values back: the part that a failed transaction and a revert share.
 */
#ifndef PIT_TUNE_UNDO_H
#define PIT_TUNE_UNDO_H

#include <signal.h>

#include "tune/txn.h"

struct pit_undo_work {
	struct pit_place *place;
	const struct pit_record *record;
	/* What is to be done with each entry, and in the end what was. RESTORED: its old value goes there, provided
	 * that it still has `now`. ALREADY: it has its old value, which is seen to at the end. FAILED: it could
	 * not be read; once it can be, its old value goes there if what it has is ours. Others are only journalled;
	 * NOT: not even that. */
	struct pit_undo *undo;
	const char *why; /* "roll-back", "revert", "guard" */
	bool force;      /* put back what has not `now` any more, too */
	int journal;
	const struct pit_txn_options *options;
	struct pit_strv *notes;
};

/* Last change first; what some of them disturb in others is put right at the end; hooks; journal. 0, or -EIO when
 * something could not be put back (its `how` is FAILED and `error` says why) or a vital hook failed: then the journal
 * stays open for another try. */
int pit_undo_do(struct pit_undo_work *w, struct pit_error *err);

/* Tells options->step. */
void pit_txn_step(const struct pit_txn_options *options, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hooks for those configuration files, directories and links among the entries that `chosen` (may be NULL) has. */
int pit_txn_hooks(struct pit_place *place, const struct pit_record *record,
		  bool (*chosen)(const struct pit_entry *e, const void *arg), const void *arg, struct pit_strv *notes,
		  struct pit_error *err);

/* SIGINT, SIGTERM and SIGHUP wait while the machine is written to. */
struct pit_txn_signals {
	sigset_t before;
};
void pit_txn_hold_signals(struct pit_txn_signals *s);
void pit_txn_let_signals(const struct pit_txn_signals *s);
const char *pit_txn_signalled(void); /* takes one that came meanwhile: its name; NULL none */

#endif
