/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/after.h"

int pit_after_look(struct pit_root *root, pid_t pid, const struct pit_idset *cpus, const struct pit_idset *mems,
		   struct pit_after *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_after_free(struct pit_after *a)
{
}

int pit_after_numa_maps(const char *text, const struct pit_idset *mems, uint64_t *ret_local, uint64_t *ret_remote)
{
	return -ENOSYS;
}

int pit_after_say(const struct pit_after *a, int rank, const struct pit_idset *cpus, struct pit_strv *out)
{
	return -ENOSYS;
}
