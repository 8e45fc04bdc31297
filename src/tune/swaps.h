/* SPDX-License-Identifier: MIT
 *
 * /proc/swaps: what the kernel swaps to. See proc_swaps(5).
 */
#ifndef PIT_TUNE_SWAPS_H
#define PIT_TUNE_SWAPS_H

#include "host/root.h"

struct pit_swap {
	char *name;          /* device or file; \040 and the like decoded */
	uint64_t size, used; /* bytes */
	int priority;        /* below 0: given by the kernel, in the order in which they were switched on */
	bool deleted;        /* a file that has lost its name, so it can never be switched on again */
	bool compressed;     /* zram: memory, no disk */
};

struct pit_swaps {
	struct pit_swap *item;
	size_t count;
};

int pit_swaps_parse(const char *text, struct pit_swaps *ret, struct pit_error *err);     /* -EBADMSG with the line */
int pit_swaps_load(struct pit_root *root, struct pit_swaps *ret, struct pit_error *err); /* -ENOENT: no swap in here */
void pit_swaps_free(struct pit_swaps *s);
#define pit_auto_swaps PIT_CLEANUP(pit_swaps_free)
const struct pit_swap *pit_swaps_find(const struct pit_swaps *s, const char *name); /* NULL none */

/* Whether memory holds `used` bytes that come back from swap and a margin besides: a fiftieth of all memory, at least
 * 64 MiB. -ENOMEM with all numbers when it does not; another -errno when that cannot be known. */
int pit_swap_fits(struct pit_root *root, uint64_t used, struct pit_error *err);

/* Options of /etc/fstab for the device or file, as they stand there: "sw,pri=5,discard=once"; "" none. UUID=, LABEL=
 * and links below /dev are followed. The kernel shows no discard, so this is where it is known from. */
void pit_swap_fstab(struct pit_root *root, const char *name, char *ret, size_t size);

#endif
