/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/site.h"

int pit_site_load(struct pit_root *root, const struct pit_site_options *o, struct pit_site *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_site_free(struct pit_site *s)
{
}
