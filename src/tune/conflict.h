/* SPDX-License-Identifier: MIT
 *
 * What would undo a plan: shared by conflict.c, conflict_tuned.c, conflict_files.c and conflict_setup.c. Each sentence
 * says what, where (FILE:LINE), what will happen and what to do.
 */
#ifndef PIT_TUNE_CONFLICT_H
#define PIT_TUNE_CONFLICT_H

#include "tune/plan.h"

struct pit_conflicts {
	struct pit_scene *scene;
	struct pit_root *root;
	struct pit_plan *plan;
	bool failed; /* memory ran out */
};

/* Once, however often it is said. */
void pit_conflict_say(struct pit_conflicts *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* True when the plan itself stops the unit, so that it is in nobody's way. */
bool pit_conflict_is_stopped(const struct pit_conflicts *c, const char *unit);

/* True when the change sets a value (it is no companion, and no file). */
bool pit_conflict_sets(const struct pit_change *change, enum pit_target_kind target);

void pit_conflict_tuned(struct pit_conflicts *c); /* the active profile sets it, too */
void pit_conflict_files(struct pit_conflicts *c); /* a file that is read after ours, or a more special line */
void pit_conflict_setup(struct pit_conflicts *c); /* cloud-init, kubelet, the kernel's command line */

/* One line "KEY = VALUE" in place; false when it is none, or a comment. */
bool pit_conflict_split(char *line, char **ret_key, char **ret_value);

#endif
