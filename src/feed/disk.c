/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/disk.h"

int pit_disk_probe_read(int fd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			struct pit_error *err)
{
	return -ENOSYS;
}

int pit_disk_probe_write(int dirfd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			 struct pit_error *err)
{
	return -ENOSYS;
}

int pit_disk_open(const struct pit_disk *d, int dirfd, const char *path, bool *ret_direct)
{
	return -ENOSYS;
}
