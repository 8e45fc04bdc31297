/* SPDX-License-Identifier: MIT
 *
 * GRUB's files: fragments of ours for /etc/default/grub.d, which are shell, and what others' files say.
 */
#ifndef PIT_TUNE_BOOT_GRUB_H
#define PIT_TUNE_BOOT_GRUB_H

#include "base/buf.h"
#include "base/strv.h"
#include "host/root.h"

/* POSIX shell that gives argument `name` the value of `word` (NULL: takes the argument out) in what the files before it
 * have put into GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT. Words of other arguments stay as they are; a word
 * that counts already is not added again. No newline at the end. `word` has passed pit_boot_arg_check(). */
void pit_grub_fragment(const char *name, const char *word, struct pit_buf *out);

/* True when this text of grub-mkconfig (or of /etc/default/grub) reads /etc/default/grub.d. Upstream's does not. */
bool pit_grub_reads_d(const char *mkconfig);

/* The arguments of the first entry in a grub.cfg; -ENOENT: it starts no kernel by itself. */
int pit_grub_cfg_args(const char *cfg, struct pit_strv *ret);

/* The arguments of a Boot Loader Specification entry; $NAME is looked up in `env` (the text of grubenv; "" none).
 * -ENOENT: the text has no line "linux", so it is no entry for a kernel. */
int pit_bls_args(const char *entry, const char *env, struct pit_strv *ret);

/* A file of /etc/default/grub.d that is read after `ours` and would take the argument back: "PATH:LINE: TEXT" in `ret`;
 * "" none. */
void pit_grub_later(struct pit_root *root, const char *ours, const char *name, char *ret, size_t size);

/* The line number (from 1) of a text of such a file that assigns GRUB_CMDLINE_LINUX without keeping what it held, or
 * names the argument; 0 none. */
int pit_grub_overrides(const char *text, const char *name);

#endif
