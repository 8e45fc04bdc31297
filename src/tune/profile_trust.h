/* SPDX-License-Identifier: MIT
 *
 * Who could have written a profile. Private to profile_find.c and profile_trust.c.
 */
#ifndef PIT_TUNE_PROFILE_TRUST_H
#define PIT_TUNE_PROFILE_TRUST_H

#include <sys/stat.h>

/* Why the file with that status, or the directory that it lies in (in /etc/pitcrew also that one), may have been
 * written by somebody else than root, the caller (of sudo, too) and the owner of this program, whose build tree holds
 * profiles; NULL: it may not. -ENOMEM. */
int pit_profile_doubt(const char *path, const struct stat *st, char **ret);

#endif
