/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/supervise.h"

int pit_supervise(const struct pit_supervise *s, struct pit_error *err)
{
	return -ENOSYS;
}
