/* SPDX-License-Identifier: MIT */
#include "feed/folder.h"

#include <fcntl.h>

DIR *pit_folder_open(int dirfd, const char *name)
{
	pit_auto_close int fd =
		TEMP_FAILURE_RETRY(openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d)
		(void)pit_take_fd(&fd);
	return d;
}
