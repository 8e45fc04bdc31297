/* SPDX-License-Identifier: MIT */
#include "tune/txn.h"

int pit_revert(struct pit_tune_state *state, struct pit_place *place, int txn, enum pit_revert_mode mode,
	       const struct pit_txn_options *options, struct pit_revert *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_revert_free(struct pit_revert *r)
{
}
