/* SPDX-License-Identifier: MIT
 *
 * The transactions of a state directory beside the machine that they changed: what status, verify and log look at.
 */
#ifndef PIT_CLI_TUNE_HISTORY_H
#define PIT_CLI_TUNE_HISTORY_H

#include "cli/cmd.h"
#include "tune/txn.h"

/* Options that they share, as an argp child whose input is a struct pit_history_options *. */
struct pit_history_options {
	const char *state; /* NULL: PIT_STATE_DIR */
	const char *root;  /* NULL: live */
	bool json;
};
extern const struct argp pit_history_argp;

struct pit_history {
	const char *dir;
	struct pit_root *root;
	char boot[37];
	char busy[256];            /* who is at work on it now; "" nobody */
	struct pit_record *record; /* by number */
	size_t records;
};

/* No state directory is an empty history. */
int pit_history_load(const struct pit_history_options *o, struct pit_history *ret, struct pit_error *err);
void pit_history_free(struct pit_history *h);
#define pit_auto_history PIT_CLEANUP(pit_history_free)

/* Cut off, and nobody is at work on it: it waits to be reverted. */
bool pit_history_is_cut_off(const struct pit_history *h, const struct pit_record *r);

/* "applied"; "at work" when it is unfinished while somebody is. */
const char *pit_history_state(const struct pit_history *h, const struct pit_record *r);

/* "apply of training, persistent" at the end of `out`. */
void pit_history_title(const struct pit_history *h, const struct pit_record *r, struct pit_buf *out);

/* "2026-11-20 14:05" in `out`; "?" when the journal does not say. Returns `out`. */
#define PIT_WHEN 32
char *pit_history_when(int64_t time, char out[PIT_WHEN]);

/* The name of an entry's cell, a value of it: safe for a terminal, at the end of `out`. */
void pit_history_put_cell(const struct pit_entry *e, struct pit_buf *out);
void pit_history_put_value(const char *value, struct pit_buf *out);

/* The lock of the state directory; tells on stderr when there is somebody to be waited for. */
int pit_history_lock(struct pit_tune_state *state, struct pit_error *err);

#endif
