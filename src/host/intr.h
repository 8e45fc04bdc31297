/* SPDX-License-Identifier: MIT
 *
 * How often each interrupt came since boot.
 */
#ifndef PIT_HOST_INTR_H
#define PIT_HOST_INTR_H

#include <stddef.h>
#include <stdint.h>

#define PIT_INTR_MAX 1048576 /* numbers */

/* Counts of all interrupts by number, from the line "intr TOTAL N0 N1 ..." of /proc/stat. */
struct pit_intr {
	uint64_t *count;
	size_t counts;
};

/* -ENOENT no such line, -EBADMSG not numbers. The caller frees with pit_intr_free(). */
int pit_intr_parse(const char *stat, struct pit_intr *ret);
void pit_intr_free(struct pit_intr *i); /* back to empty */

#endif
