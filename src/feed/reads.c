/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/reads.h"

int pit_reads_plan(struct pit_piece *pieces, size_t count, const struct pit_reads_rule *rule, struct pit_reads *ret)
{
	return -ENOSYS;
}

void pit_reads_free(struct pit_reads *r)
{
}
