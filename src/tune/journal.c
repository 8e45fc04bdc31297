/* SPDX-License-Identifier: MIT */
#include "tune/journal.h"

const char *pit_txn_state_name(enum pit_txn_state s)
{
	return NULL;
}

void pit_record_free(struct pit_record *r)
{
}

int pit_journal_parse(const char *bytes, size_t len, struct pit_record *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_journal_append(int fd, json_t *record, bool sync, struct pit_error *err)
{
	return -ENOSYS;
}
