/* SPDX-License-Identifier: MIT
 *
 * A short text about several things: the first few by name, then how many more.
 */
#ifndef PIT_CHECK_OFFENDERS_H
#define PIT_CHECK_OFFENDERS_H

#include <stdbool.h>
#include <stddef.h>

#define PIT_OFFENDERS_SHOWN 3

/* All-zero is the empty list. */
struct pit_offenders {
	size_t count;
	char text[320]; /* the first PIT_OFFENDERS_SHOWN, comma-separated */
	char whole[360];
};

void pit_offenders_add(struct pit_offenders *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "eth0, eth1, eth2 and 5 more"; lives as long as `o` does. */
const char *pit_offenders_text(struct pit_offenders *o);

#endif
