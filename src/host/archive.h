/* SPDX-License-Identifier: MIT
 *
 * Tarballs of recorded machines, in and out, over libarchive.
 */
#ifndef PIT_HOST_ARCHIVE_H
#define PIT_HOST_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"

/* Foreign data: more than this in one archive is refused. */
#define PIT_ARCHIVE_MEMBERS_MAX 400000
#define PIT_ARCHIVE_BYTES_MAX (UINT64_C(2) << 30)

/* Unpacks a tar archive (plain, gzip, xz, zstd, bzip2) into a new private directory under $TMPDIR or /tmp. An archive
 * with an absolute name or with ".." in one is refused; members that are neither file, directory nor link, and members
 * below a link, are left out: nothing is ever written through a link. *ret_base is the new directory, for
 * pit_archive_remove(); *ret_dir the root in it: below single directories that wrap it ("host-2026-01-01/proc"). The
 * caller frees both. */
int pit_archive_unpack(const char *path, char **ret_base, char **ret_dir, struct pit_error *err);
void pit_archive_remove(const char *dir); /* removes what pit_archive_unpack() made; keeps errno */

/* Writes members one by one. The file appears at `path` (mode 0600) only when pit_archive_finish() succeeds. Compressed
 * by the end of the name: .tar.zst, .tar.gz, .tar.xz, .tar.bz2, .tar. */
struct pit_archive;
int pit_archive_create(const char *path, struct pit_archive **ret, struct pit_error *err);
int pit_archive_file(struct pit_archive *a, const char *name, const void *bytes, size_t len, struct pit_error *err);
int pit_archive_link(struct pit_archive *a, const char *name, const char *target, struct pit_error *err);
int pit_archive_finish(struct pit_archive *a, struct pit_error *err); /* frees `a` */
void pit_archive_abandon(struct pit_archive *a);                      /* frees `a`, leaves no file; NULL is fine */

#endif
