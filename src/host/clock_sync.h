/* SPDX-License-Identifier: MIT
 *
 * Whether the kernel's clock is disciplined, from adjtimex(2).
 */
#ifndef PIT_HOST_CLOCK_SYNC_H
#define PIT_HOST_CLOCK_SYNC_H

#include "host/root.h"

struct pit_clock_sync {
	bool synchronized;    /* STA_UNSYNC is not set */
	int64_t max_error_us; /* the kernel's own bound, which grows by 500 us a second while nobody corrects it */
	int64_t offset_us;
};

/* The fact "adjtimex", as the text "synchronized 0|1\nmaxerror_us N\noffset_us N\n". */
int pit_clock_sync(struct pit_root *root, struct pit_clock_sync *ret, struct pit_error *err);

#endif
