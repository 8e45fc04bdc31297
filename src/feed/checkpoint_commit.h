/* SPDX-License-Identifier: MIT
 *
 * Makes of a finished .step-N.tmp a checkpoint.
 */
#ifndef PIT_FEED_CHECKPOINT_COMMIT_H
#define PIT_FEED_CHECKPOINT_COMMIT_H

#include "feed/checkpoint_shard.h"

struct pit_commit {
	int dirfd;
	const char *dir; /* its path */
	unsigned keep, timeout_s;
	const char *state, *extra; /* NULL: none */
};

/* -EINVAL: the state is not UTF-8, or `extra` no JSON object. */
int pit_commit_check(const char *state, const char *extra, struct pit_error *err);

int pit_commit(const struct pit_commit *c, const struct pit_shard *s, const struct pit_saved *own,
	       struct pit_error *err);

#endif
