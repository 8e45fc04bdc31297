/* SPDX-License-Identifier: MIT
 *
 * A directory for listing.
 */
#ifndef PIT_FEED_FOLDER_H
#define PIT_FEED_FOLDER_H

#include "base/cleanup.h"

/* Opens `name` below `dirfd` ("." is `dirfd` itself, with a position of its own); no link is followed. NULL with errno.
 */
DIR *pit_folder_open(int dirfd, const char *name);

#endif
