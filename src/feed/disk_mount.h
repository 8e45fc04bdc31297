/* SPDX-License-Identifier: MIT
 *
 * Which file system a file is on.
 */
#ifndef PIT_FEED_DISK_MOUNT_H
#define PIT_FEED_DISK_MOUNT_H

#include "feed/disk.h"

/* Sets `filesystem` and `volatile_overlay` of `d`; a number when the mount table cannot be read. */
void pit_disk_mount(int fd, struct pit_disk *d);

#endif
