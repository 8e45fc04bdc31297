/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "pitcrew/io.h"

int pit_io_probe(const char *path, const struct pit_io_want *want, struct pit_ladder *ret, struct pit_error *err)
{
	return -ENOSYS;
}
