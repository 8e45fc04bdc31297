/* SPDX-License-Identifier: MIT
 *
 * Tarballs of recorded machines, in and out, over libarchive.
 */
#ifndef PIT_HOST_ARCHIVE_H
#define PIT_HOST_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pitcrew/error.h"

/* Foreign data: more than this in one archive is refused. */
#define PIT_ARCHIVE_MEMBERS_MAX 400000
#define PIT_ARCHIVE_BYTES_MAX (UINT64_C(2) << 30)

/* An unpacked archive: a private directory that vanishes with pit_unpacked_free(), and also when this process is
 * killed: a child of ours waits for the end of a pipe and removes it. */
struct pit_unpacked {
	char *base; /* the directory that was made; NULL none */
	char *dir;  /* the root in it: below single directories that wrap it ("host-2026-01-01/proc") */
	int pipe;   /* to the child; -1 none */
	pid_t janitor;
};
#define PIT_UNPACKED_INIT                                                                                              \
	{                                                                                                              \
		.pipe = -1                                                                                             \
	}

/* Unpacks a tar archive (plain, gzip, xz, zstd, bzip2) below $TMPDIR, else /dev/shm when it has room, else /tmp. An
 * archive with an absolute name or with ".." in one is refused; members that are neither file, directory nor link, and
 * members below a link, are left out: nothing is ever written through a link. */
int pit_archive_unpack(const char *path, struct pit_unpacked *ret, struct pit_error *err);
void pit_unpacked_free(struct pit_unpacked *u); /* back to PIT_UNPACKED_INIT; keeps errno */

/* Writes members one by one. The file appears at `path` (mode 0600) only when pit_archive_finish() succeeds. Compressed
 * by the end of the name: .tar.zst, .tar.gz, .tar.xz, .tar.bz2, .tar. */
struct pit_archive;
int pit_archive_create(const char *path, struct pit_archive **ret, struct pit_error *err);
int pit_archive_file(struct pit_archive *a, const char *name, const void *bytes, size_t len, struct pit_error *err);
int pit_archive_link(struct pit_archive *a, const char *name, const char *target, struct pit_error *err);
int pit_archive_finish(struct pit_archive *a, struct pit_error *err); /* frees `a` */
void pit_archive_abandon(struct pit_archive *a);                      /* frees `a`, leaves no file; NULL is fine */

#endif
