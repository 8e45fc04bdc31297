/* SPDX-License-Identifier: MIT
 *
 * What became of a rank's binding some time after its start: do its threads still have the CPUs that they were given,
 * and does its memory lie where it should?
 */
#ifndef PIT_LAUNCH_AFTER_H
#define PIT_LAUNCH_AFTER_H

#include "host/root.h"

#define PIT_AFTER_THREADS 512       /* threads looked at, of each rank */
#define PIT_AFTER_BYTES (1u << 20)  /* of numa_maps */
#define PIT_AFTER_LEAST (64u << 20) /* bytes of memory below which its place says nothing */
#define PIT_AFTER_REMOTE 0.2        /* share of it on other nodes that is worth a word */

/* numa_maps walks every page and holds the lock of the address space meanwhile: some 0.1 s for this much. Above, the
 * kernel is asked about single pages spread over the memory. */
#define PIT_AFTER_WALK (UINT64_C(16) << 30)
#define PIT_AFTER_PAGES 4096

struct pit_after {
	int threads;               /* looked at */
	int moved;                 /* of these: with CPUs outside of those given */
	int narrowed;              /* of these: with fewer than given, and none outside */
	char thread[32];           /* name of one that moved */
	struct pit_idset has;      /* CPUs of that one */
	struct pit_idset together; /* CPUs that any of them may use */
	uint64_t local, remote;    /* bytes; both 0 unknown or too little */
	bool cut;                  /* not all threads, or not all memory, was looked at */
};

/* `root` must be the live machine (else -EOPNOTSUPP); what it kept is forgotten first. `cpus` or `mems` NULL or empty:
 * not bound, not looked at. `mems` are the nodes where memory should lie, those of its GPUs' memory (Grace) included.
 * -ESRCH: it is gone. */
int pit_after_look(struct pit_root *root, pid_t pid, const struct pit_idset *cpus, const struct pit_idset *mems,
		   struct pit_after *ret, struct pit_error *err);
void pit_after_free(struct pit_after *a);

/* Sums pages by node from a text of numa_maps (possibly cut in its last line). Sizes by kernelpagesize_kB. Files other
 * than shared memory are left out: their pages are everybody's. -EBADMSG. */
int pit_after_numa_maps(const char *text, const struct pit_idset *mems, uint64_t *ret_local, uint64_t *ret_remote);

/* A sentence each for what is worth one: "rank 3: 14 of 20 threads ... re-bound to ...". */
int pit_after_say(const struct pit_after *a, int rank, const struct pit_idset *cpus, struct pit_strv *out);

#endif
