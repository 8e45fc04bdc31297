/* SPDX-License-Identifier: MIT */
#include "tune/txn.h"

int pit_txn_begin(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		  const struct pit_txn_options *options, struct pit_txn **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_txn_free(struct pit_txn *t)
{
}

int pit_txn_set(struct pit_txn *t, size_t n, bool on, bool keep, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_txn_run(struct pit_txn *t, struct pit_strv *ret_notes, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_txn_commit(struct pit_txn *t, struct pit_error *err)
{
	return -ENOSYS;
}
