/* SPDX-License-Identifier: MIT
 *
 * The state directory: /var/lib/pitcrew, mode 0700, root's; in it tune/NNNN.journal and tune/lock. Opened without
 * following links; a directory or a journal that belongs to somebody else (neither root nor us), or that others may
 * write, is not used.
 */
#ifndef PIT_TUNE_STATE_H
#define PIT_TUNE_STATE_H

#include "tune/journal.h"

#define PIT_STATE_DIR "/var/lib/pitcrew"

struct pit_tune_state;

/* Makes the directory when `make`; otherwise -ENOENT when there is none (nothing was ever applied). */
int pit_tune_state_open(const char *dir, bool make, struct pit_tune_state **ret, struct pit_error *err);
void pit_tune_state_close(struct pit_tune_state *s); /* gives the lock back; NULL is fine; keeps errno */
#define pit_auto_tune_state PIT_CLEANUP(pit_tune_state_closep)
static inline void pit_tune_state_closep(struct pit_tune_state **s)
{
	pit_tune_state_close(*s);
}

const char *pit_tune_state_dir(const struct pit_tune_state *s); /* as it was given to open */

/* The lock that every writer holds; waits up to `seconds`. -EBUSY: "PID (COMMAND) is at work". It is the kernel's
 * (flock), so it ends with its holder. */
int pit_tune_state_lock(struct pit_tune_state *s, int seconds, struct pit_error *err);

/* Whether somebody holds the lock, and who: "4711 (pitcrew)" in `who`. */
bool pit_tune_state_is_busy(struct pit_tune_state *s, char *who, size_t size);

/* Number of the next transaction, from 1; -errno when the directory cannot be read. */
int pit_tune_state_next(struct pit_tune_state *s);

/* All transactions by number. A journal that cannot be used is given as PIT_TXN_UNREADABLE, with `damage` and no
 * entries. */
int pit_tune_state_list(struct pit_tune_state *s, struct pit_record **ret, size_t *ret_count, struct pit_error *err);
void pit_records_free(struct pit_record *r, size_t count);

/* One of them. -ENOENT: there is none; -EBADMSG: its journal cannot be used. */
int pit_tune_state_load(struct pit_tune_state *s, int txn, struct pit_record *ret, struct pit_error *err);

/* A new journal (O_EXCL, 0600, directory synced), or an old one for more records. Before more is written, a cut-off
 * last line is cut away, and a damaged journal is put aside as NNNN.damaged (.2 and so on when that is taken): its good
 * part goes on under its name, with a record that says so. Returns the file descriptor, or -errno. */
int pit_tune_state_create(struct pit_tune_state *s, int txn, struct pit_error *err);
int pit_tune_state_append(struct pit_tune_state *s, int txn, struct pit_error *err);

/* Removes a journal that was created and never got "ready". */
void pit_tune_state_discard(struct pit_tune_state *s, int txn);

#endif
