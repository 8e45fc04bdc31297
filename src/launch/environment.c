/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/environment.h"

int pit_env_plan(const struct pit_env_request *r, struct pit_env *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_env_free(struct pit_env *e)
{
}

char **pit_env_block(char **environ, const struct pit_env *e)
{
	return NULL;
}

void pit_env_block_free(char **block)
{
}

int pit_env_rebinders(char **environ, struct pit_strv *ret)
{
	return -ENOSYS;
}
