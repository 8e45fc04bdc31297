/* SPDX-License-Identifier: MIT
 *
 * Makes the job's group and room for it, and takes all back. Private to leaf*.c.
 */
#ifndef PIT_LAUNCH_LEAF_MOVE_H
#define PIT_LAUNCH_LEAF_MOVE_H

#include "launch/leaf_inside.h"

/* The process in "pitcrew-123", "pitcrew-123.4", "pitcrew-123-supervisor"; 0 when it is no such name. */
pid_t pit_leaf_owner(const char *name);

/* One supervisor at a time makes or takes back groups in `above`: else one could disable a controller that another has
 * just found enabled. Waits a second at most: nobody hangs for one that was stopped meanwhile. */
void pit_leaf_lock(struct pit_leaves *l);
void pit_leaf_unlock(struct pit_leaves *l);

/* Removes empty groups of supervisors that have ended. */
void pit_leaf_remove_stale(struct pit_leaves *l);

/* "pitcrew-PID", locked (flock), so that no other supervisor takes it for stale, whatever process ids it sees. */
int pit_leaf_make_job(struct pit_leaves *l, struct pit_error *err);

/* Moves us, and what is ours in our group, to a group of their own beside the job's. -EBUSY: others came. */
int pit_leaf_move_out(struct pit_leaves *l, struct pit_error *err);

/* Enables the controllers for the job's group and for its leaves; a note for each that is not to be had. 0 or -ENOMEM.
 */
int pit_leaf_enable(struct pit_leaves *l, struct pit_strv *notes);

/* Removes the groups, which must be empty, disables what was enabled, moves us back. 0 or -errno. */
int pit_leaf_put_back(struct pit_leaves *l);

#endif
