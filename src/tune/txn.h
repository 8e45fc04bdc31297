/* SPDX-License-Identifier: MIT
 *
 * Transactions: the only code that changes the machine. Before the first write all old and new values are on disk in
 * the journal; every write is read back; what fails is rolled back; what was cut off can be reverted later.
 */
#ifndef PIT_TUNE_TXN_H
#define PIT_TUNE_TXN_H

#include "tune/plan.h"
#include "tune/state.h"

/* Called before and after each step that reaches a disk or the machine, with its name ("begin", "intend 3", "ready",
 * "write 3", "set 3", "hooks", "settle", "commit"; "undo", "restore 3", "undone 3", "reverted"): tests end the process
 * there. NULL in the program. */
typedef void (*pit_step_fn)(const char *step, void *arg);

struct pit_txn_options {
	const char *kind; /* "apply", "trial", "bisect"; of a revert NULL, or "guard" when nobody asked for it */
	pit_step_fn step;
	void *step_arg;
};

struct pit_txn;

/* The state must be locked. Writes begin, intentions, ready. A cell that a transaction in force has set too is fine:
 * its old value is then that transaction's. A plan without changes: -EINVAL. When it fails no journal stays. */
int pit_txn_begin(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_txn_options *options, struct pit_txn **ret, struct pit_error *err);
void pit_txn_free(struct pit_txn *t); /* closes the journal; changes nothing; NULL is fine */

/* Sets change `n` to its new (or old) value and reads it back; journals that when `keep`. For a value that is not
 * taken: -EPROTO "wrote X, the kernel says Y". A cell that has neither the value that we left there (at first: its
 * old one) nor the one to be set: -ESTALE, unless an earlier change is known to disturb it. A companion is
 * left to the kernel when it goes on, and gets its old value, whatever it has, when it goes off. */
int pit_txn_set(struct pit_txn *t, size_t n, bool on, bool keep, struct pit_error *err);

/* All changes in order, hooks, commit; on any failure everything back, and the error says what failed and whether all
 * is back. SIGINT, SIGTERM and SIGHUP (unless ignored) do the same: -EINTR. `ret_notes` gets what else is to be told,
 * in either case. */
int pit_txn_run(struct pit_txn *t, struct pit_strv *ret_notes, struct pit_error *err);

enum pit_revert_mode {
	PIT_REVERT_CAREFUL, /* refuses the transaction whole when a value was changed since */
	PIT_REVERT_FORCE,   /* puts the old value there whatever it is now */
	PIT_REVERT_MERGE,   /* leaves what was changed since, restores the rest */
};

struct pit_undo { /* of one entry of the record, same index */
	enum pit_undone how;
	char *now;   /* what was there before; NULL absent or not looked at */
	int later;   /* number of the transaction in force that set it since; 0 none */
	char *error; /* why it FAILED, or was KEPT in spite of us; else NULL */
	bool told;   /* journalled */
	bool tried;  /* its old value was written, or was going to be */
};
struct pit_revert {
	struct pit_record record; /* its `old` is what was put back, see pit_standing_old() */
	struct pit_undo *undo;
	size_t restored, already, kept, gone, failed;
	size_t foreign; /* changed since by somebody else; CAREFUL: > 0 means that nothing was done */
	struct pit_strv notes;
};

/* Puts back what transaction `txn` changed, last change first. Values of the running kernel are gone when the machine
 * was booted since, unless what made them last set them again. A later transaction in force that set the same cell
 * counts as "changed since". The state must be locked. -EEXIST: refused, `ret->foreign` values differ (both are in
 * `ret`, KEPT). -EIO: something could not be put back; it can be tried again, as after being killed. `ret` is filled
 * in these two cases, too. A transaction that is reverted already, or changed nothing: 0 and a note; of a
 * reverted one FORCE puts back what was left alone then, and the other modes tell it as KEPT. -ENOENT: there is
 * none of this number. */
int pit_revert(struct pit_tune_state *state, struct pit_place *place, int txn, enum pit_revert_mode mode,
	       const struct pit_txn_options *options, struct pit_revert *ret, struct pit_error *err);
void pit_revert_free(struct pit_revert *r); /* back to all-zero */

/* Does each value of the record still hold? Index as its entries. */
struct pit_verdict {
	enum pit_holds {
		PIT_HOLDS,
		PIT_HOLDS_OLD,     /* it has its old value again */
		PIT_HOLDS_OTHER,   /* somebody set another */
		PIT_HOLDS_GONE,    /* booted since, and it was a run-time value */
		PIT_HOLDS_MISSING, /* this machine has no such thing any more */
		PIT_HOLDS_UNKNOWN, /* it cannot be read; `now` is the reason, as it is of MISSING */
	} holds;
	char *now;
};
int pit_verify(struct pit_root *root, const struct pit_record *record, struct pit_verdict **ret, struct pit_error *err);
void pit_verdicts_free(struct pit_verdict *v, size_t count);

#endif
