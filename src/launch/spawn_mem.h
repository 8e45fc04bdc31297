/* SPDX-License-Identifier: MIT
 *
 * Memory policies and what is taken in their place when the kernel refuses one. Private to spawn.
 */
#ifndef PIT_LAUNCH_SPAWN_MEM_H
#define PIT_LAUNCH_SPAWN_MEM_H

#include "base/idset.h"
#include "launch/policy.h"

struct pit_spawn_mem {
	enum pit_mem used; /* PIT_MEM_NONE: as inherited */
	int error;         /* first refusal; 0 none */
	bool less;         /* of the wanted policy, yet for fewer nodes than asked */
};

/* Sets the policy of the calling thread, async-signal-safe. PREFER, BIND and INTERLEAVE without nodes, AUTO and NONE
 * touch nothing. */
struct pit_spawn_mem pit_spawn_set_mem(enum pit_mem wanted, const struct pit_idset *nodes);

#endif
