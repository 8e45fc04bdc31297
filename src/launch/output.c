/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/output.h"

int pit_output_open(struct pit_loop *loop, enum pit_output_mode mode, const char *dir, int ranks, int attempt,
		    struct pit_output **ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_output_files(struct pit_output *o, int rank, int ret_fd[2], struct pit_error *err)
{
	return -ENOSYS;
}

void pit_output_started(struct pit_output *o, int rank)
{
}

void pit_output_tail(struct pit_output *o, int rank, struct pit_buf *out)
{
}

void pit_output_close(struct pit_output *o, int ms)
{
}
