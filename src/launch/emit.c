/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/emit.h"

int pit_emit(const struct pit_job *j, enum pit_emit engine, struct pit_buf *out, struct pit_error *err)
{
	return -ENOSYS;
}

const char *const pit_emit_names[] = {"numactl", "torchrun", "slurm", "systemd", "docker", NULL};
