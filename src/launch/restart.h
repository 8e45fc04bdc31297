/* SPDX-License-Identifier: MIT
 *
 * Whether and when a failed job is started again. Pure.
 */
#ifndef PIT_LAUNCH_RESTART_H
#define PIT_LAUNCH_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PIT_RESTART_FIRST (1000 * PIT_MS)         /* back-off: 1 s, 2 s, 4 s */
#define PIT_RESTART_PROGRESS (60 * 1000 * PIT_MS) /* a run at least this long made progress: back-off starts anew */
#define PIT_RESTART_STUCK 3 /* restarts without progress in a row after which it is given up (NVRx has the same) */

struct pit_restart {
	int most; /* --restart N */
	int used;
	int stuck; /* runs without progress in a row, the first one too */
};

enum pit_restart_answer { PIT_RESTART_NOW_AFTER, PIT_RESTART_USED_UP, PIT_RESTART_NO_PROGRESS, PIT_RESTART_NOT_ASKED };

/* After a failed run of `lasted` ns. NOW_AFTER: wait *ret_wait ns first, and this restart counts as used. */
enum pit_restart_answer pit_restart_ask(struct pit_restart *r, int64_t lasted, int64_t *ret_wait);

#endif
