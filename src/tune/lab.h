/* SPDX-License-Identifier: MIT
 *
 * A transaction that is put on and off for measuring, and never stays: its changes are journalled, a guardian watches,
 * and closing puts the machine back.
 */
#ifndef PIT_TUNE_LAB_H
#define PIT_TUNE_LAB_H

#include "tune/txn.h"

struct pit_lab;

/* Can this change be felt by a command that is started now? Else false, with the reason in `why` (may be NULL). */
bool pit_lab_takes(const struct pit_change *change, char *why, size_t size);

/* Begins a transaction of `kind` ("trial", "bisect") with those changes of the plan that pit_lab_takes(), as the next
 * transaction of the state. All are off. Nothing is written to the machine yet. `plan` must outlive it. */
int pit_lab_open(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan, const char *kind,
		 struct pit_lab **ret, struct pit_error *err);

int pit_lab_txn(const struct pit_lab *l);

/* Turns on the changes of the settings for which `wanted` says so (NULL: all), and off all others; writes only what
 * differs from what is on. -ESTALE: a value is not what we left there, so somebody else works on it; nothing was
 * written. Other errors as of pit_txn_set(). */
typedef bool (*pit_lab_wanted)(const struct pit_setting *setting, void *arg);
int pit_lab_on(struct pit_lab *l, pit_lab_wanted wanted, void *arg, struct pit_error *err);

/* Puts all back, ends the transaction, sends the guardian away and frees. Values that somebody else changed stay and
 * are told in `ret_kept`, a sentence each. -EIO: not all could be put back. */
int pit_lab_close(struct pit_lab *l, struct pit_strv *ret_kept, struct pit_error *err);

#endif
