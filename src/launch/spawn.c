/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/spawn.h"

const char *pit_spawn_step_name(enum pit_spawn_step step)
{
	return NULL;
}

int pit_spawn_start(const struct pit_spawn *what, struct pit_spawned *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_spawn_finish(const struct pit_spawn *what, struct pit_spawned *s, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_spawn_find(const char *command, char *const *environ, char **ret, struct pit_error *err)
{
	return -ENOSYS;
}

enum pit_mem pit_spawn_probe_mem(enum pit_mem wanted, const struct pit_idset *mems, int *ret_error)
{
	return 0;
}
