/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/job.h"

int pit_job_plan(struct pit_root *root, const struct pit_job_options *o, char **environ, struct pit_job *ret,
		 struct pit_error *err)
{
	return -ENOSYS;
}

void pit_job_free(struct pit_job *j)
{
}

void pit_job_spawn(const struct pit_job *j, int seat, char *const *block, struct pit_spawn *ret)
{
}
