/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/identity.h"

int pit_identity_read(char **environ, const char *name, int ranks, struct pit_identity *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_identity_first_host(const char *list, char *ret, size_t size)
{
	return -ENOSYS;
}

int pit_identity_tasks_at(const char *list, unsigned at, int *ret)
{
	return -ENOSYS;
}

const char *pit_environ_get(char **environ, const char *name)
{
	return NULL;
}
