/* SPDX-License-Identifier: MIT
 *
 * What the files state_*.c share.
 */
#ifndef PIT_TUNE_STATE_PRIVATE_H
#define PIT_TUNE_STATE_PRIVATE_H

#include <limits.h>
#include <sys/stat.h>

#include "tune/state.h"

struct pit_tune_state {
	char dir[PATH_MAX];
	char journals[PATH_MAX + 8]; /* "/var/lib/pitcrew/tune", for messages */
	int tune;                    /* that directory */
	int lock;                    /* -1 not held */
};

/* A file of the state, without following links; -EPERM when it is not fit to be used. */
int pit_state_openat(const struct pit_tune_state *s, const char *name, int flags, struct pit_error *err);

/* Does it belong to root or us, and may nobody else write it? */
int pit_state_check_owner(const struct stat *st, const char *dir, const char *name, struct pit_error *err);

#define PIT_JOURNAL_NAME 24
char *pit_journal_name(int txn, const char *suffix, char *out); /* "0007.journal" */

/* The bytes of a journal. -EFBIG over PIT_JOURNAL_MAX. */
int pit_journal_slurp(int fd, struct pit_buf *out);

#endif
