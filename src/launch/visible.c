/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/visible.h"

int pit_visible_parse(const char *text, struct pit_visible_list *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_visible_parse_strict(const char *text, struct pit_visible_list *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_visible_free(struct pit_visible_list *l)
{
}
