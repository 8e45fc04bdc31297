/* SPDX-License-Identifier: MIT
 *
 * What a place on disk can do, found by a real read or write: success of open() proves nothing (overlayfs over squashfs
 * accepts O_DIRECT and then fails each read with EINVAL).
 */
#ifndef PIT_FEED_DISK_H
#define PIT_FEED_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/io.h"

struct pit_disk {
	enum pit_io_cache cache; /* the rung taken: never PIT_IO_CACHE_AUTO */
	uint32_t mem_align;      /* of buffers for O_DIRECT, bytes; 1 without it */
	uint32_t offset_align;   /* of offsets and lengths for O_DIRECT, bytes; 1 without it */
	uint32_t block;          /* preferred I/O size of the file system (st_blksize) */
	bool dontcache;          /* RWF_DONTCACHE works */
	bool waits;              /* RWF_NOWAIT does not */
	bool volatile_overlay;   /* fsync does nothing here: an overlay mounted with "volatile" */
	char filesystem[32];     /* "ext4", "xfs", "overlay", "tmpfs", ...; "0x..." when unknown */
};

/* Looks at an open file (readable; `fd` is not changed, its offset neither). Whether direct reads are better than
 * buffered ones is the caller's to know: automatic takes O_DIRECT where it works. Reports on ladder "cache".
 * -EOPNOTSUPP when what `want` insists on does not work here. */
int pit_disk_probe_read(int fd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			struct pit_error *err);

/* The same for writing new files in the directory `dirfd`: writes and removes one of its own (O_TMPFILE where
 * possible). */
int pit_disk_probe_write(int dirfd, enum pit_io_cache want, struct pit_disk *ret, struct pit_ladder *l,
			 struct pit_error *err);

/* A file of no name in the directory, for reading and writing; or -errno. Nothing is left behind when the process is
 * killed, but for an empty ".pitcrew-try-PID-N" where O_TMPFILE is refused and the kill comes before the next line. */
int pit_disk_scratch(int dirfd);

/* What was opened with O_NONBLOCK, so that a FIFO did not hold up open(): -ESPIPE when it is no regular file; else the
 * flag is taken away, as it means other things for regular files of some file systems and for io_uring. */
int pit_disk_only_file(int fd);

/* Opens a regular file for reading. -ESPIPE when it is none (-ENXIO for a socket), else -errno of open(). */
int pit_disk_open_file(int dirfd, const char *path, int flags);

/* Opens a file for reading the way `d` says; direct mode falls back to buffered for this one file when it refuses, by
 * changing the flags of the same open file, not by opening again. Gives the descriptor and whether it is direct, or
 * -errno. */
int pit_disk_open(const struct pit_disk *d, int dirfd, const char *path, bool *ret_direct);

#endif
