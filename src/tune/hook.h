/* SPDX-License-Identifier: MIT
 *
 * What must be run after files of a directory changed, so that they count: a row each for systemd units, udev rules,
 * boot loaders. The same hooks run after apply, roll-back and revert.
 */
#ifndef PIT_TUNE_HOOK_H
#define PIT_TUNE_HOOK_H

#include "tune/target.h"

struct pit_hook {
	const char *path;  /* "/etc/systemd/system/": of files below it; a path without "/" at the end: that file */
	const char *needs; /* a path of the machine that must exist for it to run; NULL always */
	const char *const *argv;  /* ended by NULL */
	const char *const *check; /* must succeed before argv runs; NULL none. Keeps a broken boot menu away */
	bool vital;               /* failing undoes the change; otherwise it is only told */
	int seconds;
};
extern const struct pit_hook pit_hooks[]; /* ends with path NULL */

/* True when the cell is a file, directory or link that the hook is for. */
bool pit_hook_fits(const struct pit_hook *hook, const struct pit_cell *cell);

/* Runs each hook that fits one of the cells, once. `ret_notes` gets what failed without being vital; -errno when a
 * vital one failed. Hooks whose program is not there are left out, with a note when they are vital. In a rehearsal
 * nothing runs. */
int pit_hooks_run(struct pit_place *place, const struct pit_cell *const *cells, size_t count,
		  struct pit_strv *ret_notes, struct pit_error *err);

#endif
