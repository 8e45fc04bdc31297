/* SPDX-License-Identifier: MIT
 *
 * What lies in the directory of a job's checkpoints, and under which names:
 *
 *	step-00001000        a complete one
 *	latest               a symbolic link to one
 *	.step-00001000.tmp   being saved: shards, what ranks tell of theirs, and .lock, which those who save hold
 *	.step-00001000.old   being removed
 *	.step-00001000.prev  complete, and being replaced by another one of the same step
 */
#ifndef PIT_FEED_CHECKPOINT_DIR_H
#define PIT_FEED_CHECKPOINT_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"

enum pit_step_kind {
	PIT_STEP_COMPLETE,
	PIT_STEP_TMP,
	PIT_STEP_OLD,
	PIT_STEP_PREV,
};

#define PIT_STEP_NAME_MAX 40
#define PIT_LATEST_NAME "latest"
#define PIT_STEP_LOCK ".lock"

/* The name, in `out` of PIT_STEP_NAME_MAX bytes, which it returns. */
char *pit_step_name(uint64_t step, enum pit_step_kind kind, char *out);
bool pit_step_parse(const char *name, enum pit_step_kind kind, uint64_t *ret);

/* Steps of that kind, lowest first, whatever is in them. The caller frees the array. 0 or -errno. */
int pit_steps_list(int dirfd, enum pit_step_kind kind, uint64_t **ret, size_t *ret_count);

/* The step that `latest` names; false when it names none or nothing that is there. */
bool pit_step_latest(int dirfd, uint64_t *ret);

/* Makes .step-N.tmp where it is absent, and holds it until both descriptors are closed. */
int pit_step_hold(int dirfd, uint64_t step, int *ret_tmpfd, int *ret_lock, struct pit_error *err);

/* Whether .step-N.tmp is still the one that `lock` holds. */
bool pit_step_is_held(int dirfd, uint64_t step, int lock);

/* Puts the finished .step-N.tmp in place of step-N, points `latest` there, and makes both durable. -errno of
 * `ret_what`, a constant text that says which of it failed. */
int pit_step_publish(int dirfd, uint64_t step, const char **ret_what);

/* Removes complete steps beyond `keep`, lowest first, but not the highest one nor what `latest` names. What cannot be
 * removed stays, without an error. */
void pit_steps_retain(int dirfd, unsigned keep);

/* Removes what crashed saves of steps below `below` left, and what removals left; what a replacement left is put back
 * where the new one did not come. What living processes hold stays. */
void pit_steps_clean(int dirfd, uint64_t below);

#endif
