/* SPDX-License-Identifier: MIT
 *
 * The parts of resolve.c and of single resolvers. Private to tune/resolve*.c, but for the expansion of patterns.
 */
#ifndef PIT_TUNE_RESOLVE_PARTS_H
#define PIT_TUNE_RESOLVE_PARTS_H

#include "tune/resolve.h"

/* Objects that the pattern names on this machine, in order of their names: paths, or sysctl keys when `target` is
 * SYSCTL. `which` (may be NULL) is a pattern for the name that the first '*' found, or for what stands in the place of
 * the '*'. None is no error; what could not be looked at is, when nothing else was found. */
int pit_pattern_expand(struct pit_root *root, enum pit_target_kind target, const char *pattern, const char *which,
		       struct pit_strv *ret, struct pit_error *err);

/* Does this machine offer `value` for `cell`, which is a CHOICE? 1 yes, or it does not say; 0 no, with the reason and
 * the nearest that it offers in `ret`; -ENOMEM. Choices that a module of this kernel would bring along count. */
int pit_choice_offered(struct pit_scene *scene, const struct pit_cell *cell, const char *value, struct pit_buf *ret);

/* Does irqbalance run and leave alone the interrupts of the PCI devices `pci`? 1 no daemon, or all are banned; 0 it
 * would move them, and when `ret` is for the next boots a drop-in that bans them was added; -errno with the reason why
 * it cannot be told. */
int pit_irqbalance_tell(struct pit_scene *scene, const struct pit_strv *pci, struct pit_wishes *ret,
			struct pit_error *err);

#endif
