/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/mps.h"

int pit_mps_start(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err)
{
	return -ENOSYS;
}

const char *pit_mps_dir(const struct pit_mps *m)
{
	return NULL;
}

bool pit_mps_ours(const struct pit_mps *m)
{
	return 0;
}

int pit_mps_end_client(struct pit_mps *m, pid_t pid)
{
	return -ENOSYS;
}

void pit_mps_stop(struct pit_mps *m)
{
}
