/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

int pit_cell_set(struct pit_cell *c, enum pit_target_kind target, enum pit_value_kind kind, const char *fmt, ...)
{
	return -ENOSYS;
}

void pit_cell_free(struct pit_cell *c)
{
}

bool pit_cell_equal(const struct pit_cell *a, const struct pit_cell *b)
{
	return false;
}

const struct pit_target *pit_target(enum pit_target_kind kind)
{
	return NULL;
}

int pit_target_find(const char *name)
{
	return -ENOSYS;
}

int pit_cell_read(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_cell_write(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	return -ENOSYS;
}

char *pit_cell_name(const struct pit_cell *cell, char *out, size_t size)
{
	return NULL;
}

void pit_shell_quote(const char *text, struct pit_buf *out)
{
}
