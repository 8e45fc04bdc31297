/* SPDX-License-Identifier: MIT */
#include "tune/state.h"

int pit_tune_state_open(const char *dir, bool make, struct pit_tune_state **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_tune_state_close(struct pit_tune_state *s)
{
}

int pit_tune_state_lock(struct pit_tune_state *s, int seconds, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_tune_state_next(struct pit_tune_state *s)
{
	return -ENOSYS;
}

int pit_tune_state_list(struct pit_tune_state *s, struct pit_record **ret, size_t *ret_count, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_records_free(struct pit_record *r, size_t count)
{
}

int pit_tune_state_load(struct pit_tune_state *s, int txn, struct pit_record *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_tune_state_create(struct pit_tune_state *s, int txn, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_tune_state_append(struct pit_tune_state *s, int txn, struct pit_error *err)
{
	return -ENOSYS;
}
