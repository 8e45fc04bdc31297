/* SPDX-License-Identifier: MIT */
#include "tune/value.h"

int pit_value_canon(enum pit_value_kind kind, const char *text, struct pit_buf *out, struct pit_error *err)
{
	return -ENOSYS;
}

bool pit_value_equal(enum pit_value_kind kind, const char *a, const char *b)
{
	return false;
}

int pit_value_want(enum pit_value_kind kind, const char *expression, const char *current, uint64_t memory,
		   struct pit_buf *out, struct pit_error *err)
{
	return -ENOSYS;
}
