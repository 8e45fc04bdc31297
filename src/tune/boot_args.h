/* SPDX-License-Identifier: MIT
 *
 * Words of the kernel's command line: "iommu=pt", "quiet". Pure; what keeps them between boots is in boot_loader.h.
 */
#ifndef PIT_TUNE_BOOT_ARGS_H
#define PIT_TUNE_BOOT_ARGS_H

#include "base/buf.h"
#include "base/strv.h"
#include "pitcrew/error.h"

/* The words that the kernel itself reads, in order: not those behind "--", which go to the first process. */
int pit_boot_args_split(const char *line, struct pit_strv *ret); /* 0 or -ENOMEM */

/* True for "NAME" and "NAME=...". The kernel takes '-' and '_' for the same in names. */
bool pit_boot_arg_is(const char *word, const char *name);

/* A word of ours must pass unharmed through sh, GRUB's own language and sed: letters, digits and "_.,:=/+@%~-" only.
 * -EINVAL names the first byte that is none. */
int pit_boot_arg_check(const char *word, struct pit_error *err);

/* What a setting's value means for argument `name`: the word in `out` ("iommu=pt"; "present": the bare name), nothing
 * for "absent". -EINVAL: the value cannot be a part of a command line. */
int pit_boot_arg_word(const char *name, const char *value, struct pit_buf *out, struct pit_error *err);

/* Arguments of which several count side by side (pci=noaer pci=realloc); of the others the last one wins. */
bool pit_boot_arg_adds_up(const char *name);

/* True when the kernel would do what `word` says (NULL: as if there were no `name`). */
bool pit_boot_arg_holds(const struct pit_strv *words, const char *name, const char *word);

/* The words of `name`, blank-separated, in `out`. */
void pit_boot_arg_of(const struct pit_strv *words, const char *name, struct pit_buf *out);

/* `line` with the argument set to `word` (NULL: taken out); nothing else changes by a byte. A new word goes before
 * "--" or to the end. */
void pit_boot_arg_edit(const char *line, const char *name, const char *word, struct pit_buf *out);

#endif
