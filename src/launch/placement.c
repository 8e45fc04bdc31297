/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/placement.h"

int pit_placement_make(const struct pit_site *site, const struct pit_placement_request *request,
		       struct pit_placement *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_placement_free(struct pit_placement *p)
{
}
