/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/tar.h"

int pit_tar_scan(uint64_t size, pit_tar_read read, void *read_arg, pit_tar_found found, void *found_arg,
		 struct pit_error *err)
{
	return -ENOSYS;
}
