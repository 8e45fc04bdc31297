/* SPDX-License-Identifier: MIT
 *
 * The machine that tune writes to. Reads go through host/root as everywhere; this is the one way to write. A recorded
 * machine has no place: opening one fails, so nothing can be written there.
 */
#ifndef PIT_TUNE_PLACE_H
#define PIT_TUNE_PLACE_H

#include "host/root.h"

struct pit_place;

/* The live machine. -EPERM: we are not root. */
int pit_place_open(struct pit_place **ret, struct pit_error *err);

/* A directory that stands for "/" and holds plain files only: for tests and rehearsals. Targets that are no files
 * (swap, mounts, services, GPUs) answer -EOPNOTSUPP there. */
int pit_place_rehearse(const char *dir, struct pit_place **ret, struct pit_error *err);

void pit_place_close(struct pit_place *p); /* NULL is fine; keeps errno */
#define pit_auto_place PIT_CLEANUP(pit_place_closep)
static inline void pit_place_closep(struct pit_place **p)
{
	pit_place_close(*p);
}

bool pit_place_is_live(const struct pit_place *p);

/* Reads through it see the machine as it is at the call of pit_place_now(), which forgets all earlier answers; texts of
 * earlier reads are gone then. */
struct pit_root *pit_place_root(struct pit_place *p);
struct pit_root *pit_place_now(struct pit_place *p);

/* One write(2) of the whole text to an existing file of the kernel (/proc/sys, /proc/irq, /sys); no O_CREAT, no
 * O_TRUNC, links inside the place only. Returns what the kernel said: 0 or -errno. */
int pit_place_poke(struct pit_place *p, const char *path, const char *text, struct pit_error *err);

/* A configuration file whole: a temporary file ".NAME.pitcrew" in the same directory, fsync, rename, fsync of the
 * directory. An existing file keeps mode and owner; a new one gets `mode`. `text` NULL removes the file (0 when it is
 * not there). A path whose last part is a link or whose directory is writable for others than root: -ELOOP, -EPERM. */
int pit_place_store(struct pit_place *p, const char *path, const char *text, unsigned mode, struct pit_error *err);

/* A directory (0755) or a symbolic link: made, or removed when `present` is false or `target` NULL. A directory that is
 * not empty stays: -ENOTEMPTY. */
int pit_place_mkdir(struct pit_place *p, const char *path, bool present, struct pit_error *err);
int pit_place_symlink(struct pit_place *p, const char *path, const char *target, struct pit_error *err);

/* -EROFS "cannot write to PATH: Read-only file system" for a directory in which nothing can be changed for that reason;
 * else 0: all others who write there tell their own reasons. */
int pit_place_is_frozen(struct pit_place *p, const char *path, struct pit_error *err);

/* Runs a program of the machine (argv ended by NULL, found in the usual system directories, clean environment but
 * for LANG, stdin /dev/null) and waits up to `seconds`; what it printed (at most 64 KiB) goes to `out` (may be NULL).
 * 0; -ENOPKG no such program; -ETIMEDOUT (it is killed); -EIO it failed, with the last line that it printed in `err`.
 * In a rehearsal -EOPNOTSUPP. */
int pit_place_command(struct pit_place *p, const char *const *argv, int seconds, struct pit_buf *out,
		      struct pit_error *err);

#endif
