/* SPDX-License-Identifier: MIT
 *
 * Reservations of huge pages on the kernel command line. Private to check/.
 */
#ifndef PIT_CHECK_MEMORY_HUGEPAGES_H
#define PIT_CHECK_MEMORY_HUGEPAGES_H

#include <stdint.h>

#include "base/strv.h"

struct pit_hugepages_ask {
	uint64_t size;  /* bytes of one page; 0: the default size */
	uint64_t count; /* over all nodes */
	bool counted;   /* hugepages= was given for it */
};

#define PIT_HUGEPAGES_ASKS 16

/* The pairs of hugepagesz= and hugepages= in order; hugepages= without a size before it asks for the default size.
 * *ret_default: default_hugepagesz= in bytes, 0 not given. Returns how many pairs; what makes no sense is left out. */
size_t pit_hugepages_asked(const struct pit_strv *cmdline, struct pit_hugepages_ask ret[PIT_HUGEPAGES_ASKS],
			   uint64_t *ret_default);

#endif
