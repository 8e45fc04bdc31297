/* SPDX-License-Identifier: MIT */
#include "tune/txn.h"

int pit_verify(struct pit_root *root, const struct pit_record *record, struct pit_verdict **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_verdicts_free(struct pit_verdict *v, size_t count)
{
}
