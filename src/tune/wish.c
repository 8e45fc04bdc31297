/* SPDX-License-Identifier: MIT */
#include "tune/knob.h"

int pit_wish_add(struct pit_wishes *w, const struct pit_cell *cell, const char *value)
{
	return -ENOSYS;
}

int pit_wish_refuse(struct pit_wishes *w, const struct pit_cell *cell, const char *fmt, ...)
{
	return -ENOSYS;
}

int pit_fragment_add(struct pit_wishes *w, const char *path, const char *section, const char *fmt, ...)
{
	return -ENOSYS;
}

int pit_wishes_absent(struct pit_wishes *w, const char *fmt, ...)
{
	return -ENOSYS;
}

void pit_wishes_free(struct pit_wishes *w)
{
}

char *pit_fragment_path(const char *dir, const char *suffix, int txn, char *out, size_t size)
{
	return NULL;
}
