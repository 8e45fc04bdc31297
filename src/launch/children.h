/* SPDX-License-Identifier: MIT
 *
 * Processes whose parent we are: our own, and, since we are a subreaper, what those left behind. A child cannot be
 * mistaken for another process as long as we have not waited for it, so these may be signalled by number.
 */
#ifndef PIT_LAUNCH_CHILDREN_H
#define PIT_LAUNCH_CHILDREN_H

#include <signal.h>
#include <stdbool.h>

#include "launch/leaf.h"

struct pit_children {
	pid_t *pid;
	size_t count, size;
};

/* All of them, those that ended and were not waited for too. `root` is live; what it kept is forgotten. Where /proc
 * does not show our own PID namespace, each number that may be one is asked for. 0 or -errno. */
int pit_children_list(struct pit_root *root, struct pit_children *ret);
void pit_children_free(struct pit_children *c);
bool pit_children_has(const struct pit_children *c, pid_t pid);

/* True when we have no child at all, except in our own process group (helpers of ours) and in `but` (may be NULL). When
 * we cannot know: false. */
bool pit_children_none(struct pit_root *root, const struct pit_children *but);

/* SIGKILL for each but those. How many, or -errno. */
int pit_children_kill(struct pit_root *root, const struct pit_children *but);

/* Kills and reaps all but those, and what these leave, until there are none: 0, or -EBUSY after `most` ns. What
 * `leaves` holds is killed first; NULL none. */
int pit_children_end(struct pit_root *root, const struct pit_children *but, struct pit_leaves *leaves, int64_t most);

/* The next child that ended, which stays to be waited for; 0 none. */
pid_t pit_children_ended(void);

#endif
